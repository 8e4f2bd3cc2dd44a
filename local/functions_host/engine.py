"""Run orchestrations: take in messages, replay the orchestrator, commit what it decided as one step.

One episode at a time per instance; different instances side by side. The store is the queue: a message is
gone only in the transaction that records its consequences, so a host that dies loses nothing. What clients
ask of instances is in `operations`, what activities do in `activities`, entities in `entities`.
"""

import asyncio
import json
import time
import traceback
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.functions_host import wire
from local.functions_host.app_loader import App, Function
from local.functions_host.console import Console
from local.functions_host.history import (
    COMPLETION_ID_FIELD,
    SCHEDULING_TYPES,
    Event,
    EventType,
    build_event,
    encode_event,
    format_time,
    mark_played,
    parse_time,
)
from local.functions_host.invocation import Invoker
from local.functions_host.mailroom import Mailroom, Step, get_now
from local.functions_host.replay import HTTP_ACTIVITY, Plan, Request, RequestKind, plan_episode
from local.functions_host.state import Instance

_CACHED_HISTORIES = 500
_CONTROL_TYPES = frozenset(
    {EventType.EXECUTION_SUSPENDED, EventType.EXECUTION_RESUMED, EventType.EXECUTION_TERMINATED}
)


@dataclass(slots=True)
class _Live:
    """An instance and its history, decoded once."""

    instance: Instance
    played: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    open_ids: set[int] = field(default_factory=set)

    def append(self, events: list[Event], encoded: list[str]) -> None:
        self.played.extend(mark_played(text) for text in encoded)
        self.events.extend(events)
        for event in events:
            event_type = EventType(event["EventType"])
            if event_type in SCHEDULING_TYPES:
                self.open_ids.add(event["EventId"])
            elif event_type in COMPLETION_ID_FIELD:
                self.open_ids.discard(event[COMPLETION_ID_FIELD[event_type]])


