"""Rows that tests of the store begin with."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.comment_ref import CommentRef
from shared.domain.job import Job, Variant
from shared.domain.names import build_branch
from shared.domain.states import JobStatus, VariantStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = "11111111-1111-1111-1111-111111111111"
REPOSITORY = "22222222-2222-2222-2222-222222222222"
REF = CommentRef("contoso", PROJECT, REPOSITORY, 7, 5, 1)


def a_job(comment_id: int = 1, **changes: Any) -> Job:
    ref = dataclasses.replace(REF, comment_id=comment_id)
    job = Job(
        id=ref.instance_id,
        comment=ref,
        status=JobStatus.QUEUED,
        intent="make all buttons red",
        requested_variants=3,
        actor_id="u",
        correlation_id="c",
        project_name="Web Shop",
        repository_name="shop",
        pull_request_title="title",
        source_ref="refs/heads/feature/x",
        base_commit="a" * 40,
        created_at=NOW + timedelta(seconds=comment_id),
        updated_at=NOW,
    )
    return dataclasses.replace(job, **changes)


def a_variant(number: int, job: Job | None = None) -> Variant:
    job = job or a_job()
    branch = build_branch(job.comment, number)
    return Variant(job.id, number, VariantStatus.PENDING, branch, "smallest-change", NOW)
