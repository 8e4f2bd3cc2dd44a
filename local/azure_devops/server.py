"""The HTTP side: who is calling, what for, what goes wrong on purpose, and the answer.

Order of a REST call: authenticate, find the operation, count it, misbehave if told so, carry it
out, answer, then hand the news to the service hooks.
"""

import asyncio
import base64
import binascii
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web

from local.azure_devops import (
    control,
    file_diffs,
    pages,
    people,
    pull_requests,
    pushes,
    repositories,
    threads,
)
from local.azure_devops.delivery import Deliverer
from local.azure_devops.errors import ServiceError, refuse_argument
from local.azure_devops.faults import FaultKind, Hold
from local.azure_devops.locations import list_locations
from local.azure_devops.organisation import Organisation
from local.azure_devops.records import Document
from local.azure_devops.routing import Answer, Call, Route, find_route
from local.azure_devops.seed import seed
from local.azure_devops.smart_http import PATH as GIT_PATH
from local.azure_devops.smart_http import serve_git

AREAS: Final = (people, repositories, file_diffs, pull_requests, pushes, threads)
"""Imported for their routes."""
READING_POSTS: Final = frozenset({"look up subjects", "get file diffs"})
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_VERSION: Final = re.compile(r"(\d+\.\d+)(?:-preview(?:\.\d+)?)?")
_NEWEST: Final = 7.2
_SIGN_IN: Final = (
    "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head>"
    "<body>Sign in to your account</body></html>"
)
_OUTAGE: Final = "<!DOCTYPE html><html><body>Our services are not available now.</body></html>"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What can be chosen about a server."""

    folder: Path
    """Where the organisation lives; seeded when it is new."""
    port: int = 0
    """0 takes any free port."""
    organisation: str = "contoso"
    time_scale: float = 1.0
    """Part of the service hooks' waiting times that is really waited."""


@contextlib.asynccontextmanager
async def serve(options: ServerOptions) -> AsyncIterator[Organisation]:
    """Serve an organisation inside the current event loop until the block is left."""
    organisation = Organisation(options.organisation, options.folder)
    if not organisation.records.all("project"):
        seed(organisation)
    server = Server(organisation, Deliverer(organisation, options.time_scale))
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    await site.start()
    port = runner.addresses[0][1]
    organisation.base_url = f"http://127.0.0.1:{port}"
    try:
        yield organisation
    finally:
        await server.close()
        await runner.cleanup()
        organisation.close()


@dataclass(frozen=True, slots=True)
class _Arrived:
    """One REST call: who asks for which operation, with what."""

    request: web.Request
    route: Route
    parts: Mapping[str, str]
    body: bytes
    user: Document


