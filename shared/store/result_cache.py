"""The table `result_cache`: which result an earlier, equal question to a model had, for a time."""

from datetime import datetime

from sqlalchemy import Connection, select

from shared.store.batches import delete_some
from shared.store.tables import RESULT_CACHE
from shared.store.upsert import insert_or_update


def find(connection: Connection, key: str, now: datetime) -> str | None:
    """Find the artifact reference of a result that has not expired."""
    query = select(RESULT_CACHE.c.artifact).where(
        RESULT_CACHE.c.key == key, RESULT_CACHE.c.expires_at > now
    )
    artifact: str | None = connection.execute(query).scalar_one_or_none()
    return artifact


def keep(
    connection: Connection, key: str, artifact: str, at: datetime, expires_at: datetime
) -> None:
    """Keep a result; kept twice, also by two at once, the last one stays."""
    row = {"key": key, "artifact": artifact, "created_at": at, "expires_at": expires_at}
    insert_or_update(connection, RESULT_CACHE, "key", row)


def delete_expired(connection: Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` results whose time is over; answer how many."""
    return delete_some(connection, RESULT_CACHE, RESULT_CACHE.c.expires_at <= now, limit)
