"""Reads a job's rows for its next step, and settles how variants ended."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from shared.domain.errors import JobError, Verdict
from shared.domain.job import Job, Variant
from shared.domain.states import VariantStatus
from shared.jobs.world import World
from shared.store import jobs, variants

_ENDS: Mapping[str, VariantStatus] = {
    "job.out_of_time": VariantStatus.TIMEOUT,
    "job.cancelled": VariantStatus.CANCELLED,
    "variant.duplicate": VariantStatus.DUPLICATE,
}


def load_job(world: World, job_id: str) -> tuple[Job, list[Variant]]:
    """Load a job and its variants.

    Raises:
        JobError: `job.unknown`.
    """
    with world.database.read() as connection:
        job = jobs.load_job(connection, job_id)
        if job is None:
            raise JobError("job.unknown", "There is no such job.", verdict=Verdict.BUG)
        return job, variants.load_variants(connection, job_id)


def require_open(
    connection: Connection, job_id: str, number: int, *, until: datetime, now: datetime
) -> tuple[Job, Variant]:
    """Load one variant that may still go on; the guard before every effect of a variant.

    Raises:
        JobError: `job.cancelled`, `job.out_of_time`, or `variant.closed` when it has ended already.
    """
    job = jobs.load_job(connection, job_id)
    variant = variants.load_variant(connection, job_id, number)
    if job is None or variant is None:
        raise JobError("job.unknown", "There is no such job.", verdict=Verdict.BUG)
    if job.cancel_requested:
        raise JobError("job.cancelled", "The job was cancelled.")
    if now >= until:
        raise JobError("job.out_of_time", "The time limit of the variant is over.")
    if variant.status.is_final and variant.status is not VariantStatus.SUCCESS:
        raise JobError("variant.closed", f"The variant has ended: {variant.status}.")
    return job, variant


def settle(
    connection: Connection,
    job_id: str,
    outcomes: Iterable[Mapping[str, Any]],
    *,
    at: datetime,
) -> list[Variant]:
    """Record the ends that no step recorded itself; answer the rows that ended just now."""
    settled = []
    for outcome in outcomes:
        variant = variants.load_variant(connection, job_id, int(outcome["number"]))
        if variant is None or variant.status.is_final or outcome["ok"]:
            continue
        error = outcome["error"]
        settled.append(
            variants.move_variant(
                connection,
                job_id,
                variant.number,
                _ENDS.get(error["code"], VariantStatus.FAILED),
                at=at,
                finished_at=at,
                error_code=error["code"],
                verdict=error["verdict"],
                note=error["message"][:500],
            )
        )
    return settled
