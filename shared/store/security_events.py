"""The table `security_events`: refusals that are worth a look. Append-only; no comment text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from shared.domain.security_event import SecurityEventKind
from shared.store.tables import SECURITY_EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvent:
    """One refusal."""

    at: datetime
    kind: SecurityEventKind
    organisation: str
    job_id: str
    actor_id: str
    facts: Mapping[str, Any]
    """Ids, codes and counts."""


def record(connection: Connection, event: SecurityEvent) -> None:
    """Append an event."""
    connection.execute(
        insert(SECURITY_EVENTS).values(
            at=event.at,
            kind=str(event.kind),
            organisation=event.organisation.lower(),
            job_id=event.job_id,
            actor_id=event.actor_id,
            facts=dict(event.facts),
        )
    )


def load_since(connection: Connection, since: datetime) -> list[SecurityEvent]:
    """Load the events since an instant, oldest first."""
    query = (
        select(SECURITY_EVENTS)
        .where(SECURITY_EVENTS.c.at >= since)
        .order_by(SECURITY_EVENTS.c.at, SECURITY_EVENTS.c.id)
    )
    return [
        SecurityEvent(
            at=row["at"],
            kind=SecurityEventKind(row["kind"]),
            organisation=row["organisation"],
            job_id=row["job_id"],
            actor_id=row["actor_id"],
            facts=row["facts"],
        )
        for row in connection.execute(query).mappings()
    ]
