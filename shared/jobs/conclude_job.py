"""Closes a job in the records: how its variants ended, and so how it ended; tells operators."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from shared.domain.job import Job
from shared.domain.states import JobStatus, VariantStatus, conclude
from shared.jobs.rows import load_job, settle
from shared.jobs.tell_operators import tell_operators
from shared.jobs.world import World
from shared.store import audit, jobs, variants
from shared.store.audit import AuditAction

_CANCELLED = {
    "code": "job.cancelled",
    "verdict": "user",
    "message": "The job was cancelled.",
    "retry_after_s": None,
}


def conclude_job(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Close the job; answers `{"status", "closes_thread"}`. Said twice, the first end stays.

    `error` is why the job ended before its variants began; they end with it.
    """
    with world.database.transaction() as connection:
        now = world.clock()
        settle(connection, order["job_id"], order["outcomes"], at=now)
        known = jobs.load_job(connection, order["job_id"])
        if known is not None and not known.status.is_final:
            _close(connection, known, order["error"], world)
    job, _ = load_job(world, order["job_id"])
    tell_operators(world, job.id)
    return {
        "status": str(job.status),
        # a review thread stays the reviewer's to resolve: only a command's own is closed
        "closes_thread": job.comment.comment_id == 1
        and job.status in (JobStatus.SUCCESS, JobStatus.PARTIAL_SUCCESS),
    }


def _close(connection: Connection, job: Job, error: Mapping[str, Any] | None, world: World) -> None:
    now = world.clock()
    reason = error or (_CANCELLED if job.cancel_requested else None)
    if reason is not None:
        open_rows = [
            row for row in variants.load_variants(connection, job.id) if not row.status.is_final
        ]
        outcomes = [{"number": row.number, "ok": False, "error": reason} for row in open_rows]
        settle(connection, job.id, outcomes, at=now)
    rows = variants.load_variants(connection, job.id)
    status = conclude({row.number: row.status for row in rows})
    if error is not None and error["code"] == "job.cancelled":
        status = JobStatus.CANCELLED
    jobs.move_job(
        connection,
        job.id,
        status,
        at=now,
        finished_at=now,
        error_code=error["code"] if error else None,
        error_message=error["message"][:500] if error else None,
    )
    audit.record(
        connection,
        job_id=job.id,
        actor_id=job.actor_id,
        action=AuditAction.JOB_CONCLUDED,
        at=now,
        facts={
            "status": str(status),
            "successful": sum(row.status is VariantStatus.SUCCESS for row in rows),
        },
    )