class Server:
    """Answers requests for one organisation."""

    def __init__(self, organisation: Organisation, deliverer: Deliverer) -> None:
        self._organisation = organisation
        self._deliverer = deliverer

    async def close(self) -> None:
        """Let go of what is held and stop delivering."""
        if self._organisation.hold is not None:
            self._organisation.hold.released.set()
        await self._deliverer.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request; whatever it changed is then news for the service hooks."""
        try:
            return await self._handle(request)
        except ConnectionResetError:  # whoever asked has gone, as a host that is killed does
            return _break_connection(request)
        finally:
            self._deliverer.deliver_news()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = request.rel_url.raw_path.lstrip("/")
        first, _, below = raw.partition("/")
        if first == "_standin":
            return await control.handle(self._organisation, request, below)
        is_ours = unquote(first).lower() == self._organisation.name.lower()
        if not raw or (is_ours and not below):
            return pages.show_index(self._organisation)
        if not is_ours:
            return web.Response(status=404, text="There is no such organisation.")
        page = pages.PATH.fullmatch(below)
        if page is not None:
            return await pages.handle(self._organisation, request, page)
        return await self._authenticate(request, below)

    async def _authenticate(self, request: web.Request, below: str) -> web.StreamResponse:
        user = self._organisation.find_user_by_pat(_read_pat(request.headers))
        git = GIT_PATH.fullmatch(below)
        if git is not None:
            if user is None:
                asks = {"WWW-Authenticate": 'Basic realm="Azure DevOps"'}
                return web.Response(status=401, headers=asks)
            return await serve_git(self._organisation, user, request, git)
        if request.method == "OPTIONS" and below.strip("/").lower() == "_apis":
            return web.json_response(list_locations())
        if request.method == "GET" and below.strip("/").lower() == "_apis/resourceareas":
            return web.json_response({"count": 0, "value": None})
        if user is None:
            return _ask_to_sign_in(request.method)
        return await self._call(request, below, user)

    async def _call(self, request: web.Request, below: str, user: Document) -> web.StreamResponse:
        found = find_route(request.method, below)
        if found is None:
            missing = ServiceError(
                404, "VssResourceNotFoundException", "The controller for path was not found."
            )
            return self._answer(Answer(missing.to_wire(), 404), user)
        one, parts = found
        arrived = _Arrived(request, one, parts, await request.read(), user)
        if not user["isAgent"]:
            return self._carry_out(arrived)
        is_write = request.method != "GET" and one.operation not in READING_POSTS
        self._organisation.calls.note(one.operation, is_write=is_write)
        hold = self._organisation.hold
        if hold is not None and is_write and hold.is_due():
            return await self._hold(hold, arrived)
        return await self._misbehave(arrived)

    async def _hold(self, hold: Hold, arrived: "_Arrived") -> web.StreamResponse:
        if hold.moment == "after":
            self._carry_out(arrived)
        hold.reached.set()
        await hold.released.wait()
        return _break_connection(arrived.request)

    async def _misbehave(  # noqa: PLR0911 - one way out for each kind of fault
        self, arrived: "_Arrived"
    ) -> web.StreamResponse:
        faults = self._organisation.faults
        kind = faults.choose(arrived.route.operation) if faults.rate else None
        wait = {"Retry-After": f"{faults.retry_after_s:g}"}
        match kind:
            case FaultKind.THROTTLE_429:
                refusal = ServiceError(
                    429, "RequestBlockedException", "TF400733: The request has been canceled."
                )
                return self._answer(Answer(refusal.to_wire(), 429, wait), arrived.user)
            case FaultKind.UNAVAILABLE_503:
                return web.Response(
                    status=503, headers=wait, text=_OUTAGE, content_type="text/html"
                )
            case FaultKind.RESET_BEFORE:
                return _break_connection(arrived.request)
            case FaultKind.HTML_OUTAGE:
                return web.Response(text=_OUTAGE, content_type="text/html")
            case FaultKind.SIGN_IN_203:
                return _ask_to_sign_in("GET")
            case FaultKind.DELAY:
                await asyncio.sleep(faults.delay_s)
            case FaultKind.RESET_AFTER | FaultKind.DELAYED_200 | None:
                pass
        answer = self._carry_out(arrived)
        if kind is FaultKind.RESET_AFTER:
            return _break_connection(arrived.request)
        if kind is FaultKind.DELAYED_200:
            answer.headers.update({**wait, "X-RateLimit-Delay": f"{faults.delay_s:.3f}"})
        return answer

    def _carry_out(self, arrived: "_Arrived") -> web.Response:
        try:
            call = Call(
                organisation=self._organisation,
                user=arrived.user,
                parts=arrived.parts,
                query=dict(arrived.request.query),
                body=_read_body(arrived.body),
                accept=arrived.request.headers.get("Accept", "")
                .split(";")[0]
                .split(",")[0]
                .strip(),
                api_version=_check_version(arrived.request),
            )
            result = arrived.route.handler(call)
        except ServiceError as refusal:
            result = Answer(refusal.to_wire(), refusal.status)
        answer = self._answer(
            result if isinstance(result, Answer) else Answer(result), arrived.user
        )
        self._deliverer.deliver_news()
        return answer

    def _answer(self, answer: Answer, user: Document) -> web.Response:
        headers = {
            "X-VSS-UserData": f"{user['id']}:{user['uniqueName']}",
            "X-TFS-ProcessId": self._organisation.id,
            "ActivityId": self._organisation.id,
            "X-Content-Type-Options": "nosniff",
            **answer.headers,
        }
        if isinstance(answer.body, bytes):
            return web.Response(
                body=answer.body,
                status=answer.status,
                headers=headers,
                content_type=answer.content_type,
            )
        text = "" if answer.body is None else json.dumps(answer.body)
        return web.Response(
            text=text, status=answer.status, headers=headers, content_type="application/json"
        )


def _read_pat(headers: Mapping[str, str]) -> str:
    scheme, _, rest = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[2]


def _ask_to_sign_in(method: str) -> web.Response:
    """Answer a bad credential as the service does: a page with 203, or 401 where none would do."""
    if method in ("GET", "POST", "OPTIONS", "HEAD"):
        return web.Response(status=203, text=_SIGN_IN, content_type="text/html")
    refusal = ServiceError(
        401,
        "UnauthorizedRequestException",
        "TF400813: The user '' is not authorized to access this resource.",
    )
    return web.json_response(refusal.to_wire(), status=401)


def _break_connection(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _read_body(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        raise refuse_argument("TF400898: The request body is not valid JSON.") from None


def _check_version(request: web.Request) -> str:
    version = request.query.get("api-version", "")
    if not version:
        accept = request.headers.get("Accept", "")
        match = re.search(r"api-version=([^;,\s]+)", accept)
        version = match[1] if match else ""
    if not version:
        if request.method == "GET":
            return "7.1"
        raise ServiceError(
            400,
            "VssVersionNotSpecifiedException",
            "No api-version was supplied for the request. The version must be supplied either as "
            "part of the Accept header or as a query parameter.",
        )
    match = _VERSION.fullmatch(version)
    if match is None or not 1.0 <= float(match[1]) <= _NEWEST:
        raise ServiceError(
            400,
            "VssVersionOutOfRangeException",
            f"The requested version '{version}' of the resource is out of range.",
        )
    return version
