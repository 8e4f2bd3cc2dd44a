"""What the host itself tells Application Insights: one request for each HTTP call of a function.

With `telemetryMode` OpenTelemetry the host of Azure begins a trace for each request, or goes on
with the caller's, hands it to the function, and exports the request itself. So does this one, where
a connection string is set. Nothing of a request but its route and its answer is told.
Source: https://learn.microsoft.com/azure/azure-functions/opentelemetry-howto
"""

import asyncio
import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_BATCH_S: Final = 0.2
_LIMIT_S: Final = 5.0


@dataclass(slots=True)
class Visit:
    """One request, as it is being answered."""

    trace_id: str
    parent_id: str
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    status: int = 500

    @property
    def traceparent(self) -> str:
        """What the function is given."""
        return f"00-{self.trace_id}-{self.span_id}-01"


class HostTelemetry:
    """Collects requests, and delivers them a moment later."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        told = environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "")
        parts = dict(part.partition("=")[::2] for part in told.split(";") if part)
        self._key = parts.get("InstrumentationKey", "")
        self._url = parts.get("IngestionEndpoint", "").rstrip("/")
        self._role = environment.get("WEBSITE_SITE_NAME") or "code-agent"
        self._waiting: list[dict[str, Any]] = []
        self._delivery: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is somebody to tell."""
        return bool(self._key and self._url)

    @contextlib.contextmanager
    def visit(
        self, name: str, method: str, route: str, headers: Mapping[str, str]
    ) -> Iterator[Visit]:
        """Watch one request; its status is set on what this yields."""
        given = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
        trace_id, parent_id = given.groups() if given else (secrets.token_hex(16), "")
        visit = Visit(trace_id, parent_id)
        at, began = datetime.now(UTC), time.monotonic()
        try:
            yield visit
        finally:
            if self.is_on:
                took_s = time.monotonic() - began
                self._keep(self._build(visit, name, f"{method} /{route}", at, took_s))

    async def stop(self) -> None:
        """Deliver what waits."""
        if self._delivery is not None:
            self._delivery.cancel()
        await self._deliver()

    def _keep(self, item: dict[str, Any]) -> None:
        self._waiting.append(item)
        if self._delivery is None or self._delivery.done():
            self._delivery = asyncio.create_task(self._deliver_soon())

    async def _deliver_soon(self) -> None:
        await asyncio.sleep(_BATCH_S)
        await self._deliver()

    async def _deliver(self) -> None:
        items, self._waiting = self._waiting, []
        if not items:
            return
        import aiohttp

        limit = aiohttp.ClientTimeout(total=_LIMIT_S)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(f"{self._url}/v2.1/track", json=items) as answer,
            ):
                await answer.read()

    def _build(
        self, visit: Visit, name: str, url: str, at: datetime, took_s: float
    ) -> dict[str, Any]:
        minutes, seconds = divmod(took_s, 60)
        tags = {
            "ai.operation.id": visit.trace_id,
            "ai.operation.name": name,
            "ai.cloud.role": self._role,
            "ai.internal.sdkVersion": "local-functions-host",
        }
        if visit.parent_id:
            tags["ai.operation.parentId"] = visit.parent_id
        return {
            "name": "Microsoft.ApplicationInsights.Request",
            "time": at.isoformat(),
            "iKey": self._key,
            "tags": tags,
            "data": {
                "baseType": "RequestData",
                "baseData": {
                    "ver": 2,
                    "id": visit.span_id,
                    "name": name,
                    "duration": f"00:{int(minutes):02}:{seconds:09.6f}",
                    "responseCode": str(visit.status),
                    "success": visit.status < 400,
                    "url": url,
                    "properties": {},
                },
            },
        }
