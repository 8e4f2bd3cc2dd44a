"""From the actions an orchestrator has asked for and its history, find what is to be done now.

The SDK answers each episode with everything it has asked for since the start, without numbers.
This module walks those actions beside the history, numbers them in the order in which the SDK
numbered them, compares them with what the history recorded (non-determinism) and returns the rest
as requests. Pure: no I/O, no clock.

Two rules are worth knowing. A later action stands in the list only because the SDK went past the
earlier ones, so the list itself proves progress. And the id of a repeated attempt (a retry, its
timer) is taken at the moment of the failure, so the walk must see events and actions in their true
order; where both could take an id, the history says which of them did.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from typing_extensions import override

from local.functions_host.history import (
    COMPLETION_ID_FIELD,
    FAILURE_TYPES,
    SCHEDULING_TYPES,
    Event,
    EventType,
    format_time,
    parse_time,
)
from local.functions_host.wire import Action, ActionType

HTTP_ACTIVITY = "BuiltIn::HttpActivity"
"""The extension's reserved name of the activity behind `call_http`."""


class RequestKind(Enum):
    """What a request becomes; the value is the event type that records it."""

    ACTIVITY = EventType.TASK_SCHEDULED
    TIMER = EventType.TIMER_CREATED
    SUB_ORCHESTRATION = EventType.SUB_ORCHESTRATION_CREATED
    ENTITY = EventType.EVENT_SENT


_DTFX_NAMES = {
    RequestKind.ACTIVITY: ("an activity task", "ScheduleTaskOrchestratorAction"),
    RequestKind.TIMER: ("a timer task", "CreateTimerOrchestratorAction"),
    RequestKind.SUB_ORCHESTRATION: (
        "a sub orchestration task",
        "CreateSubOrchestrationAction",
    ),
    RequestKind.ENTITY: ("a send event task", "SendEventOrchestratorAction"),
}


@dataclass(slots=True)
class Request:
    """One numbered decision of the orchestrator."""

    id: int
    kind: RequestKind
    name: str = ""
    input_text: str | None = None
    instance_id: str | None = None
    version: str | None = None
    fire_at: str = ""
    is_cancelled: bool = False
    call_id: str | None = None
    """For a called entity: the name of the event that will bring its answer."""
    is_open: bool = True


@dataclass(slots=True)
class Plan:
    """What an episode decided."""

    new: list[Request]
    """Requests that the history does not know yet, in order of their ids."""
    cancelled_timer_ids: list[int]
    has_open_tasks: bool
    """Activities, sub-orchestrations and live timers still to come; they are waited for."""
    continue_as_new: Action | None
    carried_from: int
    """Index of the first event that came after the wish to continue as new."""
    mismatch: str | None
    """How this replay differs from the history, in the words of the Durable Task Framework."""


@dataclass(slots=True, eq=False)
class _Node:
    """An action on the way to being settled, as the SDK sees it."""

    parent: "_Node | None"
    is_settled: bool = False

    def on_child_settled(self, *, failed: bool) -> None:
        raise NotImplementedError

    def settle(self, *, failed: bool) -> None:
        if self.is_settled:
            return
        self.is_settled = True
        if self.parent is not None:
            self.parent.on_child_settled(failed=failed)


@dataclass(slots=True, eq=False)
class _All(_Node):
    pending: int = 0

    @override
    def on_child_settled(self, *, failed: bool) -> None:
        self.pending -= 1
        if failed or self.pending <= 0:  # the SDK fails with the first failure
            self.settle(failed=failed)


@dataclass(slots=True, eq=False)
class _AnyOf(_Node):
    @override
    def on_child_settled(self, *, failed: bool) -> None:
        self.settle(failed=False)


@dataclass(slots=True, eq=False)
class _Retry(_Node):
    action: Action | None = None
    replay: "_Replay | None" = None
    attempts: int = 1
    is_waiting: bool = False

    @override
    def on_child_settled(self, *, failed: bool) -> None:
        assert self.action is not None  # noqa: S101  (set by the only constructor call)
        assert self.replay is not None  # noqa: S101
        assert self.action.retry is not None  # noqa: S101
        if self.is_waiting:
            # The framework waits once more after the last attempt, and the SDK counts on it.
            self.is_waiting = False
            if self.attempts >= self.action.retry.max_attempts:
                self.settle(failed=True)
            else:
                self.attempts += 1
                self.replay.start_attempt(self.action, self)
        elif not failed:
            self.settle(failed=False)
        else:
            self.is_waiting = True
            self.replay.start_retry_timer(self.action.retry.compute_delay(self.attempts), self)


