"""Deletes the records whose time is over: in batches, oldest tables of references first.

Safe to repeat and to break off: every batch is a transaction of its own, and the next night goes
on where this one stopped. What is still running is never deleted.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from shared.jobs.world import World
from shared.store import artifacts, effects, jobs, result_cache
from shared.store.batches import delete_before
from shared.store.tables import AUDIT_LOGS, RATE_LIMITS, SECURITY_EVENTS, USAGE
from shared.telemetry import metrics
from shared.telemetry.emit import emit
from shared.telemetry.events import RetentionCompleted

BATCH: Final = 500
"""Rows of one transaction: short enough that nobody waits for it."""
MOST_TIME: Final = timedelta(minutes=20)
"""For all batches of a night; the host stops a function after 30 minutes (`host.json`)."""
_IDLE_LIMITS: Final = timedelta(days=2)
"""Twice the longest window of a rate limit."""

Deletion = Callable[[Connection, int], int]


def apply_retention(world: World) -> dict[str, int]:
    """Delete what is over; answer how many rows of each table went.

    Raises:
        StoreError: the database did not answer; what was deleted before stays deleted.
    """
    began = world.clock()
    deleted: dict[str, int] = {}
    is_complete = True
    for table, delete in _list_deletions(world, began):
        deleted[table] = 0
        while is_complete:
            with world.database.transaction() as connection:
                count = delete(connection, BATCH)
            deleted[table] += count
            if count < BATCH:
                break
            is_complete = world.clock() - began < MOST_TIME
    emit(
        RetentionCompleted(
            **deleted,
            complete=is_complete,
            duration_ms=(world.clock() - began).total_seconds() * 1000,
        )
    )
    for table, count in deleted.items():
        metrics.RETENTION_DELETED.record(count, table=table)
    return deleted


def _list_deletions(world: World, now: datetime) -> Iterator[tuple[str, Deletion]]:
    kept = world.settings.retention
    jobs_before = now - timedelta(days=kept.jobs_days)
    yield "jobs", lambda connection, most: jobs.delete_old(connection, jobs_before, most)
    yield "effects", lambda connection, most: effects.delete_old(connection, jobs_before, most)
    yield (
        "result_cache",
        lambda connection, most: result_cache.delete_expired(connection, now, most),
    )
    yield "artifacts", lambda connection, most: artifacts.delete_expired(connection, now, most)
    for column, before in (
        (USAGE.c.at, now - timedelta(days=kept.usage_days)),
        (AUDIT_LOGS.c.at, now - timedelta(days=kept.audit_days)),
        (SECURITY_EVENTS.c.at, now - timedelta(days=kept.security_days)),
        (RATE_LIMITS.c.updated_at, now - _IDLE_LIMITS),
    ):
        yield (
            column.table.name,
            lambda connection, most, column=column, before=before: delete_before(  # type: ignore[misc]  # bound now
                connection, column, before, most
            ),
        )
