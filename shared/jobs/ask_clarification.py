"""Asks the author of a vague request, in its thread, what it means: one comment for each round."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from shared.comments.marker import CommentKind
from shared.domain.errors import JobError, Verdict
from shared.jobs.rows import load_job
from shared.jobs.speak import reply_once
from shared.jobs.views import build_view
from shared.jobs.world import World
from shared.store import audit, jobs
from shared.store.audit import AuditAction
from shared.telemetry.emit import emit
from shared.telemetry.events import ClarificationAsked


def ask_clarification(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Post the question of round `round` (from 1), or find it; answers `{"comment_id"}`."""
    job, rows = load_job(world, order["job_id"])
    number = int(order["round"])
    if job.cancel_requested:
        raise JobError("job.cancelled", "The job was cancelled.")
    if len(job.clarification.rounds) < number:
        raise JobError("job.no_question", "There is nothing to ask.", verdict=Verdict.BUG)
    view = build_view(world, job, rows)

    def remember(connection: Connection, result: dict[str, Any]) -> None:
        known = jobs.load_job(connection, job.id) or job
        now = world.clock()
        asked = known.clarification.change_round(number, comment_id=result["comment_id"])
        jobs.keep_clarification(connection, job.id, asked, at=now)
        audit.record(
            connection,
            job_id=job.id,
            actor_id=job.actor_id,
            action=AuditAction.CLARIFICATION_ASKED,
            at=now,
            facts={"round": number},
        )

    said = reply_once(
        world,
        job.comment,
        f"question/{number}",
        CommentKind.QUESTION,
        lambda: world.comments.write_question(
            view, number=number, most=world.settings.clarify_rounds
        ),
        part=number,
        after=remember,
    )
    if said["posted"]:
        emit(
            ClarificationAsked(
                jobId=job.id,
                correlationId=job.correlation_id,
                round=number,
                options=len(job.clarification.rounds[number - 1].question.options),
            )
        )
    return {"comment_id": said["comment_id"]}
