"""The table `usage`: what each call to a model took. Append-only; a repeated call is paid again."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select

from shared.domain.model_use import UsagePurpose
from shared.store.tables import USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEntry:
    """One call to a model."""

    job_id: str
    number: int
    """The variant; the first one for a call that was for the whole job."""
    organisation: str
    actor_id: str
    """Who asked for the job, and so for the call."""
    purpose: UsagePurpose
    provider: str
    model: str
    tokens_in: int
    """Everything that was sent, whether or not a cache served it."""
    tokens_cached: int
    tokens_cache_written: int
    tokens_out: int
    cost_micro_usd: int | None
    """Millionths of a US dollar; None when the price is unknown."""
    duration_ms: int
    round: int
    """1 for the first; a repair is a further one."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """What some calls took together."""

    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    cost_micro_usd: int = 0
    """Of the calls whose price is known."""
    calls: int = 0
    unpriced_calls: int = 0
    """Those of `calls` whose price is unknown."""


def record(connection: Connection, entry: UsageEntry) -> None:
    """Append an entry."""
    row = asdict(entry) | {
        "purpose": str(entry.purpose),
        "organisation": entry.organisation.lower(),
    }
    connection.execute(insert(USAGE).values(row))


def spent_by_job(connection: Connection, job_id: str) -> Spent:
    """Sum up all calls of a job."""
    return _sum(connection, USAGE.c.job_id == job_id)


def spent_by_actor_since(
    connection: Connection, organisation: str, actor_id: str, since: datetime
) -> Spent:
    """Sum up the calls that a person's jobs have made since an instant."""
    return _sum(
        connection,
        USAGE.c.organisation == organisation.lower(),
        USAGE.c.actor_id == actor_id,
        USAGE.c.at >= since,
    )


def spent_by_organisation_since(
    connection: Connection, organisation: str, since: datetime
) -> Spent:
    """Sum up the calls that an organisation's jobs have made since an instant."""
    return _sum(connection, USAGE.c.organisation == organisation.lower(), USAGE.c.at >= since)


def spent_by_variant(connection: Connection, job_id: str, number: int) -> Spent:
    """Sum up the calls that are charged to one variant of a job."""
    return _sum(connection, USAGE.c.job_id == job_id, USAGE.c.number == number)


_SUMS: tuple[ColumnElement[Any], ...] = (
    *(
        func.coalesce(func.sum(USAGE.c[name]), 0).label(name)
        for name in ("tokens_in", "tokens_cached", "tokens_out", "cost_micro_usd")
    ),
    func.count().label("calls"),
    func.count(USAGE.c.cost_micro_usd).label("priced_calls"),
)


def _sum(connection: Connection, *conditions: ColumnElement[bool]) -> Spent:
    row = connection.execute(select(*_SUMS).where(*conditions)).mappings().one()
    # Postgres answers the sum of a BIGINT as NUMERIC
    return Spent(
        tokens_in=int(row["tokens_in"]),
        tokens_cached=int(row["tokens_cached"]),
        tokens_out=int(row["tokens_out"]),
        cost_micro_usd=int(row["cost_micro_usd"]),
        calls=row["calls"],
        unpriced_calls=row["calls"] - row["priced_calls"],
    )
