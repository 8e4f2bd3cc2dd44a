"""Records how variants ended and edits the status comment."""

from collections.abc import Mapping
from typing import Any

from shared.jobs.rows import load_job, settle
from shared.jobs.speak import show_status
from shared.jobs.views import build_view
from shared.jobs.world import World


def report_progress(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Bring rows and status comment up to date with `outcomes`, as far as they go."""
    with world.database.transaction() as connection:
        settle(connection, order["job_id"], order["outcomes"], at=world.clock())
    job, rows = load_job(world, order["job_id"])
    show_status(world, job, world.comments.write_status(build_view(world, job, rows)))
    return {}
