"""Pushes one variant's branch and commit in one call, or finds them where they were left."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection

from shared.ado import pushes
from shared.domain.clock import parse_instant
from shared.domain.credentials import mask_credentials
from shared.domain.errors import JobError, Verdict
from shared.domain.states import VariantStatus
from shared.jobs.draft_patch import change_from_plain
from shared.jobs.effects import once
from shared.jobs.rows import load_job, require_open
from shared.jobs.world import World
from shared.store import artifacts, audit, variants
from shared.store.audit import AuditAction

LEAST_TIME: Final = timedelta(seconds=3)
"""With less time than this before a variant's deadline, none of its effects is begun."""
SPARE_TIME: Final = timedelta(seconds=1)
"""An effect's call ends at least this long before the deadline, so that its end can be recorded."""


def push_branch(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Push the patch that was drafted; answers `{"commit_id"}`."""
    number = int(order["number"])
    job, rows = load_job(world, order["job_id"])
    variant = next(row for row in rows if row.number == number)
    if variant.status is VariantStatus.SUCCESS:
        return {"commit_id": variant.commit_id}
    if variant.patch_artifact is None:
        raise JobError("variant.not_drafted", "There is nothing to push.", verdict=Verdict.BUG)
    with world.database.read() as connection:
        patch = json.loads(artifacts.get(connection, variant.patch_artifact))
    deadline = parse_instant(order["deadline"])
    repository = job.repository
    message = (
        f"{_subject(job.intent)}\n\n"
        f"Variant {number} ({variant.strategy}) for pull request {job.comment.pull_request_id}.\n\n"
        f"Code-Agent-Job: {job.id}\n"
    )

    def begin(connection: Connection) -> None:
        now = world.clock()
        require_open(connection, job.id, number, until=deadline - LEAST_TIME, now=now)
        variants.move_variant(connection, job.id, number, VariantStatus.PUSHING, at=now)

    def push() -> dict[str, Any]:
        with world.ado.until(deadline - SPARE_TIME):
            commit_id = pushes.push_branch(
                world.ado,
                repository,
                branch=variant.branch,
                base_commit=job.base_commit,
                changes=[change_from_plain(change) for change in patch["changes"]],
                message=message,
            )
        return {"commit_id": commit_id}

    def find() -> dict[str, Any] | None:
        commit_id = pushes.find_pushed_branch(
            world.ado,
            repository,
            branch=variant.branch,
            base_commit=job.base_commit,
            message=message,
        )
        return None if commit_id is None else {"commit_id": commit_id}

    def record(connection: Connection, result: dict[str, Any]) -> None:
        now = world.clock()
        variants.move_variant(
            connection,
            job.id,
            number,
            VariantStatus.PUSHING,
            at=now,
            commit_id=result["commit_id"],
        )
        audit.record(
            connection,
            job_id=job.id,
            actor_id=job.actor_id,
            action=AuditAction.BRANCH_PUSHED,
            at=now,
            facts={"variant": number, "commit": result["commit_id"]},
        )

    return once(world, job.id, f"push/v{number}", make=push, find=find, before=begin, after=record)


def _subject(intent: str) -> str:
    first = mask_credentials(" ".join(intent.split()))
    return first if len(first) <= 72 else first[:71] + "…"
