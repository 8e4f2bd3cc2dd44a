"""Turns a job's rows into what its comments show."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.comments.view import JobView, VariantView
from shared.domain.job import Job, Variant, find_twin
from shared.domain.links import build_job_page_url, build_pull_request_url
from shared.domain.model_use import find_model_use, is_model_made
from shared.domain.states import VariantStatus
from shared.jobs.world import World
from shared.llm.strategies import find_strategy
from shared.policy.page_tokens import write_page_token


def build_view(
    world: World, job: Job, rows: Sequence[Variant], *, position: int | None = None
) -> JobView:
    """Build the view of a job in the language of the settings."""
    return JobView(
        id=job.id,
        correlation_id=job.correlation_id,
        intent=job.intent,
        status=job.status,
        provider=next((row.llm_provider for row in rows if row.llm_provider), None)
        or world.settings.models.names[0],
        page_url=_link_page(world, job),
        position=position,
        variants=tuple(build_variant_view(world, job, row, rows) for row in rows),
        error_code=job.error_code,
        error_message=job.error_message or "",
        duration_s=_seconds(job.created_at, job.finished_at),
        clarification=job.clarification,
        clarify_wait_s=world.settings.clarify_wait_s,
        use=find_model_use(rows),
    )


def _link_page(world: World, job: Job) -> str:
    """Answer the address of a job's page, the same each time; it opens by itself for some days."""
    settings = world.settings
    if not settings.public_url or settings.pages_access == "open":
        return build_job_page_url(settings.public_url, job.id)
    expires_at = job.created_at + timedelta(days=settings.link_days)
    token = write_page_token(job.id, key=world.keys.links[0], expires_at=expires_at)
    return build_job_page_url(settings.public_url, job.id, token)


def build_variant_view(
    world: World, job: Job, row: Variant, rows: Sequence[Variant]
) -> VariantView:
    """Build the view of one variant."""
    strategy = find_strategy(row.strategy)
    url = ""
    if row.pull_request_id is not None:
        url = build_pull_request_url(
            world.settings.organisation_url, job.repository, row.pull_request_id
        )
    return VariantView(
        number=row.number,
        title=strategy.title_in(world.settings.language) if strategy else row.strategy,
        status=row.status,
        pull_request_id=row.pull_request_id,
        pull_request_url=url,
        files_changed=row.files_changed,
        lines_added=row.lines_added,
        lines_deleted=row.lines_deleted,
        duration_s=_seconds(row.started_at, row.finished_at),
        note=row.note,
        twin=find_twin(row, rows),
        error_code=None if row.status is VariantStatus.DUPLICATE else row.error_code,
        error_message=row.note if row.error_code else "",
        verdict=row.verdict,
        provider=row.llm_provider or "",
        model=(row.llm_model or "") if is_model_made(row) else "",
    )


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    if since is None or until is None:
        return None
    return (until - since).total_seconds()
