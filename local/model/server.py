"""The HTTP side: who is calling, over which wire, what it costs, and the answer.

Order of a call: authenticate, read and refuse, look into the prompt cache, ask the brain, go wrong
where it says so, answer. What tests and demonstrations tell the stand-in is in `control`.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, cast

from aiohttp import web

from local.model import anthropic_wire, openai_wire, responses_wire
from local.model.calls import CallLog, LoggedCall
from local.model.errors import RefusalError
from local.model.exchange import Answered, Asked, answer
from local.model.openai_wire import Flavour
from local.model.prompt_cache import CacheUse, PromptCache
from local.model.script import (
    Brain,
    Fault,
    ScriptError,
    read_script,
    say_that_there_is_none,
)

MAX_BODY_BYTES: Final = 32 * 1024 * 1024
DEFAULT_KEY: Final = "local-model-key"
DEFAULT_TOKEN: Final = "local-entra-token"  # noqa: S105 - opens a stand-in on loopback


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What can be chosen about a server."""

    port: int = 0
    """0 takes any free port."""
    key: str = DEFAULT_KEY
    """The key that is accepted; Ollama's route needs none."""
    entra_token: str = DEFAULT_TOKEN
    """The token of an identity that Azure's routes accept."""
    models: frozenset[str] = frozenset()
    """Models and deployments there are; empty: any."""
    context_tokens: int = 200_000
    """A longer prompt is refused."""
    brain: Brain = say_that_there_is_none


@dataclass(slots=True)
class ModelStandIn:
    """The state of a server: freely read, changed between requests."""

    options: ModelOptions
    brain: Brain
    key: str
    calls: CallLog = field(default_factory=CallLog)
    cache: PromptCache = field(default_factory=PromptCache)
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class _Wire:
    """One wire at one route."""

    name: str
    read: Callable[[Mapping[str, Any], Mapping[str, str]], Asked]
    read_key: Callable[[Mapping[str, str]], str]
    write_whole: Callable[[Answered], dict[str, Any]]
    write_events: Callable[[Answered, bool], Iterator[bytes]]
    write_error: Callable[[RefusalError], dict[str, Any]]
    module: ModuleType
    needs_key: bool = True
    takes_token: bool = False


_ANTHROPIC: Final = _Wire(
    name="anthropic",
    read=anthropic_wire.read,
    read_key=anthropic_wire.read_key,
    write_whole=anthropic_wire.write_whole,
    write_events=lambda answered, _: anthropic_wire.write_events(answered),
    write_error=anthropic_wire.write_error,
    module=anthropic_wire,
)


def _speak_openai(flavour: Flavour) -> _Wire:
    return _Wire(
        name=str(flavour),
        read=lambda body, _: openai_wire.read(body, flavour),
        read_key=openai_wire.read_key,
        write_whole=lambda answered: openai_wire.write_whole(answered, flavour),
        write_events=lambda answered, wants: openai_wire.write_events(
            answered, flavour, wants_usage=wants
        ),
        write_error=lambda refusal: openai_wire.write_error(refusal, flavour),
        module=openai_wire,
        needs_key=flavour is not Flavour.OLLAMA,
        takes_token=flavour is Flavour.AZURE,
    )


def _speak_responses(flavour: Flavour) -> _Wire:
    return _Wire(
        name=str(flavour),
        read=lambda body, _: responses_wire.read(body),
        read_key=openai_wire.read_key,
        write_whole=responses_wire.write_whole,
        write_events=lambda answered, _: responses_wire.write_events(answered),
        write_error=lambda refusal: openai_wire.write_error(refusal, flavour),
        module=responses_wire,
        takes_token=flavour is Flavour.AZURE,
    )


