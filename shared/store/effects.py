"""The table `effects`: which effects of a job were begun, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, select, update

from shared.store.batches import delete_some
from shared.store.tables import EFFECTS, JOBS
from shared.store.upsert import insert_missing


class EffectState(StrEnum):
    """What is known of an effect."""

    NEW = "new"
    """Nobody has tried it."""
    BEGUN = "begun"
    """An earlier attempt began it; whether it happened is unknown."""
    DONE = "done"
    """It happened, with a result."""


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect, as the ledger knows it."""

    state: EffectState
    result: Mapping[str, Any] = field(default_factory=dict)


def begin(connection: Connection, job_id: str, key: str, *, at: datetime) -> Effect:
    """Write down that an effect is about to be tried; answer what was known of it before."""
    row = {"job_id": job_id, "key": key, "begun_at": at}
    if insert_missing(connection, EFFECTS, row):
        return Effect(EffectState.NEW)
    query = select(EFFECTS).where(EFFECTS.c.job_id == job_id, EFFECTS.c.key == key)
    known = connection.execute(query).mappings().one()
    if known["finished_at"] is None:
        return Effect(EffectState.BEGUN)
    return Effect(EffectState.DONE, known["result"])


def finish(
    connection: Connection, job_id: str, key: str, result: Mapping[str, Any], *, at: datetime
) -> None:
    """Write down that an effect happened; said twice, the last result stays."""
    connection.execute(
        update(EFFECTS)
        .where(EFFECTS.c.job_id == job_id, EFFECTS.c.key == key)
        .values(finished_at=at, result=dict(result))
    )


def forget(connection: Connection, job_id: str, key: str) -> None:
    """Take an attempt back that certainly had no effect."""
    connection.execute(
        delete(EFFECTS).where(
            EFFECTS.c.job_id == job_id, EFFECTS.c.key == key, EFFECTS.c.finished_at.is_(None)
        )
    )


def delete_old(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` effects begun before an instant, whose jobs are gone; answer how many.

    An answer to a command that became no job has effects, too.
    """
    of_no_job = EFFECTS.c.job_id.not_in(select(JOBS.c.id))
    return delete_some(connection, EFFECTS, (EFFECTS.c.begun_at < before) & of_no_job, limit)
