"""The ingestion endpoint over HTTP, or https where a token is asked for, and the controls.

POST  /v2.1/track, /v2/track     items: an array or one to a line, gzip or plain
POST  /QuickPulseService.svc/…   live metrics: nobody watches, so nothing is sent
GET, PUT, DELETE  /_standin/faults   {"status": 429, "retry_after_s": 1} | {"away": true} | …
GET, DELETE       /_standin/rows     what was collected, by table
GET               /_standin/calls    the log of requests

Statuses of a fault that the exporters know: 402, 429 and 439 (quota, throttled, out of the daily
quota), 500, 503.
Source: https://github.com/microsoft/ApplicationInsights-Home/tree/main/EndpointSpecs
"""

import asyncio
import contextlib
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from local.app_insights.collected import Collected
from local.app_insights.envelopes import ItemError, Row, read_item

DEFAULT_KEY: Final = "00000000-0000-4000-8000-0000000051e5"
MAX_BODY_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with every delivery until it is changed."""

    status: int = 0
    """Answer this to every delivery; 0: what it deserves."""
    retry_after_s: float = 0.0
    reject_every: int = 0
    """Refuse every n-th item of a delivery (206); 0: none but the bad."""
    slow_s: float = 0.0
    """Seconds before each answer."""
    away: bool = False
    """Connections are broken off."""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A delivery that was answered, or broken off (status 0)."""

    path: str
    status: int
    received: int = 0
    accepted: int = 0
    errors: tuple[str, ...] = ()
    has_token: bool = False


@dataclass(frozen=True, slots=True)
class InsightsOptions:
    """What can be chosen about a server."""

    port: int = 0
    """0 takes any free port."""
    key: str = DEFAULT_KEY
    folder: Path | None = None
    """Where the rows are kept beyond the run; None: in memory."""
    tls_folder: Path | None = None
    """Serve over https, with a certificate made there: exporters send tokens over nothing else."""
    needs_token: bool = False
    """Local authentication is off: only who brings a token may deliver."""


@dataclass(slots=True)
class InsightsStandIn:
    """The state of a server: freely read, changed between deliveries."""

    options: InsightsOptions
    collected: Collected
    faults: Faults = field(default_factory=Faults)
    calls: list[LoggedCall] = field(default_factory=list)
    url: str = ""

    @property
    def connection_string(self) -> str:
        """What exporters are given to find it."""
        return (
            f"InstrumentationKey={self.options.key};"
            f"IngestionEndpoint={self.url}/;LiveEndpoint={self.url}/"
        )

    def rows(self, table: str, name: str | None = None) -> list[Row]:
        """Answer the rows of a table, or those of one name."""
        found = self.collected.rows(table)
        return found if name is None else [row for row in found if row.get("name") == name]


@contextlib.asynccontextmanager
async def serve(options: InsightsOptions) -> AsyncIterator[InsightsStandIn]:
    """Serve inside the current event loop until the block is left."""
    stand_in = InsightsStandIn(options, Collected(options.folder))
    server = _Server(stand_in)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    # connection strings end with a slash, and exporters add another
    app.router.add_post(r"/{_:/?}{version:v2(\.1)?}/track", server.take)
    app.router.add_post("/QuickPulseService.svc/{what}", server.be_quiet)
    app.router.add_route("*", "/_standin/{name}", server.control)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    context = None
    if options.tls_folder is not None:
        from local.key_vault.certificate import make_certificate, open_context

        context = open_context(make_certificate(options.tls_folder))
    try:
        await web.TCPSite(runner, "127.0.0.1", options.port, ssl_context=context).start()
        scheme, host = ("https", "localhost") if context else ("http", "127.0.0.1")
        stand_in.url = f"{scheme}://{host}:{runner.addresses[0][1]}"
        yield stand_in
    finally:
        for connection in runner.server.connections if runner.server else []:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()


