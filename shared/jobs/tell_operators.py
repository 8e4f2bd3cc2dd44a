"""Tells operators how a job and each of its variants ended: events, metrics, final failures.

Told once, through the ledger. A process that is killed between telling and writing down that it
has told may tell again: what it told before had most likely not left it yet.
"""

from datetime import timedelta
from typing import Final

from shared.domain.errors import CodeAgentError, Verdict
from shared.domain.job import Job, Variant
from shared.domain.model_use import is_model_made
from shared.domain.states import JobStatus, VariantStatus
from shared.jobs.effects import once
from shared.jobs.rows import load_job
from shared.jobs.world import World
from shared.telemetry import metrics
from shared.telemetry.emit import emit
from shared.telemetry.events import JobCompleted, VariantCompleted
from shared.telemetry.exporting import flush
from shared.telemetry.failures import tell_failure
from shared.telemetry.redact import hash_person

_SYSTEM: Final = (Verdict.BUG, Verdict.RETRY)
"""Verdicts that are nobody's but ours to mend."""
_MS: Final = timedelta(milliseconds=1)


def tell_operators(world: World, job_id: str) -> None:
    """Tell how an ended job ended, unless it has been told."""
    job, rows = load_job(world, job_id)

    def tell() -> dict[str, object]:
        for row in rows:
            _tell_variant(job, row)
        _tell_job(job, rows, _hash_author(world, job))
        flush(metrics=True)  # before the ledger says that it has been told
        return {}

    once(world, job_id, "telemetry", make=tell)


def _hash_author(world: World, job: Job) -> str:
    try:
        return hash_person(job.actor_id, world.keys.people)
    except CodeAgentError:  # no secret to hash with: nobody is told of
        return "unknown"


def _tell_variant(job: Job, row: Variant) -> None:
    began, ended = row.started_at or job.created_at, row.finished_at or row.updated_at
    made = is_model_made(row)
    status, provider = str(row.status), row.llm_provider or "none"
    verdict = _find_fault(row) or "none"
    model = (row.llm_model or "none") if made else "none"
    cache = ("hit" if row.from_cache else "miss") if made else "none"
    duration_ms = (ended - began) / _MS
    verdict = row.verdict or "none"
    emit(
        VariantCompleted(
            jobId=job.id,
            correlationId=job.correlation_id,
            variant=row.number,
            status=status,
            verdict=verdict,
            llmProvider=provider,
            llm_model=model,
            cache=cache,
            duration_ms=duration_ms,
            tokens_in=row.tokens_in,
            tokens_cached=row.tokens_cached,
            tokens_out=row.tokens_out,
            cost_usd=None if row.cost_micro_usd is None else row.cost_micro_usd / 1_000_000,
            repair_rounds=row.repair_rounds,
        )
    )
    metrics.VARIANT_DURATION.record(
        duration_ms, status=status, llmProvider=provider, variant=row.number
    )
    metrics.VARIANTS.record(1, status=status, verdict=verdict, llmProvider=provider)
    if made:
        metrics.RESULT_CACHE.record(1, outcome=cache)
        metrics.REPAIR_ROUNDS.record(row.repair_rounds, llmProvider=provider, llm_model=model)
    if verdict in _SYSTEM:
        tell_failure(
            row.error_code or "app.unknown",
            verdict,
            operation="produce_variant",
            job_id=job.id,
            correlation_id=job.correlation_id,
        )


def _tell_job(job: Job, rows: list[Variant], actor: str) -> None:
    ended = job.finished_at or job.updated_at
    duration_ms = (ended - job.created_at) / _MS
    emit(
        JobCompleted(
            jobId=job.id,
            correlationId=job.correlation_id,
            status=str(job.status),
            verdict=find_verdict(job, rows),
            actor=actor,
            intent_length=len(job.intent),
            duration_ms=duration_ms,
            totalVariants=len(rows),
            successfulVariants=sum(row.status is VariantStatus.SUCCESS for row in rows),
        )
    )
    metrics.JOB_DURATION.record(duration_ms, status=str(job.status))
    if job.started_at is not None:
        metrics.SLOT_WAIT.record((job.started_at - job.created_at) / _MS)


def find_verdict(job: Job, rows: list[Variant]) -> str:
    """Say whose it is that a job has no result; `none` when it has one.

    A fault of the system outweighs what the author could have done otherwise.
    """
    if job.status in (JobStatus.SUCCESS, JobStatus.PARTIAL_SUCCESS):
        return "none"
    if job.status is JobStatus.CANCELLED:
        return str(Verdict.USER)
    told = [verdict for row in rows if (verdict := _find_fault(row))]
    system = [verdict for verdict in told if verdict in _SYSTEM]
    return (system or told or [str(Verdict.BUG)])[0]


def _find_fault(row: Variant) -> str | None:
    """Say whose it is that a variant failed; nobody but we can mend that one ran out of time."""
    return str(Verdict.RETRY) if row.status is VariantStatus.TIMEOUT else row.verdict
