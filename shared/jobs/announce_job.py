"""Says that a job has begun, or waits at a place in the queue."""

from collections.abc import Mapping
from typing import Any

from shared.domain.errors import JobError
from shared.domain.states import JobStatus
from shared.jobs.rows import load_job
from shared.jobs.speak import show_status
from shared.jobs.views import build_view
from shared.jobs.world import World
from shared.store import jobs


def announce_job(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Post the status comment; without a `position` the job is running from here on."""
    job, rows = load_job(world, order["job_id"])
    position = order.get("position")
    if position is None:
        if job.cancel_requested:
            raise JobError("job.cancelled", "The job was cancelled.")
        with world.database.transaction() as connection:
            now = world.clock()
            job = jobs.move_job(
                connection, job.id, JobStatus.RUNNING, at=now, started_at=job.started_at or now
            )
    view = build_view(world, job, rows, position=position)
    show_status(world, job, world.comments.write_status(view))
    return {}