class _Server:
    def __init__(self, stand_in: InsightsStandIn) -> None:
        self._stand_in = stand_in

    async def take(self, request: web.Request) -> web.StreamResponse:
        stand_in = self._stand_in
        faults = stand_in.faults
        await asyncio.sleep(faults.slow_s)
        has_token = request.headers.get("Authorization", "").startswith("Bearer ")
        if faults.away:
            stand_in.calls.append(LoggedCall(request.path, 0, has_token=has_token))
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if faults.status:
            headers = {"Retry-After": f"{faults.retry_after_s:g}"} if faults.retry_after_s else {}
            stand_in.calls.append(LoggedCall(request.path, faults.status, has_token=has_token))
            return web.json_response(_tell(0, 0, []), status=faults.status, headers=headers)
        if stand_in.options.needs_token and not has_token:
            return self._refuse(request, 401, "Authentication required")
        try:
            items = _read_items(await request.read(), request.headers)
        except ValueError as error:
            return self._refuse(request, 400, str(error))
        errors = self._keep(items)
        accepted = len(items) - len(errors)
        status = 200 if not errors else 206 if accepted else 400
        messages = tuple(str(error["message"]) for error in errors)
        stand_in.calls.append(
            LoggedCall(request.path, status, len(items), accepted, messages, has_token)
        )
        return web.json_response(_tell(len(items), accepted, errors), status=status)

    async def be_quiet(self, _: web.Request) -> web.Response:
        return web.json_response({}, headers={"x-ms-qps-subscribed": "false"})

    async def control(self, request: web.Request) -> web.Response:
        stand_in = self._stand_in
        match (request.method, request.match_info["name"]):
            case ("GET", "faults"):
                return web.json_response(asdict(stand_in.faults))
            case ("PUT", "faults"):
                try:
                    stand_in.faults = replace(Faults(), **await request.json())
                except (ValueError, TypeError) as error:
                    return web.json_response({"error": str(error)}, status=400)
            case ("DELETE", "faults"):
                stand_in.faults = Faults()
            case ("GET", "rows"):
                return web.json_response(stand_in.collected.all_rows())
            case ("DELETE", "rows"):
                stand_in.collected.clear()
            case ("GET", "calls"):
                return web.json_response([asdict(call) for call in stand_in.calls])
            case _:
                return web.json_response({"error": "no such control"}, status=404)
        return web.json_response({})

    def _refuse(self, request: web.Request, status: int, message: str) -> web.Response:
        self._stand_in.calls.append(LoggedCall(request.path, status, errors=(message,)))
        return web.json_response(_tell(0, 0, [_describe(0, status, message)]), status=status)

    def _keep(self, items: list[Any]) -> list[dict[str, Any]]:
        stand_in, now = self._stand_in, datetime.now(UTC)
        taken: list[tuple[str, Row]] = []
        errors = []
        every = stand_in.faults.reject_every
        for index, item in enumerate(items):
            if every and (index + 1) % every == 0:
                errors.append(_describe(index, 500, "Internal server error"))
                continue
            try:
                read = read_item(item, key=stand_in.options.key, now=now)
            except ItemError as error:
                errors.append(_describe(index, 400, str(error)))
            else:
                taken.extend([read] if read else [])
        stand_in.collected.add(taken)
        return errors


def _read_items(body: bytes, headers: Any) -> list[Any]:
    """Read a delivery; aiohttp has unpacked what `Content-Encoding` says already.

    Raises:
        ValueError: it is neither a JSON array nor one JSON object to a line.
    """
    if body[:2] == b"\x1f\x8b":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            raise ValueError("Invalid gzip") from None
    text = body.decode("utf-8", "replace").strip()
    if not text:
        raise ValueError("No telemetry items")
    try:
        if text.startswith("["):
            read = json.loads(text)
            return list(read)
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        raise ValueError(f"Invalid JSON ({headers.get('Content-Type', '')})") from None


def _describe(index: int, status: int, message: str) -> dict[str, Any]:
    return {"index": index, "statusCode": status, "message": message}


def _tell(received: int, accepted: int, errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {"itemsReceived": received, "itemsAccepted": accepted, "errors": errors, "appId": None}
