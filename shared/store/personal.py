"""Everything that the records hold about one person: to be handed out, or to be made nobody's.

Erasing keeps every row that sums and trails rest on. The person's id becomes a pseudonym that was
drawn by lot and is written down nowhere else, so no way leads back; their own words go.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Table,
    delete,
    func,
    null,
    select,
    update,
)

from shared.domain.states import JobStatus
from shared.store import audit
from shared.store.audit import AuditAction
from shared.store.tables import (
    AUDIT_LOGS,
    EFFECTS,
    JOBS,
    RATE_LIMITS,
    SECURITY_EVENTS,
    USAGE,
    VARIANTS,
)

ERASED: Final = "(erased)"
"""What stands where a person's words were."""

_BY_ACTOR: Final = (JOBS, USAGE, AUDIT_LOGS, SECURITY_EVENTS)


def load_records(connection: Connection, actor_id: str) -> dict[str, list[dict[str, Any]]]:
    """Load every row about a person, by table, as plain JSON."""
    return {
        table.name: [
            _to_plain(row)
            for row in connection.execute(
                select(table).where(condition).order_by(*table.primary_key)
            ).mappings()
        ]
        for table, condition in _list_conditions(actor_id)
    }


def count_records(connection: Connection, actor_id: str) -> dict[str, int]:
    """Count the rows about a person, by table."""
    return {
        table.name: connection.execute(
            select(func.count()).select_from(table).where(condition)
        ).scalar_one()
        for table, condition in _list_conditions(actor_id)
    }


def list_unfinished(connection: Connection, actor_id: str) -> list[str]:
    """List a person's jobs that have not ended, and let none of them change in the meantime."""
    unfinished = [str(status) for status in JobStatus if not status.is_final]
    query = (
        select(JOBS.c.id)
        .where(JOBS.c.actor_id == actor_id, JOBS.c.status.in_(unfinished))
        .order_by(JOBS.c.id)
    )
    return list(connection.execute(query.with_for_update()).scalars())


def erase_records(
    connection: Connection, actor_id: str, pseudonym: str, *, at: datetime
) -> dict[str, int]:
    """Make the rows about a person nobody's; answer how many of each table there were.

    An entry of the audit log says that it was done, and not to whom. Call it when
    `list_unfinished` has answered none, in the same transaction.
    """
    found = count_records(connection, actor_id)
    if not any(found.values()):
        return found
    jobs_of = select(JOBS.c.id).where(JOBS.c.actor_id == actor_id)
    connection.execute(
        update(JOBS)
        .where(JOBS.c.actor_id == actor_id)
        .values(intent=ERASED, clarification=null(), updated_at=at)
    )
    connection.execute(update(VARIANTS).where(VARIANTS.c.job_id.in_(jobs_of)).values(note=""))
    for table in _BY_ACTOR:
        connection.execute(
            update(table).where(table.c.actor_id == actor_id).values(actor_id=pseudonym)
        )
    connection.execute(delete(RATE_LIMITS).where(_is_scope_of(actor_id)))
    audit.record(
        connection,
        job_id="",
        actor_id=pseudonym,
        action=AuditAction.RECORDS_ERASED,
        at=at,
        facts=found,
    )
    return found


def _list_conditions(actor_id: str) -> list[tuple[Table, ColumnElement[bool]]]:
    jobs_of = select(JOBS.c.id).where(JOBS.c.actor_id == actor_id)
    return [
        *((table, table.c.actor_id == actor_id) for table in _BY_ACTOR),
        (VARIANTS, VARIANTS.c.job_id.in_(jobs_of)),
        (EFFECTS, EFFECTS.c.job_id.in_(jobs_of)),
        (RATE_LIMITS, _is_scope_of(actor_id)),
    ]


def _is_scope_of(actor_id: str) -> ColumnElement[bool]:
    return RATE_LIMITS.c.scope.endswith(f"/{actor_id}", autoescape=True)


def _to_plain(row: RowMapping) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in dict(row).items()
    }
