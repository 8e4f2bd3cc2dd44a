"""Closes a job in the records: how its variants ended, and so how it ended. Tells nobody."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from shared.domain.job import Job, Variant
from shared.domain.model_use import is_model_made
from shared.domain.states import JobStatus, VariantStatus, conclude
from shared.jobs.rows import load_job, settle
from shared.jobs.world import World
from shared.store import audit, jobs, variants
from shared.store.audit import AuditAction
from shared.telemetry.emit import emit
from shared.telemetry.events import JobCompleted, VariantCompleted

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
        is_first = known is not None and not known.status.is_final
        if known is not None and is_first:
            _close(connection, known, order["error"], world)
    job, rows = load_job(world, order["job_id"])
    if is_first:
        _tell_operators(job, rows)
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


def _tell_operators(job: Job, rows: list[Variant]) -> None:
    for row in rows:
        began, ended = row.started_at or job.created_at, row.finished_at or row.updated_at
        emit(
            VariantCompleted(
                jobId=job.id,
                correlationId=job.correlation_id,
                variant=row.number,
                status=str(row.status),
                verdict=row.verdict or "none",
                llmProvider=row.llm_provider or "none",
                llm_model=(row.llm_model or "none") if is_model_made(row) else "none",
                duration_ms=1000 * (ended - began).total_seconds(),
                tokens_in=row.tokens_in,
                tokens_cached=row.tokens_cached,
                tokens_out=row.tokens_out,
                cost_usd=None if row.cost_micro_usd is None else row.cost_micro_usd / 1_000_000,
            )
        )
    ended = job.finished_at or job.updated_at
    emit(
        JobCompleted(
            jobId=job.id,
            correlationId=job.correlation_id,
            status=str(job.status),
            duration_ms=1000 * (ended - job.created_at).total_seconds(),
            totalVariants=len(rows),
            successfulVariants=sum(row.status is VariantStatus.SUCCESS for row in rows),
        )
    )
