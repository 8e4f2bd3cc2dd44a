"""Run orchestrations: take in messages, replay the orchestrator, commit what it decided.

One episode at a time per instance; different instances side by side. The store is the queue: a
message is gone only in the transaction that records its consequences, so a host that dies loses
nothing. What clients ask of instances is in `operations`, what activities do in `activities`,
entities in `entities`.
"""

import asyncio
import json
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.functions_host import wire
from local.functions_host.app_loader import App, Function, describe_unknown
from local.functions_host.console import Console, format_stack
from local.functions_host.courtesy import Courtesy
from local.functions_host.history import (
    Event,
    EventType,
    build_event,
    encode_event,
    format_time,
    parse_time,
)
from local.functions_host.instances import answer_parent, build_execution_started
from local.functions_host.intake import Intake, Live, choose_time, take_in
from local.functions_host.invocation import Invoker
from local.functions_host.mailroom import Mailroom, Step, get_now
from local.functions_host.replay import HTTP_ACTIVITY, Plan, RequestKind, plan_episode
from local.functions_host.sending import RequestSender
from local.functions_host.state import Message
from local.functions_host.versions import FailureStrategy, VersionRule

_CACHED_HISTORIES = 500


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an orchestration fails."""

    reason: str
    details: str
    error_type: str


@dataclass(slots=True)
class _Episode:
    """One run of an orchestrator and what came of it."""

    live: Live
    intake: Intake
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
        courtesy: Courtesy,
        *,
        versions: VersionRule,
        max_concurrent: int,
    ) -> None:
        self._app = app
        self._mailroom = mailroom
        self._invoker = invoker
        self._console = console
        self._courtesy = courtesy
        self._versions = versions
        self._slots = asyncio.Semaphore(max_concurrent)
        self._awake: dict[str, asyncio.Task[None]] = {}
        self._cache: OrderedDict[str, Live] = OrderedDict()
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
        except Exception as error:  # noqa: BLE001  (never leave it stuck)
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
        intake = Intake(is_suspended=live.instance.runtime_status == "Suspended") if live else None
        if live is None or intake is None or live.instance.is_finished:
            with self._mailroom.step() as step:  # whoever waited for these is gone
                step.store.delete_messages(message.id for message in messages)
            return False
        if not self._versions.admits(live.instance.version):
            self._refuse_version(live, messages)
            return False
        take_in(live, messages, intake)
        if not intake.events:
            with self._mailroom.step() as step:
                step.store.delete_messages(intake.consumed_ids)
            return False
        now = choose_time(live, intake)
        started = build_event(EventType.ORCHESTRATOR_STARTED, now)
        episode = _Episode(live, intake, now, [started, *intake.events])
        if intake.is_terminated:
            self._terminate(episode)
            return True
        if not live.events:
            await self._courtesy.let_pass()
            self._console.tell_instance(live.instance.name, instance_id, "started")
        await self._replay(episode)
        self._commit(episode)
        return True

    def _load(self, instance_id: str) -> Live | None:
        live = self._cache.get(instance_id)
        if live is None:
            instance = self._mailroom.store.read_instance(instance_id)
            if instance is None:
                return None
            live = Live(instance)
            encoded = self._mailroom.store.read_history(instance_id)
            live.append([json.loads(text) for text in encoded], encoded)
            if instance.is_finished:
                return live
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
            episode.failure = _Failure(
                f"Orchestrator function '{instance.name}' failed: {message}",
                f"Message: {message}, StackTrace: {format_stack(cause)}",
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
                name = wire.split_entity_id(request.instance_id or "")[0]
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
                step.store.delete_timers(instance.instance_id, plan.cancelled_timer_ids)
                sender = RequestSender(step, instance, episode.now, self._versions.current)
                events.extend(sender.send(request) for request in plan.new)
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

    def _record(self, step: Step, live: Live, events: list[Event]) -> None:
        encoded = [encode_event(event) for event in events]
        step.store.append_history(live.instance.instance_id, len(live.events), encoded)
        step.store.write_instance(live.instance)
        live.append(events, encoded)
        if live.instance.is_finished:
            self.forget(live.instance.instance_id)

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
        answer_parent(step, instance, answer, episode.now)
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
            answer_parent(step, instance, {"Reason": reason, "Details": None}, episode.now)
            self._record(step, episode.live, events)
        self._tell(episode, events)

    def _continue_as_new(
        self, step: Step, episode: _Episode, plan: Plan, action: wire.Action
    ) -> None:
        """Begin again with an empty history; later events are carried over."""
        instance = episode.live.instance
        step.store.clear_history(instance.instance_id)
        step.store.delete_execution_messages(instance.instance_id)
        all_events = [*episode.live.events, *episode.new_events]
        instance.execution_id = uuid.uuid4().hex
        instance.input = json.dumps(action.input_text)
        step.store.write_instance(instance)
        step.send_event(
            instance.instance_id,
            build_execution_started(instance, episode.now),
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
        failure = _Failure(reason, format_stack(error), type(error).__name__)
        self._fail_at_once(live, messages, failure)

    def _refuse_version(self, live: Live, messages: Sequence[Message]) -> None:
        """Leave an orchestration to a host that knows its version, or fail it."""
        instance = live.instance
        reason = (
            f"version {instance.version or 'none'} is not for this host, whose version is "
            f"{self._versions.current or 'none'} ({self._versions.match})"
        )
        if self._versions.failure is FailureStrategy.FAIL:
            self._fail_at_once(live, messages, _Failure(reason, reason, "VersionMismatch"))
        else:
            self._console.tell_instance(instance.name, instance.instance_id, f"left: {reason}")

    def _fail_at_once(self, live: Live, messages: Sequence[Message], failure: _Failure) -> None:
        episode = _Episode(live, Intake([message.id for message in messages]), get_now(), [])
        episode.failure = failure
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
