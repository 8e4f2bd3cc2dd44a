"""What an instance knows of itself, and what an episode takes out of its inbox.

Pure decisions over events: what is meant for another execution or has been answered already is
dropped, what must wait for a resume stays where it is.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from local.functions_host.history import (
    COMPLETION_ID_FIELD,
    SCHEDULING_TYPES,
    Event,
    EventType,
    mark_played,
    parse_time,
)
from local.functions_host.mailroom import get_now
from local.functions_host.state import Instance, Message

_CONTROL_TYPES = frozenset(
    {EventType.EXECUTION_SUSPENDED, EventType.EXECUTION_RESUMED, EventType.EXECUTION_TERMINATED}
)


@dataclass(slots=True)
class Live:
    """An instance and its history, decoded once."""

    instance: Instance
    played: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    open_ids: set[int] = field(default_factory=set)

    def append(self, events: list[Event], encoded: list[str]) -> None:
        """Take events into the past."""
        self.played.extend(mark_played(text) for text in encoded)
        self.events.extend(events)
        for event in events:
            event_type = EventType(event["EventType"])
            if event_type in SCHEDULING_TYPES:
                self.open_ids.add(event["EventId"])
            elif event_type in COMPLETION_ID_FIELD:
                self.open_ids.discard(event[COMPLETION_ID_FIELD[event_type]])


@dataclass(slots=True)
class Intake:
    """What an episode takes out of the inbox."""

    consumed_ids: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    is_suspended: bool = False
    is_terminated: bool = False


def take_in(live: Live, messages: Iterable[Message], intake: Intake) -> None:
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


def _is_wanted(live: Live, message: Message, event: Event, event_type: EventType) -> bool:
    if message.execution_id not in (None, live.instance.execution_id):
        return False
    if event_type is EventType.EXECUTION_STARTED:
        return not live.events
    if event_type in COMPLETION_ID_FIELD:
        return event[COMPLETION_ID_FIELD[event_type]] in live.open_ids
    return True


def choose_time(live: Live, intake: Intake) -> datetime:
    """Choose the episode's time: now, but never before an earlier one or a timer that fired."""
    now = get_now()
    if live.events:
        now = max(now, parse_time(live.events[-1]["Timestamp"]))
    for event in intake.events:
        if event["EventType"] == EventType.TIMER_FIRED:
            now = max(now, parse_time(event["FireAt"]))
    return now
