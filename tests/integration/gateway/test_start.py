"""The webhook when the task hub does not answer: Azure DevOps is asked to send again."""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.durable_functions.models.utils.http_utils import _close_session

from local.functions_host.app_loader import load_app
from local.functions_host.client_links import ClientLinks
from local.functions_host.invocation import InvocationContext
from shared.composition import read_cached_settings
from tests.local.functions_host.hosting import REPOSITORY
from tests.stories.test_edit import build_delivery

GUID = "11111111-2222-3333-4444-555555555555"
NOBODY = ClientLinks("http://127.0.0.1:9", "hub", "key")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TASKHUB_NAME", "hub")
    monkeypatch.setenv("WEBHOOK_SECRET", "secret")
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "http://127.0.0.1:9/contoso")
    monkeypatch.setenv("CODE_AGENT_DATA_DIR", str(tmp_path))
    read_cached_settings.cache_clear()
    yield
    read_cached_settings.cache_clear()


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [("/edit make it red", 503, "not_started"), ("thanks", 200, "no_command")],
)
def test_only_what_cannot_be_started_is_sent_again(
    content: str, code: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = deliver(build_delivery(GUID, GUID, 1, content))
    assert answer.status_code == code
    assert json.loads(answer.get_body())["reason"] == reason
    assert "make it red" not in caplog.text


def deliver(body: dict[str, Any]) -> func.HttpResponse:
    """Call the function as the worker does, with a client binding whose host is not there."""
    app = load_app(REPOSITORY)
    webhook = next(one for one in app.functions if one.name == "receive_webhook")
    token = base64.b64encode(b"x:secret").decode()
    request = func.HttpRequest(
        method="POST",
        url="http://127.0.0.1/gateway/webhook/ado",
        headers={"Authorization": f"Basic {token}"},
        body=json.dumps(body).encode(),
    )

    async def call() -> func.HttpResponse:
        try:
            answered: func.HttpResponse = await webhook.handle(
                req=request,
                client=NOBODY.build_binding(),
                context=InvocationContext(webhook, "call"),
            )
            return answered
        finally:
            await _close_session()

    return asyncio.run(call())
