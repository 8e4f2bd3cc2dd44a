"""Gives the one final reply of a job: the comparison of its variants, or why there are none."""

from collections.abc import Mapping
from typing import Any

from shared.comments.marker import CommentKind
from shared.jobs.rows import load_job
from shared.jobs.speak import reply_once
from shared.jobs.views import build_view
from shared.jobs.world import World


def reply_result(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Post the final reply; answers `{"comment_id"}`."""
    job, rows = load_job(world, order["job_id"])
    view = build_view(world, job, rows)
    said = reply_once(
        world,
        job.comment,
        "final_reply",
        CommentKind.FINAL,
        lambda: world.comments.write_final(view),
    )
    return {"comment_id": said["comment_id"]}
