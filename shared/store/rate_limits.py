"""The table `rate_limits`: what was taken within sliding windows, one row for each scope.

A row is locked while it is decided about, so that all instances of the app decide one after the
other; rows are locked in the order of their names, so that nobody waits in a circle. What is in a
row is bounded by its limit: what has left the window is dropped at each taking.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from shared.domain.clock import format_instant, parse_instant
from shared.domain.limits import Limit, Taking, find_free_instant, keep_recent
from shared.store.tables import RATE_LIMITS
from shared.store.upsert import insert_missing


@dataclass(frozen=True, slots=True)
class Overrun:
    """A limit that leaves no room."""

    limit: Limit
    free_at: datetime | None
    """When there is room again; None when so much is never taken."""


def take(
    connection: Connection, wishes: Sequence[tuple[Limit, int]], *, key: str, at: datetime
) -> Overrun | None:
    """Take from every limit, or from none: then answer the limit that is free last.

    Whoever has taken under the same key takes nothing again. Call it in the transaction that writes
    what was taken for.
    """
    taken: list[tuple[Limit, list[Taking]]] = []
    overruns: list[Overrun] = []
    for limit, amount in sorted(wishes, key=lambda wish: wish[0].scope):
        recent = keep_recent(_lock(connection, limit.scope, at), limit, now=at)
        if any(taking.key == key for taking in recent):
            continue
        free_at = find_free_instant(recent, limit, amount, now=at)
        if free_at == at:
            taken.append((limit, [*recent, Taking(key, amount, at)]))
        else:
            overruns.append(Overrun(limit, free_at))
    if overruns:
        never = next((one for one in overruns if one.free_at is None), None)
        return never or max(overruns, key=lambda one: one.free_at or at)
    for limit, takings in taken:
        _write(connection, limit.scope, takings, at)
    return None


def claim_telling(
    connection: Connection, scope: str, *, key: str, until: datetime, at: datetime
) -> bool:
    """Answer whether somebody is to be told something that is not told again until an instant.

    Only the first key is; asked again for the same key, the answer is the same.
    """
    name = f"told/{scope}"
    told = [taking for taking in _lock(connection, name, at) if taking.at > at]
    if told:
        return told[0].key == key
    _write(connection, name, [Taking(key, 1, until)], at)
    return True


def _lock(connection: Connection, scope: str, at: datetime) -> list[Taking]:
    """Lock a scope's row until the transaction ends, making it first where there is none."""
    insert_missing(connection, RATE_LIMITS, {"scope": scope, "takings": [], "updated_at": at})
    query = select(RATE_LIMITS.c.takings).where(RATE_LIMITS.c.scope == scope).with_for_update()
    plain: list[list[Any]] = connection.execute(query).scalar_one()
    return [Taking(key, amount, parse_instant(when)) for key, amount, when in plain]


def _write(connection: Connection, scope: str, takings: list[Taking], at: datetime) -> None:
    plain = [[taking.key, taking.amount, format_instant(taking.at)] for taking in takings]
    connection.execute(
        update(RATE_LIMITS).where(RATE_LIMITS.c.scope == scope).values(takings=plain, updated_at=at)
    )
