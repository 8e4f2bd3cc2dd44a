"""Bounded running jobs: a job asks the entity for a slot, waits its turn, and leaves.

`job_slots` is the entity (its state is `shared.domain.slots`); the generators are the job's side.
"""

from collections.abc import Generator
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from azure.durable_functions import (
    DurableEntityContext,
    DurableOrchestrationContext,
    EntityId,
)

from orchestrators.attempts import Attempts
from shared.domain.clock import format_instant, parse_instant
from shared.domain.names import ActivityName, EntityName, EventName

ASK_AGAIN_S: Final = 30
"""A waiting job is woken by the one that leaves; this is for the case that nobody could."""


def job_slots(context: DurableEntityContext) -> None:
    """Keep the slots of one organisation: `acquire` and `release`, both safe to repeat."""
    from shared.domain.slots import JobSlots

    slots = JobSlots.from_plain(context.get_state(dict))
    request = context.get_input()
    now = parse_instant(request["now"])
    capacity = int(request["capacity"])
    if context.operation_name == "acquire":
        answer = slots.acquire(
            request["instance_id"],
            capacity=capacity,
            lease_s=float(request["lease_s"]),
            now=now,
        )
        context.set_result(asdict(answer))
    elif context.operation_name == "release":
        granted = slots.release(request["instance_id"], capacity=capacity, now=now)
        context.set_result({"granted": granted})
    else:
        raise ValueError(f"job_slots has no operation {context.operation_name!r}")
    context.set_state(slots.to_plain())


def wait_for_slot(
    context: DurableOrchestrationContext, steps: Attempts, job: dict[str, Any], cancelled: Any
) -> Generator[Any, Any, bool]:
    """Wait until the job may run; False when it was cancelled while it waited."""
    woken = context.wait_for_external_event(EventName.SLOT_GRANTED)
    announced = False
    while True:
        answer = yield context.call_entity(*_request(context, "acquire", job))
        if answer["granted"]:
            return True
        if not announced:
            announced = True
            yield from steps.run(
                ActivityName.ANNOUNCE_JOB, {"job_id": job["id"], "position": answer["position"]}
            )
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=ASK_AGAIN_S))
        # an event that has come once would answer every later wait (durable-python issue 507)
        signals = [cancelled] if woken.is_completed else [cancelled, woken]
        winner = yield context.task_any([*signals, timer])
        if winner is not timer:
            timer.cancel()
        if winner is cancelled:
            return False


def leave_slot(
    context: DurableOrchestrationContext, steps: Attempts, job: dict[str, Any]
) -> Generator[Any, Any, None]:
    """Give the slot back and wake the jobs that got one by it."""
    answer = yield context.call_entity(*_request(context, "release", job))
    if answer["granted"]:
        yield from steps.run(
            ActivityName.WAKE_JOBS,
            {"instance_ids": answer["granted"], "event": EventName.SLOT_GRANTED},
        )


def _request(
    context: DurableOrchestrationContext, operation: str, job: dict[str, Any]
) -> tuple[EntityId, str, dict[str, Any]]:
    slots = job["slots"]
    return (
        EntityId(EntityName.JOB_SLOTS, slots["key"]),
        operation,
        {
            "instance_id": context.instance_id,
            "now": format_instant(context.current_utc_datetime),
            "capacity": slots["capacity"],
            "lease_s": slots["lease_s"],
        },
    )