@dataclass(slots=True)
class _Intake:
    """What an episode takes out of the inbox."""

    consumed_ids: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    is_suspended: bool = False
    is_terminated: bool = False


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an orchestration fails."""

    reason: str
    details: str
    error_type: str


@dataclass(slots=True)
class _Episode:
    """One run of an orchestrator and what came of it."""

    live: _Live
    intake: _Intake
    now: datetime
    new_events: list[Event]
    turn: wire.Turn | None = None
    plan: Plan | None = None
    failure: _Failure | None = None
    fails_at_once: bool = False


class OrchestrationRunner:
    """Runs the episodes of all instances."""

    def __init__(
        self,
        app: App,
        mailroom: Mailroom,
        invoker: Invoker,
        console: Console,
        *,
        default_version: str,
        max_concurrent: int,
    ) -> None:
        self._app = app
        self._mailroom = mailroom
        self._invoker = invoker
        self._console = console
        self._default_version = default_version
        self._slots = asyncio.Semaphore(max_concurrent)
        self._awake: dict[str, asyncio.Task[None]] = {}
        self._cache: OrderedDict[str, _Live] = OrderedDict()
        mailroom.wake_instance = self.wake

    def wake(self, instance_id: str) -> None:
        """Look into an instance's inbox soon; one that is running looks again by itself."""
        if instance_id not in self._awake:
            self._awake[instance_id] = asyncio.create_task(self._run(instance_id))

    def forget(self, instance_id: str) -> None:
        """Drop the cached history of an instance that was changed from outside."""
        self._cache.pop(instance_id, None)

    async def stop(self) -> None:
        """Stop between two steps; the messages stay in the store."""
        running = list(self._awake.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, instance_id: str) -> None:
        try:
            async with self._slots:
                while await self._run_episode(instance_id):
                    pass
        except Exception as error:  # noqa: BLE001  (a bug of the host must not leave an instance stuck)
            self._console.tell_failure(f"the host failed to run {instance_id}", error)
            self._fail_for_host_error(instance_id, error)
        finally:
            del self._awake[instance_id]

    async def _run_episode(self, instance_id: str) -> bool:
        """Run one episode; False if there was nothing to do."""
        messages = self._mailroom.store.read_messages(instance_id, time.time())
        if not messages:
            return False
        live = self._load(instance_id)
        intake = _Intake(is_suspended=live.instance.runtime_status == "Suspended") if live else None
        if live is None or intake is None or live.instance.is_finished:
            with self._mailroom.step() as step:  # whoever waited for these is gone
                step.store.delete_messages(message.id for message in messages)
            return False
        _take_in(live, messages, intake)
        if not intake.events:
            with self._mailroom.step() as step:
                step.store.delete_messages(intake.consumed_ids)
            return False
        now = _choose_time(live, intake)
        started = build_event(EventType.ORCHESTRATOR_STARTED, now)
        episode = _Episode(live, intake, now, [started, *intake.events])
        if intake.is_terminated:
            self._terminate(episode)
            return True
        if not live.events:
            self._console.tell_instance(live.instance.name, instance_id, "started")
        await self._replay(episode)
        self._commit(episode)
        return True

    def _load(self, instance_id: str) -> _Live | None:
        live = self._cache.get(instance_id)
        if live is None:
            instance = self._mailroom.store.read_instance(instance_id)
            if instance is None:
                return None
            live = _Live(instance)
            encoded = self._mailroom.store.read_history(instance_id)
            live.append([json.loads(text) for text in encoded], encoded)
            self._cache[instance_id] = live
            while len(self._cache) > _CACHED_HISTORIES:
                self._cache.popitem(last=False)
        self._cache.move_to_end(instance_id)
        return live

    async def _replay(self, episode: _Episode) -> None:
        """Let the SDK replay the orchestrator and find out what it decided."""
        instance = episode.live.instance
        function = self._app.orchestrators.get(instance.name.casefold())
        if function is None:
            message = describe_unknown(instance.name, "orchestrator", self._app.orchestrators)
            episode.failure = _Failure(message, message, "ArgumentException")
            episode.fails_at_once = True
            return
        await self._call(episode, function)
        if episode.turn is None:
            episode.fails_at_once = True
            return
        episode.plan = plan_episode(
            episode.turn.actions, [*episode.live.events, *episode.new_events]
        )
        refusal, error_type = episode.plan.mismatch, "NonDeterministicOrchestrationException"
        if refusal is None:
            refusal, error_type = (
                self._find_refusal(episode.turn, episode.plan),
                "ArgumentException",
            )
            if refusal is not None:
                refusal = f"Orchestrator function '{instance.name}' failed: {refusal}"
        if refusal is not None:
            episode.failure = _Failure(refusal, refusal, error_type)
            episode.fails_at_once = True

    async def _call(self, episode: _Episode, function: Function) -> None:
        instance = episode.live.instance
        current = [encode_event(event) for event in episode.new_events]
        body = wire.encode_orchestrator_input(
            episode.live.played,
            current,
            input_text=instance.input,
            instance_id=instance.instance_id,
            parent_instance_id=instance.parent["instance_id"] if instance.parent else None,
        )
        try:
            answer = await self._invoker.call(function, **{function.trigger["name"]: body})
            episode.turn = wire.decode_turn(answer)
        except Exception as error:  # noqa: BLE001  (whatever the app raises fails the instance)
            cause = error.__cause__ or error
            message = str(cause) or repr(cause)
            try:
                episode.turn = wire.decode_failed_turn(error)
            except wire.WireError as broken:
                message = f"{message} ({broken})"
            if episode.turn is not None and episode.turn.error:
                message = episode.turn.error
            stack = "".join(traceback.format_exception(cause))
            episode.failure = _Failure(
                f"Orchestrator function '{instance.name}' failed: {message}",
                f"Message: {message}, StackTrace: {stack}",
                type(cause).__name__,
            )

    def _find_refusal(self, turn: wire.Turn, plan: Plan) -> str | None:
        """Find what the extension refuses to do, in its words."""
        for request in plan.new:
            if request.kind is RequestKind.ACTIVITY and request.name != HTTP_ACTIVITY:
                table, kind, name = self._app.activities, "activity", request.name
            elif request.kind is RequestKind.SUB_ORCHESTRATION:
                table, kind, name = self._app.orchestrators, "orchestrator", request.name
            elif request.kind is RequestKind.ENTITY:
                name = split_entity_id(request.instance_id or "")[0]
                table, kind = self._app.entities, "entity"
            else:
                continue
            if name.casefold() not in table:
                return describe_unknown(name, kind, table)
        return wire.check_custom_status(turn.custom_status_text)

    def _commit(self, episode: _Episode) -> None:
        """Record the episode and send what it decided, in one transaction."""
        live, instance = episode.live, episode.live.instance
        plan, turn = episode.plan, episode.turn
        wants_to_end = episode.failure is not None or (turn is not None and turn.is_done)
        ends = wants_to_end and (episode.fails_at_once or plan is None or not plan.has_open_tasks)
        with self._mailroom.step() as step:
            step.store.delete_messages(episode.intake.consumed_ids)
            events = list(episode.new_events)
            if plan is not None and not episode.fails_at_once:
                events.extend(self._send_requests(step, episode, plan))
            if turn is not None and not episode.fails_at_once:
                instance.custom_status = turn.custom_status_text
            instance.runtime_status = "Suspended" if episode.intake.is_suspended else "Running"
            instance.updated_at = format_time(episode.now)
            if ends and episode.failure is None and plan and plan.continue_as_new:
                self._continue_as_new(step, episode, plan, plan.continue_as_new)
                return
            if ends:
                events.append(self._finish(step, episode))
            events.append(build_event(EventType.ORCHESTRATOR_COMPLETED, episode.now))
            self._record(step, live, events)
        self._tell(episode, events)

    def _record(self, step: Step, live: _Live, events: list[Event]) -> None:
        encoded = [encode_event(event) for event in events]
        step.store.append_history(live.instance.instance_id, len(live.events), encoded)
        step.store.write_instance(live.instance)
        live.append(events, encoded)
        if live.instance.is_finished:
            self.forget(live.instance.instance_id)

    def _send_requests(self, step: Step, episode: _Episode, plan: Plan) -> list[Event]:
        step.store.delete_timers(episode.live.instance.instance_id, plan.cancelled_timer_ids)
        senders = {
            RequestKind.ACTIVITY: self._send_activity,
            RequestKind.TIMER: self._send_timer,
            RequestKind.SUB_ORCHESTRATION: self._send_sub_orchestration,
            RequestKind.ENTITY: self._send_operation,
        }
        return [senders[request.kind](step, episode, request) for request in plan.new]

    def _send_activity(self, step: Step, episode: _Episode, request: Request) -> Event:
        task_input = wire.encode_activity_input(request.input_text)
        step.promise_task(episode.live.instance, request.id, request.name, task_input)
        return build_event(
            EventType.TASK_SCHEDULED,
            episode.now,
            request.id,
            Name=request.name,
            Version="",
            Input=task_input,
        )

    def _send_timer(self, step: Step, episode: _Episode, request: Request) -> Event:
        if not request.is_cancelled:
            fired = build_event(
                EventType.TIMER_FIRED,
                parse_time(request.fire_at),
                TimerId=request.id,
                FireAt=request.fire_at,
            )
            step.set_timer(episode.live.instance, request.id, fired)
        return build_event(EventType.TIMER_CREATED, episode.now, request.id, FireAt=request.fire_at)

    def _send_sub_orchestration(self, step: Step, episode: _Episode, request: Request) -> Event:
        parent = episode.live.instance
        child_id = request.instance_id or f"{parent.execution_id}:{request.id}"
        version = request.version if request.version is not None else self._default_version
        child_input = json.dumps(request.input_text)
        refusal = check_instance_id(child_id)
        existing = step.store.read_instance(child_id)
        if refusal is None and existing is not None and not existing.is_finished:
            refusal = (
                f"An Orchestration instance with the status {existing.runtime_status} "
                f"already exists: {child_id}"
            )
        if refusal is None:
            self.forget(child_id)
            start_instance(
                step,
                child_id,
                request.name,
                input_text=child_input,
                version=version,
                now=episode.now,
                parent={
                    "instance_id": parent.instance_id,
                    "execution_id": parent.execution_id,
                    "name": parent.name,
                    "task_id": request.id,
                },
            )
        else:
            failed = build_event(
                EventType.SUB_ORCHESTRATION_FAILED,
                episode.now,
                TaskScheduledId=request.id,
                Reason=refusal,
                Details=None,
            )
            step.send_event(parent.instance_id, failed, execution_id=parent.execution_id)
        return build_event(
            EventType.SUB_ORCHESTRATION_CREATED,
            episode.now,
            request.id,
            Name=request.name,
            Version=version,
            InstanceId=child_id,
            Input=child_input,
        )

    def _send_operation(self, step: Step, episode: _Episode, request: Request) -> Event:
        sender = episode.live.instance
        name, key = split_entity_id(request.instance_id or "")
        message = {
            "op": request.name,
            "input": json.dumps(request.input_text),
            "signal": request.call_id is None,
            "id": request.call_id or str(uuid.uuid4()),
            "parent": sender.instance_id,
            "parentExecution": sender.execution_id,
        }
        due_s = parse_time(request.fire_at).timestamp() if request.fire_at else 0.0
        step.send_operation(name, key, message, due_s)
        return build_event(
            EventType.EVENT_SENT,
            episode.now,
            request.id,
            InstanceId=request.instance_id,
            Name="op",
            Input=json.dumps(message),
        )

    def _finish(self, step: Step, episode: _Episode) -> Event:
        """Close the instance and answer whoever called it."""
        instance, failure, turn = episode.live.instance, episode.failure, episode.turn
        if failure is not None:
            instance.runtime_status = "Failed"
            instance.output = json.dumps(failure.reason)
            details: dict[str, Any] | None = {
                "ErrorType": failure.error_type,
                "ErrorMessage": failure.reason,
                "StackTrace": failure.details,
            }
            answer = {"Reason": failure.reason, "Details": failure.details}
        else:
            instance.runtime_status = "Completed"
            instance.output = turn.output_text if turn else "null"
            details = None
            answer = {"Result": instance.output}
        _answer_parent(step, instance, answer, episode.now)
        step.store.delete_execution_messages(instance.instance_id)
        return build_event(
            EventType.EXECUTION_COMPLETED,
            episode.now,
            OrchestrationStatus=instance.runtime_status,
            Result=instance.output,
            FailureDetails=details,
        )

    def _terminate(self, episode: _Episode) -> None:
        instance = episode.live.instance
        reason = episode.intake.events[-1]["Input"]
        instance.runtime_status = "Terminated"
        instance.output = json.dumps(reason)
        instance.updated_at = format_time(episode.now)
        completed = build_event(
            EventType.EXECUTION_COMPLETED,
            episode.now,
            OrchestrationStatus="Terminated",
            Result=instance.output,
            FailureDetails=None,
        )
        closing = build_event(EventType.ORCHESTRATOR_COMPLETED, episode.now)
        events = [*episode.new_events, completed, closing]
        with self._mailroom.step() as step:
            step.store.delete_messages(episode.intake.consumed_ids)
            step.store.delete_execution_messages(instance.instance_id)
            _answer_parent(step, instance, {"Reason": reason, "Details": None}, episode.now)
            self._record(step, episode.live, events)
        self._tell(episode, events)

    def _continue_as_new(
        self, step: Step, episode: _Episode, plan: Plan, action: wire.Action
    ) -> None:
        """Begin again with an empty history; events that came after the decision are carried over."""
        instance = episode.live.instance
        step.store.clear_history(instance.instance_id)
        step.store.delete_execution_messages(instance.instance_id)
        all_events = [*episode.live.events, *episode.new_events]
        instance.execution_id = uuid.uuid4().hex
        instance.input = json.dumps(action.input_text)
        step.store.write_instance(instance)
        step.send_event(
            instance.instance_id,
            _build_execution_started(instance, episode.now),
            execution_id=instance.execution_id,
            rank=0,
        )
        for event in all_events[plan.carried_from :]:
            if event["EventType"] == EventType.EVENT_RAISED:
                step.send_event(instance.instance_id, event, rank=1)
        self.forget(instance.instance_id)
        self._console.tell_instance(instance.name, instance.instance_id, "continues as new")

    def _fail_for_host_error(self, instance_id: str, error: Exception) -> None:
        self.forget(instance_id)
        live = self._load(instance_id)
        if live is None or live.instance.is_finished:
            return
        messages = self._mailroom.store.read_messages(instance_id, time.time())
        reason = f"the functions host failed: {type(error).__name__}: {error}"
        stack = "".join(traceback.format_exception(error))
        episode = _Episode(live, _Intake([message.id for message in messages]), get_now(), [])
        episode.failure = _Failure(reason, stack, type(error).__name__)
        episode.fails_at_once = True
        self._commit(episode)

    def _tell(self, episode: _Episode, events: list[Event]) -> None:
        instance = episode.live.instance
        self._console.tell_history(instance.instance_id, (encode_event(e) for e in events))
        if not instance.is_finished:
            return
        took_s = (episode.now - parse_time(instance.created_at)).total_seconds()
        if instance.runtime_status == "Completed":
            what, tone = f"completed in {took_s:.1f} s", "good"
        elif episode.failure is not None:
            what, tone = f"failed: {episode.failure.details}", "bad"
        else:
            what, tone = f"terminated: {instance.output}", "info"
        self._console.tell_instance(instance.name, instance.instance_id, what, tone)


