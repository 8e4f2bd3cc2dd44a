"""Events of an orchestration's history, as the Durable extension names and shapes them.

It builds and reads single events; it decides nothing about them and stores nothing.
Source: https://github.com/Azure/durabletask/tree/main/src/DurableTask.Core/History
"""

import json
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

Event = dict[str, Any]
"""One event: PascalCase keys, plain JSON values, times as text."""


class EventType(IntEnum):
    """Numbers of the event types on the wire to the SDK."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_FAILED = 2
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    CONTINUE_AS_NEW = 16
    GENERIC_EVENT = 17
    HISTORY_STATE = 18
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20


SCHEDULING_TYPES = frozenset(
    {
        EventType.TASK_SCHEDULED,
        EventType.SUB_ORCHESTRATION_CREATED,
        EventType.TIMER_CREATED,
        EventType.EVENT_SENT,
    }
)
"""Events that record a decision of the orchestrator; their EventId is the id of its action."""

COMPLETION_ID_FIELD = {
    EventType.TASK_COMPLETED: "TaskScheduledId",
    EventType.TASK_FAILED: "TaskScheduledId",
    EventType.SUB_ORCHESTRATION_COMPLETED: "TaskScheduledId",
    EventType.SUB_ORCHESTRATION_FAILED: "TaskScheduledId",
    EventType.TIMER_FIRED: "TimerId",
}
"""Events that settle an open action, and the field that names it."""

FAILURE_TYPES = frozenset({EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_FAILED})


def build_event(event_type: EventType, at: datetime, event_id: int = -1, **fields: Any) -> Event:
    """Build one event; `IsPlayed` stays false until the episode that received it is over."""
    return {
        "EventType": int(event_type),
        "EventId": event_id,
        "IsPlayed": False,
        "Timestamp": format_time(at),
        **fields,
    }


def encode_event(event: Event) -> str:
    """Encode an event compactly; `IsPlayed` comes before any text of a user."""
    return json.dumps(event, separators=(",", ":"))


def mark_played(encoded: str) -> str:
    """Turn an encoded event into one of an earlier episode."""
    return encoded.replace('"IsPlayed":false', '"IsPlayed":true', 1)


def format_time(moment: datetime) -> str:
    """Write a time as the SDK writes it: UTC, microseconds, a trailing Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Read a time of the SDK or of a client; one without a zone is UTC, as in the extension."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
