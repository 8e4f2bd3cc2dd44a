"""The table `result_cache`: which result an earlier, equal question to a model had, for a time."""

from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from shared.store.tables import RESULT_CACHE


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
    values = {"artifact": artifact, "created_at": at, "expires_at": expires_at}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    kept = insert(RESULT_CACHE).values(values | {"key": key})
    connection.execute(kept.on_conflict_do_update(index_elements=["key"], set_=values))


def purge(connection: Connection, now: datetime) -> int:
    """Delete the results whose time is over; answer how many."""
    return connection.execute(delete(RESULT_CACHE).where(RESULT_CACHE.c.expires_at <= now)).rowcount
