"""The host's HTTP side: the app's functions, the Durable API's two doors, some administration.

It speaks aiohttp's low-level server, without an application's middleware. Auth levels of functions
are accepted and not enforced, as with `func start`; the public Durable door wants the host's key.
"""

import asyncio
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict

from local.functions_host.app_loader import App, Function
from local.functions_host.client_links import RPC_PATH, WEBHOOK_PATH
from local.functions_host.console import Console
from local.functions_host.courtesy import Courtesy
from local.functions_host.invocation import Invoker
from local.functions_host.management_api import ApiRequest, ApiResponse, ManagementApi
from local.functions_host.routing import Route, Router, compile_route
from local.functions_host.telemetry import HostTelemetry
from local.functions_host.timers import TimerRunner

BODY_LIMIT_BYTES = 104_857_600
"""Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger"""

HTTP_LIMIT_S = 230.0
"""Idle limit of Azure's load balancer, past which an answer is lost. Source: the same page."""

_ADMIN_PATH = "/admin/functions"


class HttpServer:
    """Listens on 127.0.0.1 and answers requests."""

    def __init__(
        self,
        app: App,
        invoker: Invoker,
        console: Console,
        courtesy: Courtesy,
        telemetry: HostTelemetry,
        *,
        route_prefix: str,
        limit_s: float,
    ) -> None:
        self._invoker = invoker
        self._console = console
        self._courtesy = courtesy
        self._telemetry = telemetry
        self._limit_s = limit_s
        self._router = Router(
            build_route(function, route_prefix) for function in app.by_trigger("httpTrigger")
        )
        self._api: ManagementApi
        self._timers: TimerRunner
        self._key = b""
        self._runner: web.ServerRunner | None = None

    @property
    def routes(self) -> list[Route[Function]]:
        """The app's routes, in order of precedence."""
        return self._router.routes

    def attach(self, api: ManagementApi, timers: TimerRunner, key: str) -> None:
        """Connect the parts that need the address of this server to exist."""
        self._api = api
        self._timers = timers
        self._key = key.encode()

    async def listen(self, port: int) -> int:
        """Open the port (0: any free one) and return it."""
        server = web.Server(
            self._answer,
            request_factory=_build_request,
            access_log=None,
            auto_decompress=False,  # the body reaches the app as it was sent, as in Azure
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port and the connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if path.startswith(RPC_PATH):
            return await self._answer_api(request, path.removeprefix(RPC_PATH))
        if path.startswith(WEBHOOK_PATH + "/"):
            if not self._has_key(request):
                return web.Response(status=401)
            return await self._answer_api(request, path.removeprefix(WEBHOOK_PATH + "/"))
        found = self._router.find(request.method, path)
        if found is not None:
            with self._courtesy.visit():
                return await self._tell_and_answer(request, *found)
        if path.startswith(_ADMIN_PATH):
            return self._administrate(request.method, path.removeprefix(_ADMIN_PATH).strip("/"))
        return web.Response(status=404)

    def _has_key(self, request: web.BaseRequest) -> bool:
        given = request.rel_url.query.get("code") or request.headers.get("x-functions-key") or ""
        return hmac.compare_digest(given.encode(), self._key)

    async def _answer_api(self, request: web.BaseRequest, path: str) -> web.Response:
        origin = f"http://{request.host}"
        asked = ApiRequest(
            method=request.method,
            path=path,
            query={key.lower(): value for key, value in parse_query(request).items()},
            body=await request.read() if request.body_exists else b"",
            media_type=request.content_type,
            origin=origin,
            url=f"{origin}{request.raw_path}",
            continuation=request.headers.get("x-ms-continuation-token", ""),
        )
        try:
            answer = await self._api.handle(asked)
        except Exception as error:  # noqa: BLE001  (a bug of the host; clients read JSON even now)
            self._console.tell_failure(f"the host failed to answer {request.rel_url}", error)
            answer = ApiResponse(500, {"Message": "Something went wrong", "Error": str(error)})
        if answer.body is None:
            return web.Response(status=answer.status, headers=answer.headers)
        return web.Response(
            status=answer.status,
            headers=answer.headers,
            text=json.dumps(answer.body),
            content_type="application/json",
        )

    async def _tell_and_answer(
        self, request: web.BaseRequest, function: Function, route_params: dict[str, str]
    ) -> web.Response:
        route = function.trigger.get("route") or function.name
        with self._telemetry.visit(
            function.name, request.method, str(route), request.headers
        ) as visit:
            answer = await self._answer_function(request, function, route_params, visit.traceparent)
            visit.status = answer.status
            return answer

    async def _answer_function(
        self,
        request: web.BaseRequest,
        function: Function,
        route_params: dict[str, str],
        traceparent: str,
    ) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        http_request = func.HttpRequest(
            method=request.method,
            url=f"http://{request.host}{request.raw_path}",
            headers=_join_headers(request.headers),
            params=parse_query(request),
            route_params=route_params,
            body=body,
        )
        call = self._invoker.call(
            function, traceparent=traceparent, **{function.trigger["name"]: http_request}
        )
        limit = asyncio.timeout(self._limit_s)
        try:
            async with limit:
                return _build_response(await call)
        except Exception as error:  # noqa: BLE001  (whatever the app raises is a 500)
            if not limit.expired():
                self._console.tell_failure(f"HTTP function {function.name} failed", error)
                return web.Response(status=500)
            self._console.say(
                f"HTTP function {function.name} did not answer within {self._limit_s:g} s: "
                "in Azure its caller would have lost the connection",
                "bad",
            )
            return web.Response(status=504)

    def _administrate(self, method: str, name: str) -> web.Response:
        """List the functions, or run a timer function now, as `func start` allows."""
        if method == "GET" and not name:
            routes = [{"name": r.target.name, "route": r.template} for r in self.routes]
            return web.json_response(routes)
        timer = next((n for n in self._timers.functions if n.casefold() == name.casefold()), None)
        if method == "POST" and timer is not None:
            self._timers.fire(timer)
            return web.Response(status=202)
        return web.Response(status=404)


def build_route(function: Function, route_prefix: str) -> Route[Function]:
    """Compile the route of an HTTP function."""
    own = function.trigger.get("route")
    path = function.name if own is None else str(own)
    return compile_route(
        f"{route_prefix}/{path.strip('/')}",
        [str(method) for method in function.trigger.get("methods") or ()],
        function,
        where=f"function {function.name!r}",
    )


def parse_query(request: web.BaseRequest) -> dict[str, str]:
    """Read the query; a name that comes twice has its values joined by commas, as in Azure."""
    values: dict[str, str] = {}
    for name, value in parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True):
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _join_headers(headers: Mapping[str, str]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def _build_request(
    message: Any, payload: Any, protocol: RequestHandler, writer: Any, task: Any
) -> web.BaseRequest:
    return web.BaseRequest(
        message,
        payload,
        protocol,
        writer,
        task,
        asyncio.get_running_loop(),
        client_max_size=BODY_LIMIT_BYTES,
    )


def _build_response(result: Any) -> web.Response:
    """Turn what a function returned into a response, as the worker and the host do."""
    if result is None:
        return web.Response(status=204)
    if isinstance(result, str):
        return web.Response(text=result)
    if not isinstance(result, func.HttpResponse):
        raise TypeError(
            f"an HTTP function must return HttpResponse or str, not {type(result).__name__}"
        )
    headers = CIMultiDict(result.headers.items())
    if "Content-Type" not in headers:
        is_text = result.mimetype.startswith("text/")
        charset = f"; charset={result.charset}" if is_text else ""
        headers["Content-Type"] = f"{result.mimetype}{charset}"
    headers.popall("Content-Length", None)
    return web.Response(status=result.status_code, headers=headers, body=result.get_body())