@dataclass(slots=True)
class _Replay:
    actions: Sequence[Action]
    recorded: dict[int, Event]
    position: int = 0
    current: _Node | None = None
    now: datetime | None = None
    event_index: int = 0
    continue_as_new: Action | None = None
    carried_from: int = 0
    requests: list[Request] = field(default_factory=list)
    nodes: dict[int, _Node] = field(default_factory=dict)
    calls: dict[str, _Node] = field(default_factory=dict)
    waiters: dict[str, list[_Node]] = field(default_factory=dict)
    early_events: set[str] = field(default_factory=set)

    def run(self, events: Sequence[Event]) -> None:
        for index, event in enumerate(events):
            self.event_index = index
            self._apply(event)
            self._advance()
        self.event_index = len(events)
        while self.position < len(self.actions):  # the SDK went past all of them
            self._start_next()
        self._close_answered(events)

    def _close_answered(self, events: Sequence[Event]) -> None:
        """Close what was answered before the walk came to it.

        The SDK lists a task once, however often it is waited for: a group may have been settled by
        a task that it does not show, and the walk then stays at it for too long.
        """
        for event in events:
            field_name = COMPLETION_ID_FIELD.get(EventType(event["EventType"]))
            if field_name is not None and event[field_name] < len(self.requests):
                self.requests[event[field_name]].is_open = False

    def _apply(self, event: Event) -> None:
        event_type = EventType(event["EventType"])
        if event_type is EventType.ORCHESTRATOR_STARTED:
            self.now = parse_time(event["Timestamp"])
        elif event_type in COMPLETION_ID_FIELD:
            request_id = event[COMPLETION_ID_FIELD[event_type]]
            node = self.nodes.pop(request_id, None)
            if node is not None:
                self.requests[request_id].is_open = False
                node.settle(failed=event_type in FAILURE_TYPES)
        elif event_type is EventType.EVENT_RAISED:
            self._raise_event(event["Name"])

    def _raise_event(self, name: str) -> None:
        if (call := self.calls.pop(name, None)) is not None:
            call.settle(failed=False)
        elif stack := self.waiters.get(name):
            stack.pop().settle(failed=False)  # last in, first out, as in the SDK
        else:
            self.early_events.add(name)

    def _advance(self) -> None:
        while self.position < len(self.actions) and (
            self.current is None or self.current.is_settled
        ):
            if not self._is_next_in_turn():
                return
            self._start_next()

    def _is_next_in_turn(self) -> bool:
        """Tell whether the next action may take the next id, or the history gave it to another."""
        recorded = self.recorded.get(len(self.requests))
        if recorded is None:
            return True
        leaf = _first_numbered(self.actions[self.position])
        return leaf is None or _may_have_recorded(leaf, recorded)

    def _start_next(self) -> None:
        action = self.actions[self.position]
        self.position += 1
        node = self._start(action, None)
        self.current = node

    def _start(self, action: Action, parent: _Node | None) -> _Node:
        if action.kind in (ActionType.WHEN_ALL, ActionType.WHEN_ANY):
            group: _Node = (
                _All(parent, pending=len(action.children))
                if action.kind is ActionType.WHEN_ALL
                else _AnyOf(parent)
            )
            for child in action.children:
                self._start(child, group)
            if not action.children:
                group.settle(failed=False)
            return group
        if action.retry is not None:
            retry = _Retry(parent, action=action, replay=self)
            self.start_attempt(action, retry)
            return retry
        return _STARTERS[action.kind](self, action, parent)

    def start_attempt(self, action: Action, parent: _Node | None) -> _Node:
        """Take an id for a call of an activity or of a sub-orchestrator."""
        if action.kind in (ActionType.CALL_ACTIVITY, ActionType.CALL_ACTIVITY_WITH_RETRY):
            return self._number(
                parent,
                kind=RequestKind.ACTIVITY,
                name=action.name,
                input_text=action.input_text,
            )
        return self._number(
            parent,
            kind=RequestKind.SUB_ORCHESTRATION,
            name=action.name,
            input_text=action.input_text,
            instance_id=action.instance_id,
            version=action.version,
        )

    def start_retry_timer(self, delay: Any, parent: _Node) -> None:
        """Take an id for the pause before the next attempt."""
        assert self.now is not None  # noqa: S101  (every episode begins with OrchestratorStarted)
        recorded = self.recorded.get(len(self.requests))
        while (
            recorded is not None
            and recorded["EventType"] != EventType.TIMER_CREATED
            and self.position < len(self.actions)
            and self._is_next_in_turn()
        ):
            self._start_next()  # the history says that this action came first
            recorded = self.recorded.get(len(self.requests))
        self._number(parent, kind=RequestKind.TIMER, fire_at=format_time(self.now + delay))

    def _start_timer(self, action: Action, parent: _Node | None) -> _Node:
        return self._number(
            parent,
            kind=RequestKind.TIMER,
            fire_at=action.fire_at,
            is_cancelled=action.is_cancelled,
        )

    def _start_http(self, action: Action, parent: _Node | None) -> _Node:
        return self._number(
            parent,
            kind=RequestKind.ACTIVITY,
            name=HTTP_ACTIVITY,
            input_text=json.dumps(action.http_request),
        )

    def _start_wait(self, action: Action, parent: _Node | None) -> _Node:
        node = _Leaf(parent)
        if action.name in self.early_events:
            node.settle(failed=False)  # the SDK gives the last early event to every later wait
        else:
            self.waiters.setdefault(action.name, []).append(node)
        return node

    def _start_entity(self, action: Action, parent: _Node | None) -> _Node:
        recorded = self.recorded.get(len(self.requests))
        is_signal = action.kind is not ActionType.CALL_ENTITY
        call_id = None if is_signal else _read_call_id(recorded) or str(uuid.uuid4())
        node = self._number(
            parent,
            kind=RequestKind.ENTITY,
            name=action.name,
            input_text=action.input_text,
            instance_id=action.instance_id,
            fire_at=action.fire_at,
            call_id=call_id,
        )
        self.requests[-1].is_open = False  # the framework does not wait for messages
        if call_id is None:
            node.settle(failed=False)
        else:
            self.calls[call_id] = node
        return node

    def _start_continue_as_new(self, action: Action, parent: _Node | None) -> _Node:
        self.continue_as_new = action
        self.carried_from = self.event_index + 1
        node = _Leaf(parent)
        node.settle(failed=False)
        return node

    def _number(self, parent: _Node | None, **fields: Any) -> _Node:
        request = Request(id=len(self.requests), **fields)
        node = _Leaf(parent)
        self.requests.append(request)
        self.nodes[request.id] = node
        return node


