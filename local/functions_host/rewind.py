"""Rewind a failed instance: cut the failed step out of its history, to be decided anew.

Pure but for the step it writes into. Only the last failed step is cut, since the orchestrator went
on past the earlier ones; failed sub-orchestrations of that step are rewound themselves.
Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-instance-management#rewind-instances-preview
"""

import json
from datetime import datetime

from local.functions_host.history import (
    COMPLETION_ID_FIELD,
    FAILURE_TYPES,
    SCHEDULING_TYPES,
    Event,
    EventType,
    build_event,
    encode_event,
    format_time,
)
from local.functions_host.mailroom import Step
from local.functions_host.state import Instance


def rewind_instance(step: Step, instance: Instance, reason: str | None, now: datetime) -> list[str]:
    """Rewind an instance and what it called; return the ids of all that were rewound."""
    events = [json.loads(text) for text in step.store.read_history(instance.instance_id)]
    failed_ids, retry_timer_ids = _find_last_failures(events)
    rewound = [instance.instance_id]
    kept_children: set[int] = set()
    for event in events:
        if event["EventType"] != EventType.SUB_ORCHESTRATION_CREATED:
            continue
        child = step.store.read_instance(event["InstanceId"])
        if event["EventId"] not in failed_ids or child is None:
            continue
        if child.runtime_status == "Failed":
            rewound.extend(rewind_instance(step, child, reason, now))
            kept_children.add(event["EventId"])
    dropped_ids = (
        (failed_ids - kept_children) | retry_timer_ids | _find_lost(step, instance, events)
    )
    history = [event for event in events if not _is_cut(event, dropped_ids, failed_ids)]
    instance.runtime_status = "Running"
    instance.output = None
    instance.updated_at = format_time(now)
    step.store.write_instance(instance)
    step.store.clear_history(instance.instance_id)
    step.store.append_history(instance.instance_id, 0, [encode_event(event) for event in history])
    rewound_event = build_event(EventType.GENERIC_EVENT, now, Data=f"Rewound: {reason or ''}")
    step.send_event(instance.instance_id, rewound_event)
    return rewound


def _find_last_failures(events: list[Event]) -> tuple[set[int], set[int]]:
    """Find the failed ids of the last step, and the timers that retries set after them."""
    failed_ids: set[int] = set()
    timer_ids: set[int] = set()
    trailing_timers: set[int] = set()
    for event in reversed(events):
        event_type = EventType(event["EventType"])
        if event_type in FAILURE_TYPES:
            failed_ids.add(event["TaskScheduledId"])
            timer_ids |= trailing_timers
        elif event_type is EventType.TIMER_CREATED:
            trailing_timers.add(event["EventId"])
        elif event_type in (EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_CREATED):
            break
    return failed_ids, timer_ids


def _find_lost(step: Step, instance: Instance, events: list[Event]) -> set[int]:
    """Find ids that were still open when the instance failed and whose answers were dropped."""
    settled = {
        event[COMPLETION_ID_FIELD[EventType(event["EventType"])]]
        for event in events
        if event["EventType"] in COMPLETION_ID_FIELD
    }
    promised = {
        task.task_id for task in step.store.list_tasks() if task.instance_id == instance.instance_id
    }
    return {
        event["EventId"]
        for event in events
        if event["EventType"] in (EventType.TASK_SCHEDULED, EventType.TIMER_CREATED)
        and event["EventId"] not in settled | promised
    }


def _is_cut(event: Event, dropped_ids: set[int], failed_ids: set[int]) -> bool:
    event_type = EventType(event["EventType"])
    if event_type is EventType.EXECUTION_COMPLETED:
        return True
    if event_type in SCHEDULING_TYPES:
        return event["EventId"] in dropped_ids
    if event_type in FAILURE_TYPES:
        return event["TaskScheduledId"] in failed_ids
    return event_type is EventType.TIMER_FIRED and event["TimerId"] in dropped_ids
