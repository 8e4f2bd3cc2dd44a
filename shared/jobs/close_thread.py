"""Closes the thread of a command that has been carried out."""

from collections.abc import Mapping
from typing import Any

from shared.ado.threads import set_thread_status
from shared.domain.pull_request import ThreadStatus
from shared.jobs.rows import load_job
from shared.jobs.world import World


def close_thread(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Set the thread to closed; setting it twice is the same."""
    job, _ = load_job(world, order["job_id"])
    ref = job.comment
    set_thread_status(
        world.ado, job.repository, ref.pull_request_id, ref.thread_id, ThreadStatus.CLOSED
    )
    return {}