def start_instance(  # noqa: PLR0913  (an instance has that many facts)
    step: Step,
    instance_id: str,
    name: str,
    *,
    input_text: str | None,
    version: str,
    now: datetime,
    parent: dict[str, Any] | None = None,
) -> Instance:
    """Create an instance in place of a finished one, if any, and send it its first event."""
    at = format_time(now)
    instance = Instance(
        instance_id=instance_id,
        execution_id=uuid.uuid4().hex,
        name=name,
        version=version,
        runtime_status="Pending",
        input=input_text,
        output=None,
        custom_status=None,
        created_at=at,
        updated_at=at,
        parent=parent,
    )
    step.store.delete_instance(instance_id)
    step.store.write_instance(instance)
    step.send_event(
        instance_id,
        _build_execution_started(instance, now),
        execution_id=instance.execution_id,
        rank=0,
    )
    return instance


def check_instance_id(instance_id: str) -> str | None:
    """Return why an instance id is refused, or None.

    Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-instance-management
    """
    if not 1 <= len(instance_id) <= 256:
        return "Instance IDs must be between 1 and 256 characters."
    if instance_id.startswith("@"):
        return "Orchestration instance ids must not start with @."
    if any(char in "/\\#?" or ord(char) < 32 or 127 <= ord(char) < 160 for char in instance_id):
        return "Instance IDs must not contain /, \\, #, ? or control characters."
    return None


