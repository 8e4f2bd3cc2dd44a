"""The JSON of jobs and variants: what scripts read, and what the HTML is made from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.domain.job import Job, Variant, find_twin
from shared.domain.links import build_pull_request_url
from shared.domain.model_use import find_model_use, is_model_made
from shared.domain.switches import Mode, Switches


def job_to_plain(job: Job, rows: Sequence[Variant], organisation_url: str) -> dict[str, Any]:
    """Write a job with its variants. Instants are ISO 8601 in UTC, durations seconds."""
    ref = job.comment
    return {
        "id": job.id,
        "status": str(job.status),
        "is_final": job.status.is_final,
        "intent": job.intent,
        "project": job.project_name,
        "repository": job.repository_name,
        "pull_request_id": ref.pull_request_id,
        "pull_request_title": job.pull_request_title,
        "pull_request_url": _link(job, organisation_url, ref.pull_request_id),
        "thread_id": ref.thread_id,
        "comment_id": ref.comment_id,
        "source_ref": job.source_ref,
        "base_commit": job.base_commit,
        "correlation_id": job.correlation_id,
        "cancel_requested": job.cancel_requested,
        "created_at": _instant(job.created_at),
        "started_at": _instant(job.started_at),
        "finished_at": _instant(job.finished_at),
        "duration_s": _seconds(job.created_at, job.finished_at),
        "clarification": _clarification(job),
        "model_use": _model_use(rows),
        "error": _error(job.error_code, job.error_message),
        "variants": [variant_to_plain(job, row, rows, organisation_url) for row in rows],
    }


def _clarification(job: Job) -> dict[str, Any] | None:
    clarification = job.clarification
    if not clarification.rounds:
        return None
    return {
        "is_waiting": clarification.is_waiting,
        "end": clarification.end,
        "questions": [each.question.question for each in clarification.rounds],
        "reading": clarification.reading,
    }


def _model_use(rows: Sequence[Variant]) -> dict[str, Any] | None:
    use = find_model_use(rows)
    if use is None:
        return None
    return {
        "models": [{"provider": provider, "model": model} for provider, model in use.models],
        "tokens_in": use.tokens_in,
        "tokens_cached": use.tokens_cached,
        "tokens_out": use.tokens_out,
        "cost_usd": _usd(use.cost_micro_usd),
        "cache_hits": use.cache_hits,
        "repair_rounds": use.repair_rounds,
    }


def variant_to_plain(
    job: Job, row: Variant, rows: Sequence[Variant], organisation_url: str
) -> dict[str, Any]:
    """Write one variant, without its diff."""
    return {
        "k": row.number,
        "status": str(row.status),
        "is_final": row.status.is_final,
        "strategy": row.strategy,
        "branch": row.branch,
        "commit_id": row.commit_id,
        "pr_id": row.pull_request_id,
        "pr_url": _link(job, organisation_url, row.pull_request_id),
        "files_changed": row.files_changed,
        "lines_added": row.lines_added,
        "lines_deleted": row.lines_deleted,
        "note": row.note,
        "same_as": find_twin(row, rows),
        "error_code": row.error_code,
        "verdict": row.verdict,
        "provider": row.llm_provider,
        "model": row.llm_model if is_model_made(row) else None,
        "model_duration_ms": row.llm_duration_ms,
        "tokens_in": row.tokens_in,
        "tokens_cached": row.tokens_cached,
        "tokens_out": row.tokens_out,
        "cost_usd": _usd(row.cost_micro_usd),
        "repair_rounds": row.repair_rounds,
        "from_cache": row.from_cache,
        "started_at": _instant(row.started_at),
        "finished_at": _instant(row.finished_at),
        "duration_s": _seconds(row.started_at, row.finished_at),
    }


def _link(job: Job, organisation_url: str, pull_request_id: int | None) -> str | None:
    if pull_request_id is None:
        return None
    return build_pull_request_url(organisation_url, job.repository, pull_request_id)


def _error(code: str | None, message: str | None) -> dict[str, str] | None:
    return None if code is None else {"code": code, "message": message or ""}


def _usd(micro_usd: int | None) -> float | None:
    return None if micro_usd is None else micro_usd / 1_000_000


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    if since is None or until is None:
        return None
    return round((until - since).total_seconds(), 3)


def word_switches(switches: Switches) -> str:
    """Say in one line what operators have turned; empty where all is as it is by itself."""
    said = []
    if switches.mode is Mode.PAUSED:
        said.append("Paused by the operators: no job is started.")
    elif switches.mode is Mode.READ_ONLY:
        said.append("Read-only: nothing is written to Azure DevOps, and jobs wait.")
    if switches.note:
        said.append(switches.note)
    if switches.brake is not None:
        said.append(f"At most {switches.brake} at once.")
    if switches.providers:
        said.append(f"Models asked: {', '.join(switches.providers)}.")
    return " ".join(said)
