"""What the Durable SDK 1.x is told and what it answers: the one module that changes for SDK 2.x.

History in, actions out, as JSON ("out-of-process schema V3"). It translates and checks shapes;
what the actions mean is decided in `replay`. It never touches the store or the network.
Source: https://github.com/Azure/azure-functions-durable-extension (OutOfProcOrchestrationShim)
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

OUT_OF_PROC_MARK = "$OutOfProcData$:"
"""Between the message of a failed orchestrator and the JSON of its state."""

CUSTOM_STATUS_LIMIT_BYTES = 16 * 1024
"""Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-custom-orchestration-status"""

_CONTEXT_CONSTANTS = (
    '"isReplaying":false,"upperSchemaVersion":1,"upperSchemaVersionNew":2,'
    '"longRunningTimerIntervalDuration":"3.00:00:00","maximumShortTimerDuration":"6.00:00:00",'
    '"defaultHttpAsyncRequestSleepTimeMillseconds":30000'  # the extension's own spelling
)


class WireError(ValueError):
    """The SDK answered something that is not the protocol."""


class ActionType(IntEnum):
    """Numbers of the actions on the wire from the SDK."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATOR = 2
    CALL_SUB_ORCHESTRATOR_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    SCHEDULED_SIGNAL_ENTITY = 10
    WHEN_ANY = 11
    WHEN_ALL = 12


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """How often and at which intervals a failed call is tried again."""

    first_interval: timedelta
    max_attempts: int
    backoff_coefficient: float = 1.0
    max_interval: timedelta = timedelta(days=365)
    timeout: timedelta | None = None

    def compute_delay(self, failed_attempts: int) -> timedelta:
        """Compute the pause after that many failed attempts (at least one)."""
        delay = self.first_interval * self.backoff_coefficient ** (failed_attempts - 1)
        return min(delay, self.max_interval)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that an orchestrator asked for; fields that do not apply are empty."""

    kind: ActionType
    name: str = ""
    """Function for calls, event for waits, operation for entities."""
    input_text: str | None = None
    """JSON text, as the SDK encoded it."""
    instance_id: str | None = None
    version: str | None = None
    fire_at: str = ""
    is_cancelled: bool = False
    http_request: dict[str, Any] | None = None
    retry: RetryOptions | None = None
    children: tuple["Action", ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of an orchestrator: everything it has asked for since its start."""

    actions: tuple[Action, ...]
    is_done: bool
    output_text: str
    custom_status_text: str | None
    error: str | None


def encode_orchestrator_input(
    played: Iterable[str],
    current: Iterable[str],
    *,
    input_text: str | None,
    instance_id: str,
    parent_instance_id: str | None,
) -> str:
    """Write the body of an orchestration trigger from events that are already encoded."""
    history = ",".join((*played, *current))
    return (
        f'{{"history":[{history}],"input":{input_text or "null"},'
        f'"instanceId":{json.dumps(instance_id)},'
        f'"parentInstanceId":{json.dumps(parent_instance_id)},{_CONTEXT_CONSTANTS}}}'
    )


def decode_turn(text: Any) -> Turn:
    """Read the answer of an orchestrator that did not raise.

    Raises:
        WireError: it is not the JSON that the SDK documents.
    """
    try:
        state = json.loads(text)
        actions = state["actions"]
        if state.get("schemaVersion", 0) not in (1, 2) or len(actions) != 1:
            raise WireError("the orchestrator answered in a replay schema this host does not know")
        custom_status = state.get("customStatus")
        return Turn(
            actions=tuple(_decode_action(action) for action in actions[0]),
            is_done=bool(state["isDone"]),
            output_text=json.dumps(state.get("output")),
            custom_status_text=None if custom_status is None else json.dumps(custom_status),
            error=state.get("error"),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, WireError):
            raise
        raise WireError(
            "the data returned by the out-of-process function execution was not valid json: "
            f"{error}"
        ) from error