def describe_unknown(name: str, kind: str, table: dict[str, Function]) -> str:
    """Say that a function does not exist, in the extension's words."""
    known = "', '".join(function.durable_name for function in table.values())
    plural = "entities" if kind == "entity" else f"{kind} functions"
    article = "a" if kind[0] not in "aeiou" else "an"
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not {article} {kind} function. "
        "Additional info: "
        + (
            f"The following are the known {plural}: '{known}'."
            if known
            else f"No {plural} are currently registered!"
        )
    )


def split_entity_id(scheduler_id: str) -> tuple[str, str]:
    """Split "@name@key"."""
    name, _, key = scheduler_id.removeprefix("@").partition("@")
    return name, key


def _build_execution_started(instance: Instance, now: datetime) -> Event:
    parent = instance.parent
    return build_event(
        EventType.EXECUTION_STARTED,
        now,
        OrchestrationInstance={
            "InstanceId": instance.instance_id,
            "ExecutionId": instance.execution_id,
        },
        ParentInstance={
            "Name": parent["name"],
            "OrchestrationInstance": {
                "InstanceId": parent["instance_id"],
                "ExecutionId": parent["execution_id"],
            },
            "TaskScheduleId": parent["task_id"],
        }
        if parent
        else None,
        Name=instance.name,
        Version=instance.version,
        Input=instance.input,
        Tags=None,
    )


