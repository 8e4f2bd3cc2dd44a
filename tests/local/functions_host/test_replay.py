"""The walk of `replay` numbers actions as the real SDK does, in whatever order answers come."""

import json
import random
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from azure.durable_functions.orchestrator import Orchestrator
from hypothesis import given, settings
from hypothesis import strategies as st

from local.functions_host import wire
from local.functions_host.history import (
    Event,
    EventType,
    build_event,
    encode_event,
    format_time,
    mark_played,
    parse_time,
)
from local.functions_host.replay import Plan, RequestKind, plan_episode

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Leaf:
    """An activity that fails a number of times before it succeeds, with or without retry."""

    name: str
    failures: int
    attempts: int


@dataclass
class Group:
    """Several leaves at once; `takes_all` or the first."""

    leaves: list[Leaf]
    takes_all: bool
    has_timer: bool


def orchestrate(program: list[Group]) -> Any:
    """Build the orchestrator of a program: its result tells how each group ended."""

    def orchestrator(context: Any) -> Generator[Any, Any, list[str]]:
        seen = []
        for group in program:
            tasks = [
                context.call_activity_with_retry(leaf.name, df.RetryOptions(1000, leaf.attempts))
                if leaf.attempts
                else context.call_activity(leaf.name)
                for leaf in group.leaves
            ]
            if group.has_timer:
                tasks.append(context.create_timer(context.current_utc_datetime + timedelta(days=1)))
            try:
                if group.takes_all:
                    results = yield context.task_all(tasks)
                    seen.append(",".join(str(result) for result in results))
                else:
                    yield context.task_any(tasks)
                    seen.append("any")
            except Exception:  # noqa: BLE001  (what the SDK raises)
                seen.append("failed")
        return seen

    return orchestrator


@dataclass
class TinyHost:
    """The least that keeps a history: answers come one to three at a time, in a drawn order."""

    program: list[Group]
    choice: random.Random
    events: list[Event] = field(default_factory=list)
    pending: list[Event] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    now: datetime = START

    def run(self) -> Any:
        started = build_event(
            EventType.EXECUTION_STARTED, self.now, Name="o", Version="", Input=None
        )
        incoming = [started]
        for _ in range(400):
            turn, plan = self.replay(incoming)
            assert plan.mismatch is None, plan.mismatch
            assert turn.error is None, turn.error
            if turn.is_done and not plan.has_open_tasks:
                return json.loads(turn.output_text)
            self.schedule(plan)
            assert self.pending, "stuck: nothing is open and the orchestrator is not done"
            incoming = self.draw()
        raise AssertionError("never done")

    def replay(self, incoming: list[Event]) -> tuple[wire.Turn, Plan]:
        self.now += timedelta(seconds=1)
        for event in incoming:
            if event["EventType"] == EventType.TIMER_FIRED:
                self.now = max(self.now, parse_time(event["FireAt"]))
        new = [build_event(EventType.ORCHESTRATOR_STARTED, self.now), *incoming]
        body = wire.encode_orchestrator_input(
            [mark_played(encode_event(event)) for event in self.events],
            [encode_event(event) for event in new],
            input_text=None,
            instance_id="i",
            parent_instance_id=None,
        )
        turn = wire.decode_turn(Orchestrator.create(orchestrate(self.program))(body))
        self.events += new
        return turn, plan_episode(turn.actions, self.events)

    def schedule(self, plan: Plan) -> None:
        failures = {leaf.name: leaf.failures for group in self.program for leaf in group.leaves}
        for request in plan.new:
            if request.kind is RequestKind.TIMER:
                self.record(EventType.TIMER_CREATED, request.id, FireAt=request.fire_at)
                self.answer(EventType.TIMER_FIRED, TimerId=request.id, FireAt=request.fire_at)
                continue
            self.record(EventType.TASK_SCHEDULED, request.id, Name=request.name, Version="")
            count = self.calls[request.name] = self.calls.get(request.name, 0) + 1
            if count <= failures[request.name]:
                self.answer(
                    EventType.TASK_FAILED, TaskScheduledId=request.id, Reason="r", Details="d"
                )
            else:
                self.answer(
                    EventType.TASK_COMPLETED,
                    TaskScheduledId=request.id,
                    Result=json.dumps(request.name),
                )
        self.record(EventType.ORCHESTRATOR_COMPLETED, -1)

    def record(self, event_type: EventType, event_id: int, **fields: Any) -> None:
        self.events.append(build_event(event_type, self.now, event_id, **fields))

    def answer(self, event_type: EventType, **fields: Any) -> None:
        self.pending.append(build_event(event_type, self.now, **fields))

    def draw(self) -> list[Event]:
        self.choice.shuffle(self.pending)
        count = self.choice.randint(1, min(3, len(self.pending)))
        drawn, self.pending = self.pending[:count], self.pending[count:]
        return drawn