def decode_failed_turn(raised: BaseException) -> Turn | None:
    """Read the state that the SDK attached to an exception; None if there is none."""
    _, mark, state = str(raised).rpartition(OUT_OF_PROC_MARK)
    return decode_turn(state) if mark else None


def check_custom_status(text: str | None) -> str | None:
    """Return what is wrong with a custom status, in the extension's words, or None."""
    size_bytes = len((text or "").encode("utf-16-le"))
    if size_bytes <= CUSTOM_STATUS_LIMIT_BYTES:
        return None
    return (
        "The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. "
        f"The current payload is at {size_bytes / 1024:.2f} KB."
    )


def encode_activity_input(input_text: str | None) -> str:
    """Write TaskScheduled.Input: an array whose one element is the JSON text for the function."""
    return json.dumps([input_text])


def decode_activity_input(scheduled_input: str) -> str:
    """Read back what the activity function is given."""
    (text,) = json.loads(scheduled_input)
    return "null" if text is None else str(text)


def encode_entity_batch(
    name: str, key: str, state_text: str | None, operations: Sequence[dict[str, Any]]
) -> str:
    """Write the body of an entity trigger; `operations` carry `name`, `input` and `isSignal`."""
    return json.dumps(
        {
            "self": {"name": name, "key": key},
            "exists": state_text is not None,
            "state": state_text,
            "batch": list(operations),
        }
    )


def decode_entity_answer(text: Any) -> dict[str, Any]:
    """Read what an entity function answered.

    Raises:
        WireError: it is not the JSON that the SDK documents.
    """
    try:
        answer = json.loads(text)
        if not isinstance(answer["results"], list):
            raise WireError("an entity answered without results")
    except (ValueError, TypeError, KeyError) as error:
        raise WireError(f"an entity answered what is not valid json: {error}") from error
    return dict(answer)


def encode_entity_response(result_text: str | None, error_type: str | None) -> str:
    """Write EventRaised.Input of a called operation.

    The SDK takes the mere presence of `exceptionType` for a failure, so success leaves it out.
    """
    response: dict[str, Any] = {"result": result_text if result_text is not None else "null"}
    if error_type is not None:
        response["exceptionType"] = error_type
    return json.dumps(response)


def _decode_action(raw: dict[str, Any]) -> Action:
    kind = ActionType(raw["actionType"])
    name = raw.get("functionName") or raw.get("externalEventName") or raw.get("operation") or ""
    return Action(
        kind=kind,
        name=str(name),
        input_text=raw.get("input"),
        instance_id=raw.get("instanceId"),
        version=raw.get("version"),
        fire_at=raw.get("fireAt", ""),
        is_cancelled=bool(raw.get("isCanceled", False)),
        http_request=raw.get("httpRequest"),
        retry=_decode_retry(raw["retryOptions"]) if raw.get("retryOptions") else None,
        children=tuple(_decode_action(child) for child in raw.get("compoundActions", ())),
    )


def _decode_retry(raw: dict[str, Any]) -> RetryOptions:
    max_interval_ms = raw.get("maxRetryIntervalInMilliseconds")
    timeout_ms = raw.get("retryTimeoutInMilliseconds")
    return RetryOptions(
        first_interval=timedelta(milliseconds=raw["firstRetryIntervalInMilliseconds"]),
        max_attempts=int(raw["maxNumberOfAttempts"]),
        backoff_coefficient=float(raw.get("backoffCoefficient", 1.0)),
        max_interval=timedelta(milliseconds=max_interval_ms)
        if max_interval_ms
        else timedelta(days=365),
        timeout=timedelta(milliseconds=timeout_ms) if timeout_ms else None,
    )


def split_entity_id(scheduler_id: str) -> tuple[str, str]:
    """Split "@name@key"."""
    name, _, key = scheduler_id.removeprefix("@").partition("@")
    return name, key