def _answer_parent(step: Step, instance: Instance, answer: dict[str, Any], now: datetime) -> None:
    if instance.parent is None:
        return
    event_type = (
        EventType.SUB_ORCHESTRATION_COMPLETED
        if "Result" in answer
        else EventType.SUB_ORCHESTRATION_FAILED
    )
    event = build_event(event_type, now, TaskScheduledId=instance.parent["task_id"], **answer)
    step.send_event(
        instance.parent["instance_id"], event, execution_id=instance.parent["execution_id"]
    )


def _take_in(live: _Live, messages: list[Any], intake: _Intake) -> None:
    """Sort an inbox: what is for another execution goes, what must wait for a resume stays."""
    held: list[tuple[int, Event]] = []
    for message in messages:
        event = json.loads(message.event)
        event_type = EventType(event["EventType"])
        if not _is_wanted(live, message, event, event_type):
            intake.consumed_ids.append(message.id)
            continue
        if intake.is_suspended and event_type not in _CONTROL_TYPES:
            held.append((message.id, event))
            continue
        intake.consumed_ids.append(message.id)
        intake.events.append(event)
        if event_type is EventType.EXECUTION_TERMINATED:
            intake.is_terminated = True
            return
        if event_type is EventType.EXECUTION_SUSPENDED:
            intake.is_suspended = True
        elif event_type is EventType.EXECUTION_RESUMED:
            intake.is_suspended = False
            intake.consumed_ids.extend(message_id for message_id, _ in held)
            intake.events.extend(event for _, event in held)
            held = []


def _is_wanted(live: _Live, message: Any, event: Event, event_type: EventType) -> bool:
    if message.execution_id not in (None, live.instance.execution_id):
        return False
    if event_type is EventType.EXECUTION_STARTED:
        return not live.events
    if event_type in COMPLETION_ID_FIELD:
        return event[COMPLETION_ID_FIELD[event_type]] in live.open_ids
    return True


def _choose_time(live: _Live, intake: _Intake) -> datetime:
    """Choose the episode's time: now, but never before an earlier one or a timer that fired."""
    now = get_now()
    if live.events:
        now = max(now, parse_time(live.events[-1]["Timestamp"]))
    for event in intake.events:
        if event["EventType"] == EventType.TIMER_FIRED:
            now = max(now, parse_time(event["FireAt"]))
    return now
