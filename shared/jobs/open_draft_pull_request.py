"""Opens the draft pull request of one variant into the branch that the command stands on."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from shared.ado import pull_requests
from shared.domain.clock import parse_instant
from shared.domain.errors import JobError, Verdict
from shared.domain.states import VariantStatus
from shared.jobs.effects import once
from shared.jobs.push_branch import LEAST_TIME, SPARE_TIME
from shared.jobs.rows import load_job, require_open
from shared.jobs.views import build_variant_view, build_view
from shared.jobs.world import World
from shared.store import audit, variants
from shared.store.audit import AuditAction

LABEL = "code-agent"


def open_draft_pull_request(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Open the draft, or find it; answers `{"pull_request_id"}`. The variant has succeeded then."""
    number = int(order["number"])
    job, rows = load_job(world, order["job_id"])
    variant = next((row for row in rows if row.number == number), None)
    if variant is None or variant.commit_id is None:
        raise JobError("variant.not_pushed", "There is no branch to open.", verdict=Verdict.BUG)
    if variant.status is VariantStatus.SUCCESS:
        return {"pull_request_id": variant.pull_request_id}
    deadline = parse_instant(order["deadline"])
    repository = job.repository
    branches = {
        "source_branch": variant.branch,
        "target_branch": job.source_ref.removeprefix("refs/heads/"),
    }

    def begin(connection: Connection) -> None:
        require_open(connection, job.id, number, until=deadline - LEAST_TIME, now=world.clock())

    def find() -> dict[str, Any] | None:
        found = pull_requests.find_draft_pull_request(world.ado, repository, **branches)
        return None if found is None else {"pull_request_id": found}

    def open_it() -> dict[str, Any]:
        view = build_view(world, job, rows)
        shown = build_variant_view(world, job, variant, rows)
        with world.ado.until(deadline - SPARE_TIME):
            opened = pull_requests.open_draft_pull_request(
                world.ado,
                repository,
                **branches,
                title=world.comments.write_title(view, shown),
                description=world.comments.write_description(
                    view, shown, job.comment.pull_request_id
                ),
                labels=(LABEL,),
            )
        return {"pull_request_id": opened}

    def record(connection: Connection, result: dict[str, Any]) -> None:
        now = world.clock()
        variants.move_variant(
            connection,
            job.id,
            number,
            VariantStatus.SUCCESS,
            at=now,
            finished_at=now,
            pull_request_id=result["pull_request_id"],
        )
        audit.record(
            connection,
            job_id=job.id,
            actor_id=job.actor_id,
            action=AuditAction.PULL_REQUEST_OPENED,
            at=now,
            facts={"variant": number, "pull_request": result["pull_request_id"]},
        )

    return once(
        world,
        job.id,
        f"pull_request/v{number}",
        make=open_it,
        find=find,
        before=begin,
        after=record,
    )
