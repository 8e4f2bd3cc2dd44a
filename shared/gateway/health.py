"""Answers probes: `/health` says that the process lives, `/ready` asks everything a job needs.

Liveness never depends on anything outside: a restart repairs no database. Readiness asks each
dependency briefly, in parallel, and keeps the answer for a while. Details are states, no messages.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import azure.functions as func

from shared.composition import compose, read_cached_settings
from shared.domain.clock import read_utc_clock
from shared.domain.errors import CodeAgentError
from shared.gateway.access import may_see
from shared.gateway.measure import counted, counted_async
from shared.settings import VERSION, SettingsError

KEPT_S: Final = 10.0
"""How long an answer of `/ready` is good for; probes come every few seconds from several places."""
PROBE_TIMEOUT_S: Final = 5.0

_LOG = logging.getLogger("code_agent.health")
_OK, _STALE, _FAILED, _UNKNOWN = "ok", "stale", "failed", "unknown"


class TaskHub(Protocol):
    """The durable client, as the probe uses it."""

    async def find(self, instance_id: str) -> Any:
        """Look an instance up."""


@dataclass(slots=True)
class _Known:
    """What was found out last."""

    at: float = float("-inf")
    states: dict[str, str] | None = None
    mode: str = _UNKNOWN
    """Whether operators let the app work; no matter of readiness."""
    probing: "asyncio.Future[dict[str, str]] | None" = None
    """The probes that are under way."""


_KNOWN = _Known()


@counted("/gateway/health")
def show_health(_: func.HttpRequest) -> func.HttpResponse:
    """Answer 200 as long as the process can answer; dependencies as last seen by `/ready`."""
    known = (_KNOWN.states or {}).get("task_hub", _UNKNOWN)
    return _answer(200, _OK, {"orchestrator": known})


@counted_async("/gateway/ready")
async def show_readiness(request: func.HttpRequest, hub: TaskHub) -> func.HttpResponse:
    """Answer 200 when everything a job needs can be reached, else 503.

    What cannot be reached is told to whoever may see the pages.
    """
    if time.monotonic() - _KNOWN.at > KEPT_S:
        if _KNOWN.probing is None:
            _KNOWN.probing = asyncio.ensure_future(_probe_all(hub))
        probing = _KNOWN.probing  # whoever comes meanwhile waits for the same answers
        _KNOWN.states = await asyncio.shield(probing)
        _KNOWN.at, _KNOWN.probing = time.monotonic(), None
    states = _KNOWN.states or {}
    ready = all(state in (_OK, _STALE) for state in states.values())
    shown = states if _may_see_details(request) else {}
    status = _OK if ready else "not_ready"
    return _answer(200 if ready else 503, status, shown, mode=_KNOWN.mode)


def _may_see_details(request: func.HttpRequest) -> bool:
    try:
        return may_see(request)
    except SettingsError:
        return False


async def _probe_all(hub: TaskHub) -> dict[str, str]:
    probes: dict[str, Awaitable[Any]] = {
        "task_hub": hub.find("readiness-probe"),
        # lambdas, so that what composing raises is a failed probe too
        "database": asyncio.to_thread(lambda: compose().database.check()),  # noqa: PLW0108 - composing may raise
        "vault": asyncio.to_thread(lambda: compose().check_secrets()),
        "azure_devops": asyncio.to_thread(lambda: compose().check_ado()),
        "model_provider": asyncio.to_thread(lambda: compose().check_models()),
    }
    states = await asyncio.gather(*(_probe(name, probe) for name, probe in probes.items()))
    _KNOWN.mode = await asyncio.to_thread(_find_mode)
    return dict(zip(probes, states, strict=True))


def _find_mode() -> str:
    try:
        return str(compose().read_switches().mode)
    except (CodeAgentError, SettingsError):
        return _UNKNOWN


async def _probe(name: str, probe: Awaitable[Any]) -> str:
    try:
        told = await asyncio.wait_for(probe, PROBE_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001 - whatever it is, the dependency is not ready
        _LOG.warning("%s is not ready: %s", name, getattr(error, "code", type(error).__name__))
        return _FAILED
    return _STALE if told == _STALE else _OK


def _answer(
    status_code: int, status: str, dependencies: dict[str, str], **more: str
) -> func.HttpResponse:
    try:
        settings = read_cached_settings()
        version, environment = settings.version, settings.environment
    except SettingsError:
        version, environment = VERSION, _UNKNOWN
    now = read_utc_clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {
        "status": status,
        "timestamp": now,
        "service": "gateway",
        "version": version,
        "environment": environment,
        "dependencies": dependencies,
        **more,
    }
    return func.HttpResponse(
        json.dumps(body),
        status_code=status_code,
        mimetype="application/json",
        headers={"Cache-Control": "no-store"},
    )
