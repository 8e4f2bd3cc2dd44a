"""Keeps the status `code-agent/edit` of the pull request in step with the job."""

from collections.abc import Mapping
from typing import Any, Final

from shared.ado import statuses
from shared.domain.names import STATUS_GENRE, STATUS_NAME
from shared.domain.pull_request import StatusNote, StatusState
from shared.domain.states import JobStatus
from shared.jobs.effects import once
from shared.jobs.rows import load_job
from shared.jobs.views import build_view
from shared.jobs.world import World

_STATES: Final[Mapping[JobStatus, StatusState]] = {
    JobStatus.QUEUED: StatusState.PENDING,
    JobStatus.RUNNING: StatusState.PENDING,
    JobStatus.SUCCESS: StatusState.SUCCEEDED,
    JobStatus.PARTIAL_SUCCESS: StatusState.SUCCEEDED,
    JobStatus.FAILED: StatusState.FAILED,
    JobStatus.CANCELLED: StatusState.NOT_APPLICABLE,
    JobStatus.REJECTED: StatusState.NOT_APPLICABLE,
}


def set_pull_request_status(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Post the status that fits the job now. Without an iteration, so it survives new pushes."""
    job, rows = load_job(world, order["job_id"])
    view = build_view(world, job, rows)
    note = StatusNote(
        genre=STATUS_GENRE,
        name=STATUS_NAME,
        state=_STATES[job.status],
        description=world.comments.write_status_line(view),
        target_url=view.page_url,
    )
    place = (world.ado, job.repository, job.comment.pull_request_id)

    def find() -> dict[str, Any] | None:
        found = statuses.find_status(*place, note)
        return None if found is None else {"status_id": found}

    return once(
        world,
        job.id,
        f"pull_request_status/{job.status}",
        make=lambda: {"status_id": statuses.set_status(*place, note)},
        find=find,
    )
