"""The table `variants`: one row for each take on a request."""

from collections.abc import Sequence
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select, update

from shared.domain.errors import JobError, Verdict
from shared.domain.job import Variant
from shared.domain.states import VariantStatus, may_follow
from shared.store.jobs import lock_job
from shared.store.tables import VARIANTS
from shared.store.upsert import insert_missing

_FIELDS: Final = tuple(f.name for f in fields_of(Variant) if f.name != "status")
_DEAD: Final = frozenset(
    {
        VariantStatus.FAILED,
        VariantStatus.TIMEOUT,
        VariantStatus.CANCELLED,
        VariantStatus.DUPLICATE,
    }
)


def insert_variants(connection: Connection, variants: Sequence[Variant]) -> None:
    """Insert the variants that are not there yet."""
    for variant in variants:
        row = {name: getattr(variant, name) for name in _FIELDS}
        insert_missing(connection, VARIANTS, row | {"status": str(variant.status)})


def load_variants(connection: Connection, job_id: str) -> list[Variant]:
    """Load the variants of a job, by number."""
    query = select(VARIANTS).where(VARIANTS.c.job_id == job_id).order_by(VARIANTS.c.number)
    return [_from_row(row) for row in connection.execute(query).mappings()]


def load_variants_of(connection: Connection, job_ids: Sequence[str]) -> dict[str, list[Variant]]:
    """Load the variants of several jobs in one query, by job and number."""
    query = select(VARIANTS).where(VARIANTS.c.job_id.in_(job_ids)).order_by(VARIANTS.c.number)
    found: dict[str, list[Variant]] = {job_id: [] for job_id in job_ids}
    for row in connection.execute(query).mappings():
        found[row["job_id"]].append(_from_row(row))
    return found


def load_variant(connection: Connection, job_id: str, number: int) -> Variant | None:
    """Load one variant."""
    query = select(VARIANTS).where(VARIANTS.c.job_id == job_id, VARIANTS.c.number == number)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _from_row(row)


def move_variant(
    connection: Connection,
    job_id: str,
    number: int,
    to: VariantStatus,
    *,
    at: datetime,
    **changes: Any,
) -> Variant:
    """Move a variant to a state its table allows, and change other fields with it.

    Raises:
        JobError: `variant.unknown`, or `variant.transition_refused`.
    """
    lock_job(connection, job_id)
    variant = load_variant(connection, job_id, number)
    if variant is None:
        raise JobError("variant.unknown", "There is no such variant.", verdict=Verdict.BUG)
    if not may_follow(variant.status, to):
        raise JobError(
            "variant.transition_refused",
            f"A variant that is {variant.status} cannot become {to}.",
        )
    connection.execute(
        update(VARIANTS)
        .where(VARIANTS.c.job_id == job_id, VARIANTS.c.number == number)
        .values({"status": str(to), "updated_at": at, **changes})
    )
    moved = load_variant(connection, job_id, number)
    return moved if moved is not None else variant


def claim_digest(
    connection: Connection,
    job_id: str,
    number: int,
    digest: str,
    *,
    artifact: str,
    at: datetime,
) -> int | None:
    """Keep what a variant does as its own, or answer the number of the twin that was first.

    A twin that failed, was cancelled, ran out of time or is a duplicate itself does not count.
    """
    lock_job(connection, job_id)
    for other in load_variants(connection, job_id):
        if other.number != number and other.patch_digest == digest and other.status not in _DEAD:
            return other.number
    connection.execute(
        update(VARIANTS)
        .where(VARIANTS.c.job_id == job_id, VARIANTS.c.number == number)
        .values(patch_digest=digest, patch_artifact=artifact, updated_at=at)
    )
    return None


def _from_row(row: RowMapping) -> Variant:
    return Variant(status=VariantStatus(row["status"]), **{name: row[name] for name in _FIELDS})