def expect(group: Group, outcome: str) -> bool:
    """Tell whether a group may have ended so."""
    if not group.takes_all:
        return outcome == "any"
    if any(leaf.failures >= max(1, leaf.attempts) for leaf in group.leaves):
        return outcome == "failed"
    names = [leaf.name for leaf in group.leaves] + (["None"] if group.has_timer else [])
    return outcome == ",".join(names)


def build_program(shape: list[tuple[list[tuple[int, int]], bool, bool]]) -> list[Group]:
    return [
        Group(
            [
                Leaf(f"g{number}l{index}", failures, attempts)
                for index, (failures, attempts) in enumerate(leaves)
            ],
            takes_all=takes_all,
            has_timer=has_timer,
        )
        for number, (leaves, takes_all, has_timer) in enumerate(shape)
    ]


LEAVES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=3)
SHAPES = st.lists(st.tuples(LEAVES, st.booleans(), st.booleans()), min_size=1, max_size=4)


@given(shape=SHAPES, seed=st.integers(0, 2**32))
@settings(max_examples=120, deadline=None)
def test_any_program_ends_as_it_should_in_any_order_of_answers(
    shape: list[tuple[list[tuple[int, int]], bool, bool]], seed: int
) -> None:
    program = build_program(shape)
    outcomes = TinyHost(program, random.Random(seed)).run()  # noqa: S311  (a drawn order)
    assert len(outcomes) == len(program)
    for group, outcome in zip(program, outcomes, strict=True):
        assert expect(group, outcome), (group, outcome)


def test_cancelled_timer_is_reported_and_does_not_hold_the_instance() -> None:
    def orchestrator(context: Any) -> Generator[Any, Any, str]:
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        yield context.task_any([timer, context.call_activity("a")])
        timer.cancel()
        return "done"

    fire_at = format_time(START + timedelta(hours=1))
    events = [
        build_event(EventType.ORCHESTRATOR_STARTED, START),
        build_event(EventType.EXECUTION_STARTED, START, Name="o", Version="", Input=None),
        build_event(EventType.TIMER_CREATED, START, 0, FireAt=fire_at),
        build_event(EventType.TASK_SCHEDULED, START, 1, Name="a", Version="", Input=None),
        build_event(EventType.ORCHESTRATOR_COMPLETED, START),
        build_event(EventType.ORCHESTRATOR_STARTED, START),
        build_event(EventType.TASK_COMPLETED, START, TaskScheduledId=1, Result="1"),
    ]
    body = wire.encode_orchestrator_input(
        [], map(encode_event, events), input_text=None, instance_id="i", parent_instance_id=None
    )
    turn = wire.decode_turn(Orchestrator.create(orchestrator)(body))
    plan = plan_episode(turn.actions, events)
    assert plan.cancelled_timer_ids == [0]
    assert turn.is_done
    assert not plan.has_open_tasks
    assert plan.new == []


def test_a_task_that_is_waited_for_twice_does_not_hold_the_instance() -> None:
    def orchestrator(context: Any) -> Generator[Any, Any, str]:
        granted = context.wait_for_external_event("Granted")
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        yield context.task_any([granted, timer])
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        yield context.task_any([granted, timer])
        timer.cancel()
        yield context.call_activity("a")
        return "done"

    later = START + timedelta(hours=1)
    fire_at = format_time(later)
    events = [
        build_event(EventType.ORCHESTRATOR_STARTED, START),
        build_event(EventType.EXECUTION_STARTED, START, Name="o", Version="", Input=None),
        build_event(EventType.TIMER_CREATED, START, 0, FireAt=fire_at),
        build_event(EventType.ORCHESTRATOR_COMPLETED, START),
        build_event(EventType.ORCHESTRATOR_STARTED, later),
        build_event(EventType.TIMER_FIRED, later, TimerId=0, FireAt=fire_at),
        build_event(
            EventType.TIMER_CREATED, later, 1, FireAt=format_time(later + timedelta(hours=1))
        ),
        build_event(EventType.ORCHESTRATOR_COMPLETED, later),
        build_event(EventType.ORCHESTRATOR_STARTED, later),
        build_event(EventType.EVENT_RAISED, later, Name="Granted", Input="1"),
        build_event(EventType.TASK_SCHEDULED, later, 2, Name="a", Version="", Input=None),
        build_event(EventType.ORCHESTRATOR_COMPLETED, later),
        build_event(EventType.ORCHESTRATOR_STARTED, later),
        build_event(EventType.TASK_COMPLETED, later, TaskScheduledId=2, Result="1"),
    ]
    body = wire.encode_orchestrator_input(
        [], map(encode_event, events), input_text=None, instance_id="i", parent_instance_id=None
    )
    turn = wire.decode_turn(Orchestrator.create(orchestrator)(body))
    plan = plan_episode(turn.actions, events)
    assert turn.is_done
    assert plan.mismatch is None
    assert plan.cancelled_timer_ids == [1]
    assert not plan.has_open_tasks
