"""The Durable extension's HTTP API, with its answers and status codes.

One handler serves both doors, as in the extension: the RPC address that
`DurableOrchestrationClient` calls, and the public `/runtime/webhooks/durabletask` that wants a
key. It turns requests into `operations` and their outcomes into responses; it never touches the
store's contents itself.
Source: https://github.com/Azure/azure-functions-durable-extension (HttpApiHandler)
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from local.functions_host.client_links import ClientLinks
from local.functions_host.history import format_time, parse_time
from local.functions_host.operations import (
    AlreadyRunningError,
    Operations,
    Outcome,
    StartRefusedError,
)
from local.functions_host.state import TERMINAL_STATUSES, Instance
from local.functions_host.status_history import describe_history


@dataclass(slots=True)
class ApiRequest:
    """What the API needs to know of an HTTP request."""

    method: str
    path: str
    """Below the API's base, without a leading slash, still percent-encoded."""
    query: Mapping[str, str]
    """Keys in lower case."""
    body: bytes
    media_type: str
    origin: str
    url: str
    continuation: str = ""


@dataclass(slots=True)
class ApiResponse:
    """An answer; a body of None is empty."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class _BadRequestError(ValueError):
    """The request cannot be understood."""


_Handler = Callable[["ManagementApi", ApiRequest, list[str]], Awaitable[ApiResponse]]


class ManagementApi:
    """Answers requests to the Durable API."""

    def __init__(self, operations: Operations, links: ClientLinks) -> None:
        self._operations = operations
        self._links = links

    async def handle(self, request: ApiRequest) -> ApiResponse:
        """Answer one request; what is wrong with it is told in the extension's JSON."""
        segments = [unquote(part) for part in request.path.strip("/").split("/")]
        handler = _ROUTES.get((request.method, segments[0].lower(), min(len(segments), 4)))
        if handler is None:
            return ApiResponse(404)
        try:
            return await handler(self, request, segments[1:])
        except _BadRequestError as error:
            return ApiResponse(400, {"Message": str(error)})
        except StartRefusedError as error:
            return ApiResponse(
                400,
                {
                    "Message": "One or more of the arguments submitted is incorrect",
                    "ExceptionMessage": str(error),
                    "ExceptionType": "System.ArgumentException",
                    "StackTrace": "",
                },
            )
        except AlreadyRunningError as error:
            return ApiResponse(409, {"Message": str(error)})

    async def _start(self, request: ApiRequest, names: list[str]) -> ApiResponse:
        body = request.body.decode("utf-8", "replace") if request.body else None
        if body is not None:
            _parse_json(body)
        instance_id = self._operations.start(
            names[0], names[1] if len(names) > 1 else None, body, request.query.get("version")
        )
        return await self._answer_started(request, instance_id)

    async def _answer_started(self, request: ApiRequest, instance_id: str) -> ApiResponse:
        timeout_s = _read_float(request, "timeout")
        interval_s = _read_float(request, "pollinginterval")
        if timeout_s is not None and interval_s is not None:
            finished = await self._wait(instance_id, timeout_s, interval_s)
            if finished is not None:
                status = 500 if finished.runtime_status == "Failed" else 200
                is_plain = finished.runtime_status == "Completed"
                return ApiResponse(
                    status, _parse(finished.output) if is_plain else _describe(finished)
                )
        links = self._links.build_management_links(instance_id, request.origin)
        return ApiResponse(
            202, links, {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        )

    async def _wait(self, instance_id: str, timeout_s: float, interval_s: float) -> Instance | None:
        deadline = time.monotonic() + timeout_s
        while True:
            instance = self._operations.mailroom.store.read_instance(instance_id)
            if instance is None or instance.is_finished:
                return instance
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return None
            await asyncio.sleep(min(interval_s, remaining_s))

    async def _get_status(self, request: ApiRequest, names: list[str]) -> ApiResponse:
        if not names[0]:
            return await self._list(request, names)
        instance = self._operations.mailroom.store.read_instance(names[0])
        if instance is None:
            return ApiResponse(404)
        body = _describe(instance, with_input=_read_bool(request, "showinput", default=True))
        if _read_bool(request, "showhistory"):
            body["historyEvents"] = describe_history(
                self._operations.read_history(names[0]),
                with_output=_read_bool(request, "showhistoryoutput"),
            )
        if not instance.is_finished:
            return ApiResponse(202, body, {"Location": request.url, "Retry-After": "5"})
        wants_error = _read_bool(request, "returninternalservererroronfailure")
        has_failed = instance.runtime_status == "Failed"
        return ApiResponse(500 if wants_error and has_failed else 200, body)

    async def _list(self, request: ApiRequest, _names: list[str]) -> ApiResponse:
        top = request.query.get("top", "")
        limit = int(top) if top.isdecimal() and int(top) > 0 else -1
        found = self._operations.mailroom.store.find_instances(
            created_from=_read_time(request, "createdtimefrom"),
            created_to=_read_time(request, "createdtimeto"),
            statuses=_read_statuses(request),
            prefix=request.query.get("instanceidprefix", ""),
            after=_decode_continuation(request.continuation),
            limit=limit,
        )
        with_input = _read_bool(request, "showinput", default=True)
        more = found[-1].instance_id if limit > 0 and len(found) == limit else ""
        token = base64.b64encode(more.encode()).decode() if more else ""
        return ApiResponse(
            200,
            [_describe(instance, with_input=with_input) for instance in found],
            {"x-ms-continuation-token": token},
        )

    async def _purge(self, request: ApiRequest, names: list[str]) -> ApiResponse:
        if not names or not names[0]:
            return await self._purge_where(request, names)
        outcome = self._operations.purge(names[0])
        if outcome is Outcome.WRONG_STATE:
            return ApiResponse(
                412,
                "Only orchestrations in a terminal state can be purged, but the orchestration "
                f"with instance ID {names[0]} has not finished",
            )
        if outcome is Outcome.NOT_FOUND:
            return ApiResponse(404)
        return ApiResponse(200, {"instancesDeleted": 1})

    async def _purge_where(self, request: ApiRequest, _names: list[str]) -> ApiResponse:
        created_from = _read_time(request, "createdtimefrom")
        if created_from is None:
            raise _BadRequestError("Please provide value for 'createdTimeFrom' parameter.")
        count = self._operations.purge_where(
            created_from, _read_time(request, "createdtimeto"), _read_statuses(request)
        )
        return ApiResponse(200, {"instancesDeleted": count}) if count else ApiResponse(404)

    async def _operate(self, request: ApiRequest, names: list[str]) -> ApiResponse:
        instance_id, operation = names[0], names[1].lower()
        reason = request.query.get("reason")
        if operation == "restart":
            with_new_id = _read_bool(request, "restartwithnewinstanceid", default=True)
            started = self._operations.restart(instance_id, with_new_id=with_new_id)
            if started is None:
                return ApiResponse(404)
            return await self._answer_restarted(request, started)
        act = {
            "terminate": self._operations.terminate,
            "suspend": self._operations.suspend,
            "resume": self._operations.resume,
            "rewind": self._operations.rewind,
        }.get(operation)
        return ApiResponse(404) if act is None else _answer(act(instance_id, reason))

    async def _answer_restarted(self, request: ApiRequest, instance_id: str) -> ApiResponse:
        return await self._answer_started(request, instance_id)

    async def _raise_event(self, request: ApiRequest, names: list[str]) -> ApiResponse:
        if names[1].lower() != "raiseevent":
            return ApiResponse(404)
        instance = self._operations.mailroom.store.read_instance(names[0])
        if instance is None:
            return ApiResponse(404)
        if instance.runtime_status in TERMINAL_STATUSES:
            return ApiResponse(410)
        if request.media_type != "application/json":
            raise _BadRequestError("Only application/json request content is supported")
        text = request.body.decode("utf-8", "replace") or "null"
        _parse_json(text)
        return _answer(self._operations.raise_event(names[0], "/".join(names[2:]), text))

    async def _get_entity(self, _request: ApiRequest, names: list[str]) -> ApiResponse:
        key = "" if names[1] == "$" else names[1]
        state = self._operations.mailroom.store.read_entity(names[0].lower(), key)
        return ApiResponse(404) if state is None else ApiResponse(200, _parse(state))

    async def _list_entities(self, request: ApiRequest, names: list[str]) -> ApiResponse:
        name = names[0].lower() if names else ""
        with_state = _read_bool(request, "fetchstate")
        found = self._operations.mailroom.store.find_entities(name)
        return ApiResponse(
            200,
            [
                {
                    "entityId": {"name": entity, "key": key},
                    "lastOperationTime": changed_at,
                    "state": _parse(state) if with_state else None,
                }
                for entity, key, state, changed_at in found
            ],
            {"x-ms-continuation-token": ""},
        )

    async def _signal_entity(self, request: ApiRequest, names: list[str]) -> ApiResponse:
        is_delete = request.method == "DELETE"
        operation = "delete" if is_delete else request.query.get("op", "")
        text: str | None = None
        if request.body:
            text = request.body.decode("utf-8", "replace")
            if request.media_type == "application/json":
                _parse_json(text)
            else:
                text = json.dumps(text)
        self._operations.signal_entity(names[0], names[1], operation, text)
        return ApiResponse(202)


_ROUTES: dict[tuple[str, str, int], _Handler] = {
    ("POST", "orchestrators", 2): ManagementApi._start,  # noqa: SLF001  (same module)
    ("POST", "orchestrators", 3): ManagementApi._start,  # noqa: SLF001
    ("GET", "instances", 1): ManagementApi._list,  # noqa: SLF001
    ("GET", "instances", 2): ManagementApi._get_status,  # noqa: SLF001
    ("DELETE", "instances", 1): ManagementApi._purge_where,  # noqa: SLF001
    ("DELETE", "instances", 2): ManagementApi._purge,  # noqa: SLF001
    ("POST", "instances", 3): ManagementApi._operate,  # noqa: SLF001
    ("POST", "instances", 4): ManagementApi._raise_event,  # noqa: SLF001
    ("GET", "entities", 1): ManagementApi._list_entities,  # noqa: SLF001
    ("GET", "entities", 2): ManagementApi._list_entities,  # noqa: SLF001
    ("GET", "entities", 3): ManagementApi._get_entity,  # noqa: SLF001
    ("POST", "entities", 3): ManagementApi._signal_entity,  # noqa: SLF001
    ("DELETE", "entities", 3): ManagementApi._signal_entity,  # noqa: SLF001
}
"""By method, first segment and number of segments (4 stands for more)."""


def build_key() -> str:
    """Make the key that the public door wants."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes).decode()


def _answer(outcome: Outcome) -> ApiResponse:
    if outcome is Outcome.WRONG_STATE:
        return ApiResponse(412, 'Only orchestrations in the "Failed" state can be rewound.')
    status = {Outcome.DONE: 202, Outcome.NOT_FOUND: 404, Outcome.FINISHED: 410}[outcome]
    return ApiResponse(status)


def _describe(instance: Instance, *, with_input: bool = True) -> dict[str, Any]:
    return {
        "name": instance.name,
        "instanceId": instance.instance_id,
        "runtimeStatus": instance.runtime_status,
        "input": _parse(instance.input) if with_input else None,
        "customStatus": _parse(instance.custom_status),
        "output": _parse(instance.output),
        "createdTime": instance.created_at[:19] + "Z",
        "lastUpdatedTime": instance.updated_at[:19] + "Z",
    }


def _parse(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _parse_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise _BadRequestError(f"Invalid JSON content: {error}") from error


def _read_bool(request: ApiRequest, name: str, *, default: bool = False) -> bool:
    text = request.query.get(name, "").lower()
    return default if text not in ("true", "false") else text == "true"


def _read_float(request: ApiRequest, name: str) -> float | None:
    try:
        return float(request.query[name])
    except (KeyError, ValueError):
        return None


def _read_time(request: ApiRequest, name: str) -> str | None:
    text = request.query.get(name)
    if not text:
        return None
    year, dash, rest = text.partition("-")
    try:  # the SDK's strftime leaves out leading zeros of early years
        return format_time(parse_time(f"{year.zfill(4)}{dash}{rest}".replace(" ", "+")))
    except (ValueError, OverflowError):
        return None  # the extension ignores what it cannot read


def _read_statuses(request: ApiRequest) -> list[str]:
    names = request.query.get("runtimestatus", "").split(",")
    return [name.strip() for name in names if name.strip()]


def _decode_continuation(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError:
        return ""