class _Leaf(_Node):
    __slots__ = ()

    @override
    def on_child_settled(self, *, failed: bool) -> None:
        raise AssertionError(f"a leaf has no children (failed={failed})")


_Starter = Callable[[_Replay, Action, "_Node | None"], _Node]
_STARTERS: dict[ActionType, _Starter] = {
    ActionType.CALL_ACTIVITY: _Replay.start_attempt,
    ActionType.CALL_SUB_ORCHESTRATOR: _Replay.start_attempt,
    ActionType.CREATE_TIMER: _Replay._start_timer,  # noqa: SLF001  (same module)
    ActionType.WAIT_FOR_EXTERNAL_EVENT: _Replay._start_wait,  # noqa: SLF001
    ActionType.CALL_ENTITY: _Replay._start_entity,  # noqa: SLF001
    ActionType.SIGNAL_ENTITY: _Replay._start_entity,  # noqa: SLF001
    ActionType.SCHEDULED_SIGNAL_ENTITY: _Replay._start_entity,  # noqa: SLF001
    ActionType.CALL_HTTP: _Replay._start_http,  # noqa: SLF001
    ActionType.CONTINUE_AS_NEW: _Replay._start_continue_as_new,  # noqa: SLF001
}


def plan_episode(actions: Sequence[Action], events: Sequence[Event]) -> Plan:
    """Compare the actions with the whole history, this episode's new events included."""
    recorded = {
        event["EventId"]: event for event in events if event["EventType"] in SCHEDULING_TYPES
    }
    replay = _Replay(actions, recorded)
    replay.run(events)
    requests = replay.requests
    return Plan(
        new=[request for request in requests if request.id not in recorded],
        cancelled_timer_ids=[request.id for request in requests if request.is_cancelled],
        has_open_tasks=any(r.is_open and not r.is_cancelled for r in requests),
        continue_as_new=replay.continue_as_new,
        carried_from=replay.carried_from,
        mismatch=_find_mismatch(requests, recorded),
    )


