"""Looks for the author's answer to a question, in the thread as it is now."""

from collections.abc import Mapping
from typing import Any

from shared.ado.threads import fetch_thread
from shared.domain.clarification import AnswerFault, ClarifyingRound
from shared.domain.errors import JobError, Verdict
from shared.domain.job import Job
from shared.domain.names import OWN_MARKER
from shared.domain.pull_request import Comment, CommentThread
from shared.jobs.rows import load_job
from shared.jobs.world import World
from shared.policy import answer
from shared.store import jobs
from shared.webhook.command import clean_text, looks_like_command


def read_answer(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Answer `{"found", "usable"}` for the question of round `round`; what was said is kept.

    The first comment behind the question counts, if the command's author wrote it and it is no
    command. Said twice, the first answer stays.
    """
    job, _ = load_job(world, order["job_id"])
    number = int(order["round"])
    known = job.clarification.rounds[number - 1]
    if known.answer is None and known.fault is None:
        found = _fetch_answer(world, job, known)
        if found is None:
            return {"found": False, "usable": False}
        known = _keep(world, job, number, answer.read_answer(found, known.question))
    return {"found": True, "usable": known.answer is not None}


def _fetch_answer(world: World, job: Job, asked: ClarifyingRound) -> str | None:
    if asked.comment_id is None:
        raise JobError("job.not_asked", "The question was not posted.", verdict=Verdict.BUG)
    ref = job.comment
    thread = fetch_thread(world.ado, job.repository, ref.pull_request_id, ref.thread_id)
    return next(
        (
            clean_text(comment.content)
            for comment in _list_replies(thread, asked.comment_id)
            if comment.author.id == job.actor_id and _is_talk(comment)
        ),
        None,
    )


def _list_replies(thread: CommentThread, comment_id: int) -> list[Comment]:
    later = [comment for comment in thread.comments if comment.id > comment_id]
    return sorted(later, key=lambda comment: comment.id)


def _is_talk(comment: Comment) -> bool:
    return (
        comment.is_text
        and not comment.is_deleted
        and not comment.content.startswith(OWN_MARKER)
        and not looks_like_command(comment.content)
        and clean_text(comment.content) != ""
    )


def _keep(world: World, job: Job, number: int, said: str | AnswerFault) -> ClarifyingRound:
    with world.database.transaction() as connection:
        known = (jobs.load_job(connection, job.id) or job).clarification
        if isinstance(said, AnswerFault):
            changed = known.change_round(number, fault=said)
        else:
            changed = known.change_round(number, answer=said)
        jobs.keep_clarification(connection, job.id, changed, at=world.clock())
    return changed.rounds[number - 1]
