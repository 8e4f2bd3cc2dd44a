"""Decides whether the author of a request must be asked what it means, and keeps the question."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from shared.domain.clarification import ClarifyingQuestion, ClarifyingRound
from shared.domain.errors import JobError
from shared.domain.job import Job
from shared.jobs.charges import JobAccount
from shared.jobs.rows import load_job
from shared.jobs.world import World
from shared.llm.clarifier import ClarifyRequest
from shared.store import artifacts, effects, jobs
from shared.store.effects import EffectState

JUDGING_TIME: Final = timedelta(seconds=60)
"""A verdict that takes longer is worth less than the time of whoever waits for the drafts."""


def judge_request(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Answer `{"asks"}`: whether round `round` (from 1) has a question, which is in the row then.

    Said twice, the first verdict stays, so that what is posted is what was decided.
    """
    job, rows = load_job(world, order["job_id"])
    if job.cancel_requested:
        raise JobError("job.cancelled", "The job was cancelled.")
    number = int(order["round"])
    if job.clarification.end is not None:  # made clear by the job that this one repeats
        return {"asks": False}
    if len(job.clarification.rounds) >= number:
        return {"asks": True}
    question = _find_question(order, world, job, JobAccount(world, job, rows[0].number))
    with world.database.transaction() as connection:
        return _keep_verdict(connection, job, number, question, at=world.clock())


def _keep_verdict(
    connection: Connection,
    job: Job,
    number: int,
    question: ClarifyingQuestion | None,
    *,
    at: datetime,
) -> dict[str, Any]:
    """Keep what was decided first, and answer it."""
    key = f"judge/{number}"
    earlier = effects.begin(connection, job.id, key, at=at)
    if earlier.state is EffectState.DONE:
        return dict(earlier.result)
    if question is not None:
        rounds = (*job.clarification.rounds, ClarifyingRound(question))
        asked = replace(job.clarification, rounds=rounds)
        jobs.keep_clarification(connection, job.id, asked, at=at)
    verdict = {"asks": question is not None}
    effects.finish(connection, job.id, key, verdict, at=at)
    return verdict


def _find_question(
    order: Mapping[str, Any], world: World, job: Job, account: JobAccount
) -> ClarifyingQuestion | None:
    rounds = job.clarification.rounds
    if rounds and rounds[-1].fault is not None:  # it has not been answered: the same once more
        return rounds[-1].question
    with world.database.read() as connection:
        shown = json.loads(artifacts.get(connection, order["context"]["context"]))
    lines, providers = shown["thread_lines"], order.get("providers")
    request = ClarifyRequest(
        intent=job.intent,
        rounds=rounds,
        ranked_paths=tuple(shown["ranked_paths"]),
        changed_paths=tuple(shown["changed_paths"]),
        thread_path=shown["thread_path"],
        thread_lines=(lines[0], lines[1]) if lines else None,
        context_text=shown["text"],
        language=world.settings.language,
        deadline=world.clock() + JUDGING_TIME,
        nonce=shown.get("nonce", ""),
        pull_request=shown.get("pull_request", ""),
        admitted=None if providers is None else tuple(providers),
    )
    clarifiers = world.open_clarifiers(account, job.comment)
    found = (clarifier.clarify(request) for clarifier in clarifiers)
    return next((question for question in found if question is not None), None)