def _first_numbered(action: Action) -> Action | None:
    """Find the first action, depth first, that takes an id."""
    if action.children:
        return next((leaf for child in action.children if (leaf := _first_numbered(child))), None)
    if action.kind in (ActionType.WAIT_FOR_EXTERNAL_EVENT, ActionType.CONTINUE_AS_NEW):
        return None
    return None if action.kind in (ActionType.WHEN_ALL, ActionType.WHEN_ANY) else action


_KIND_OF_ACTION = {
    ActionType.CALL_ACTIVITY: EventType.TASK_SCHEDULED,
    ActionType.CALL_ACTIVITY_WITH_RETRY: EventType.TASK_SCHEDULED,
    ActionType.CALL_HTTP: EventType.TASK_SCHEDULED,
    ActionType.CALL_SUB_ORCHESTRATOR: EventType.SUB_ORCHESTRATION_CREATED,
    ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY: EventType.SUB_ORCHESTRATION_CREATED,
    ActionType.CREATE_TIMER: EventType.TIMER_CREATED,
    ActionType.CALL_ENTITY: EventType.EVENT_SENT,
    ActionType.SIGNAL_ENTITY: EventType.EVENT_SENT,
    ActionType.SCHEDULED_SIGNAL_ENTITY: EventType.EVENT_SENT,
}


def _may_have_recorded(action: Action, recorded: Event) -> bool:
    event_type = _KIND_OF_ACTION[action.kind]
    if recorded["EventType"] != event_type:
        return False
    if event_type is EventType.TIMER_CREATED:
        return bool(recorded["FireAt"] == action.fire_at)
    if event_type is EventType.EVENT_SENT or action.kind is ActionType.CALL_HTTP:
        return True
    return str(recorded["Name"]).casefold() == action.name.casefold()


def _read_call_id(recorded: Event | None) -> str | None:
    if recorded is None or recorded["EventType"] != EventType.EVENT_SENT:
        return None
    call_id: str | None = json.loads(recorded["Input"]).get("id")
    return call_id


def _find_mismatch(requests: Sequence[Request], recorded: dict[int, Event]) -> str | None:
    for request_id, event in sorted(recorded.items()):
        expected = RequestKind(EventType(event["EventType"]))
        what, _ = _DTFX_NAMES[expected]
        name = event.get("Name") or ""
        if request_id >= len(requests):
            return _describe_mismatch(
                f"scheduled {what} with sequence ID {request_id} and name '{name}' (version ''), "
                "but the current replay execution hasn't (yet?) scheduled this task."
            )
        request = requests[request_id]
        if request.kind is not expected:
            return _describe_mismatch(
                f"scheduled {what} with sequence number {request_id} named '{name}', but the "
                f"current orchestration replay instead produced a {_DTFX_NAMES[request.kind][1]} "
                "action with this sequence number."
            )
        compares_names = expected in (RequestKind.ACTIVITY, RequestKind.SUB_ORCHESTRATION)
        if compares_names and name.casefold() != request.name.casefold():
            return _describe_mismatch(
                f"scheduled {what} with sequence number {request_id} named '{name}', but the "
                f"current orchestration replay instead scheduled {what} named '{request.name}' "
                "with this same sequence number."
            )
    return None


def _describe_mismatch(difference: str) -> str:
    return (
        "Non-Deterministic workflow detected: A previous execution of this orchestration "
        f"{difference} Was a change made to the orchestrator code after this instance had "
        "already started running?"
    )