@contextlib.asynccontextmanager
async def serve(options: ModelOptions) -> AsyncIterator[ModelStandIn]:
    """Serve inside the current event loop until the block is left."""
    stand_in = ModelStandIn(options, options.brain, options.key)
    server = Server(stand_in)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.add_routes(server.list_routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    stand_in.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stand_in
    finally:
        server.stopping.set()
        await runner.cleanup()


class Server:
    """Answers requests."""

    def __init__(self, stand_in: ModelStandIn) -> None:
        self.stopping = asyncio.Event()
        self._stand_in = stand_in
        self._numbers = itertools.count(1)

    def list_routes(self) -> list[web.RouteDef]:
        """Answer what is served where."""
        openai, ollama = _speak_openai(Flavour.OPENAI), _speak_openai(Flavour.OLLAMA)
        azure = _speak_openai(Flavour.AZURE)
        classic = "/openai/deployments/{deployment}/chat/completions"
        return [
            web.post("/v1/messages", self._answer_over(_ANTHROPIC)),
            web.post("/v1/chat/completions", self._answer_over(openai)),
            web.post("/v1/responses", self._answer_over(_speak_responses(Flavour.OPENAI))),
            web.post("/openai/v1/responses", self._answer_over(_speak_responses(Flavour.AZURE))),
            web.post("/ollama/v1/chat/completions", self._answer_over(ollama)),
            web.post("/openai/v1/chat/completions", self._answer_over(azure)),
            web.post(classic, self._answer_over(azure)),
            web.get("/v1/models", self._list_models),
            web.route("*", "/_standin/{name}", self._control),
        ]

    def _answer_over(self, wire: _Wire) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            logged = LoggedCall(
                wire.name,
                request.path,
                connection=_find_port(request),
                headers=sorted(request.headers),
            )
            self._stand_in.calls.add(logged)
            number = next(self._numbers)
            try:
                return await self._converse(wire, request, logged, number)
            except ScriptError as error:
                refusal = RefusalError(500, f"stand-in: {error}", type_name="api_error")
            except RefusalError as error:
                refusal = error
            logged.status = refusal.status
            refusal.headers.setdefault("request-id", f"req_{number:06d}")
            refusal.headers.setdefault("x-request-id", f"req_{number:06d}")
            told = wire.write_error(refusal)
            logged.error = str(told["error"].get("code") or told["error"].get("type"))
            return web.json_response(told, status=refusal.status, headers=refusal.headers)

        return handle

    async def _converse(
        self, wire: _Wire, request: web.Request, logged: LoggedCall, number: int
    ) -> web.StreamResponse:
        self._authenticate(wire, request, logged)
        body = await _read_body(request)
        deployment = request.match_info.get("deployment")
        if deployment is not None:
            if not request.query.get("api-version"):
                raise RefusalError(404, "Resource not found", type_name="404")
            body["model"] = deployment
        asked = wire.read(body, request.headers)
        said = asked.conversation
        logged.model, logged.streamed = said.model, asked.is_stream
        logged.tools, logged.must_call = list(said.tools), said.must_call
        logged.temperature = said.temperature
        self._check_model(said.model)
        use = self._look_up(wire, asked)
        if use.total > self._stand_in.options.context_tokens:
            raise _refuse_length(wire, use.total, self._stand_in.options.context_tokens)
        reply = await asyncio.to_thread(self._stand_in.brain, said)
        fault = reply.fault or Fault()
        if fault.status:
            await asyncio.sleep(fault.slow_s)
            raise RefusalError(
                fault.status, fault.message, type_name=fault.type, headers=fault.headers
            )
        answered = answer(asked, reply, use, number)
        logged.status = 200
        logged.tokens_in, logged.tokens_out = use.total, answered.tokens_out
        logged.tokens_cached, logged.tokens_cache_written = use.read, use.written
        if asked.is_stream:
            return await self._stream(wire, request, asked, answered, fault, logged)
        await asyncio.sleep(fault.slow_s)
        if fault.break_after_events is not None:
            return _reset(request)
        self._stand_in.cache.keep(use.entries)
        logged.finished = True
        return web.json_response(wire.write_whole(answered), headers=_name_request(number))

    def _authenticate(self, wire: _Wire, request: web.Request, logged: LoggedCall) -> None:
        told = wire.read_key(request.headers)
        accepted = {self._stand_in.key}
        if wire.takes_token:
            accepted.add(self._stand_in.options.entra_token)
        logged.key_accepted = bool(told) and told in accepted
        if not wire.needs_key or logged.key_accepted:
            return
        raise RefusalError(401, f"invalid key: {told}" if told else "no key was given")

    def _look_up(self, wire: _Wire, asked: Asked) -> CacheUse:
        cache = self._stand_in.cache
        if asked.is_marked:
            return cache.look_up_marked(asked.prompt)
        use = cache.look_up_unmarked(asked.prompt)
        return CacheUse(use.total) if wire.name == Flavour.OLLAMA else use

    def _check_model(self, model: str) -> None:
        known = self._stand_in.options.models
        if known and model not in known:
            raise RefusalError(404, f"model: {model}")

    async def _stream(
        self,
        wire: _Wire,
        request: web.Request,
        asked: Asked,
        answered: Answered,
        fault: Fault,
        logged: LoggedCall,
    ) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers=headers | _name_request(int(answered.id[-6:])))
        await response.prepare(request)
        try:
            events = list(wire.write_events(answered, asked.wants_usage))
            for sent, event in enumerate(events):
                if fault.break_after_events is not None and sent >= fault.break_after_events:
                    return await self._break_off(wire, request, response, fault)
                await asyncio.sleep(fault.slow_s)
                # before it is written: the caller may look as soon as it has it
                logged.finished = sent == len(events) - 1
                if sent == 0:
                    self._stand_in.cache.keep(answered.use.entries)
                await response.write(event)
            await response.write_eof()
        except ConnectionError:
            logged.hung_up = not logged.finished
        return response

    async def _break_off(
        self, wire: _Wire, request: web.Request, response: web.StreamResponse, fault: Fault
    ) -> web.StreamResponse:
        match fault.how:
            case "end":
                await response.write_eof()
            case "error":
                await response.write(wire.module.write_error_event(fault.type, fault.message))
                await response.write_eof()
            case "silence":
                await self._keep_silent(wire, response, fault.slow_s)
            case _:
                return _reset(request)
        return response

    async def _keep_silent(
        self, wire: _Wire, response: web.StreamResponse, ping_every_s: float
    ) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), ping_every_s or None)
            await response.write(wire.module.write_ping())

    async def _list_models(self, request: web.Request) -> web.Response:
        is_anthropic = "anthropic-version" in request.headers
        if anthropic_wire.read_key(request.headers) != self._stand_in.key:
            refusal = RefusalError(401, "no such key")
            wire = _ANTHROPIC if is_anthropic else _speak_openai(Flavour.OPENAI)
            return web.json_response(wire.write_error(refusal), status=401)
        names = sorted(self._stand_in.options.models)
        if is_anthropic:
            return web.json_response(anthropic_wire.write_models(names))
        return web.json_response(openai_wire.write_models(names))

    async def _control(self, request: web.Request) -> web.Response:
        """Serve `/_standin/script` (PUT, DELETE) and `/_standin/calls` (GET, DELETE)."""
        match (request.method, request.match_info["name"]):
            case ("PUT", "script"):
                try:
                    self._stand_in.brain = read_script(await request.json())
                except ValueError as error:
                    return web.json_response({"error": str(error)}, status=400)
            case ("DELETE", "script"):
                self._stand_in.brain = self._stand_in.options.brain
            case ("GET", "calls"):
                return web.json_response(self._stand_in.calls.to_plain())
            case ("DELETE", "calls"):
                self._stand_in.calls.clear()
                self._stand_in.cache.clear()
            case _:
                return web.json_response({"error": "no such control"}, status=404)
        return web.json_response({})


async def _read_body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise RefusalError(400, "The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise RefusalError(400, "The request body is no object.")
    return cast("dict[str, Any]", body)


def _refuse_length(wire: _Wire, tokens: int, most: int) -> RefusalError:
    if wire.name == "anthropic":
        return RefusalError(400, f"prompt is too long: {tokens} tokens > {most} maximum")
    return RefusalError(
        400,
        f"This model's maximum context length is {most} tokens. However, your messages resulted "
        f"in {tokens} tokens.",
        type_name="context_length_exceeded",
        param="messages",
    )


def _name_request(number: int) -> dict[str, str]:
    return {"request-id": f"req_{number:06d}", "x-request-id": f"req_{number:06d}"}


def _find_port(request: web.Request) -> int:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return int(peer[1]) if peer else 0


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
