"""Serves what the doctor finds, to whoever may see every job page. Models are never asked here."""

import asyncio
import contextlib
from typing import Final

import azure.functions as func

from shared.composition import compose
from shared.domain.errors import CodeAgentError
from shared.gateway.health import TaskHub
from shared.gateway.measure import counted_async
from shared.gateway.pages import answer_html, answer_json, serve, wants_html

_HUB_TIMEOUT_S: Final = 8.0


@counted_async("/gateway/doctor")
async def show_doctor(request: func.HttpRequest, hub: TaskHub) -> func.HttpResponse:
    """Look at everything that the app needs, and answer 200 with what was found."""
    loop = asyncio.get_running_loop()

    def look_at_task_hub() -> str:
        asked = asyncio.run_coroutine_threadsafe(_ask(hub), loop)
        asked.result(_HUB_TIMEOUT_S)
        return "the task hub answers"

    @serve
    def show(request: func.HttpRequest) -> func.HttpResponse:
        from shared.doctor.report import to_plain
        from shared.doctor.rounds import examine_app

        with contextlib.suppress(CodeAgentError):
            _ = compose().database  # an app that nobody has used yet has no tables
        plain = to_plain(examine_app(compose(), look_at_task_hub))
        if not wants_html(request):
            return answer_json(plain)
        from shared.pages.render import render_doctor

        return answer_html(lambda nonce: render_doctor(plain, nonce=nonce))

    return await asyncio.to_thread(show, request)


async def _ask(hub: TaskHub) -> None:
    await hub.find("doctor-probe")
