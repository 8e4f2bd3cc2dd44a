"""Replies to a comment that opens no job: help, status, cancel, a refusal, or our own failure."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from shared.comments.marker import CommentKind
from shared.domain.comment_ref import CommentRef
from shared.domain.job import Job
from shared.domain.names import EventName
from shared.jobs.limits import is_telling_due, may_answer
from shared.jobs.speak import reply_once
from shared.jobs.views import build_view
from shared.jobs.world import World
from shared.store import audit, effects, jobs, variants
from shared.store.audit import AuditAction
from shared.store.effects import EffectState

MAX_LISTED: Final = 10


def answer_command(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Reply once; answers `{"wake"}`: the jobs that must hear of a cancellation, or None."""
    ref = CommentRef.from_plain(order["comment"])
    failure = order.get("failure")
    if failure is not None:
        if order["addressed"]:  # nobody is bothered for a comment that may have been no command
            _refuse(world, ref, order, failure["code"], failure["message"])
        return {"wake": None}
    answer = order["answer"]
    kind = answer["kind"]
    is_heard = may_answer(world, ref, answer["actor_id"])
    if kind == "refusal":
        if is_heard and _is_news(world, ref, order, answer["code"]):
            _refuse(world, ref, order, answer["code"], answer["message"])
        return {"wake": None}
    if kind == "cancel":
        return _cancel(world, ref, answer["actor_id"], tells=is_heard)
    if not is_heard:
        return {"wake": None}
    if kind == "status":
        _reply(world, ref, kind, _list_jobs(world, ref))
    else:
        text = world.comments.write_help(
            ref.instance_id,
            default_variants=world.settings.default_variants,
            max_variants=world.settings.max_variants,
        )
        _reply(world, ref, kind, text)
    return {"wake": None}


def _reply(world: World, ref: CommentRef, key: str, text: str) -> None:
    reply_once(world, ref, f"answer/{key}", CommentKind.ANSWER, lambda: text)


def _refuse(
    world: World, ref: CommentRef, order: Mapping[str, Any], code: str, message: str
) -> None:
    text = world.comments.write_refusal(ref.instance_id, order["correlation_id"], code, message)
    _reply(world, ref, code, text)


def _is_news(world: World, ref: CommentRef, order: Mapping[str, Any], code: str) -> bool:
    """Answer whether a person has not been told a refusal yet that is the same for each attempt.

    Whoever has no permission is told once for each pull request, whoever has met a limit once until
    there is room again.
    """
    if code.startswith("limit."):
        return is_telling_due(world, ref, order["answer"])
    if not code.startswith("permission."):
        return True
    told = "\n".join(
        (
            ref.organisation.lower(),
            ref.repository_id,
            str(ref.pull_request_id),
            order["answer"]["actor_id"],
        )
    )
    scope = "told-" + hashlib.sha256(told.encode()).hexdigest()[:32]
    with world.database.transaction() as connection:
        known = effects.begin(connection, scope, code, at=world.clock())
        if known.state is EffectState.NEW:
            effects.finish(connection, scope, code, {"by": ref.instance_id}, at=world.clock())
            return True
        # the same comment again is an attempt of the same reply
        return known.result.get("by") == ref.instance_id


def _list_jobs(world: World, ref: CommentRef) -> str:
    found = _load_jobs(world, ref)[:MAX_LISTED]
    with world.database.read() as connection:
        rows = variants.load_variants_of(connection, [job.id for job in found])
    views = tuple(build_view(world, job, rows[job.id]) for job in found)
    return world.comments.write_job_list(ref.instance_id, views)


def _cancel(world: World, ref: CommentRef, actor_id: str, *, tells: bool) -> dict[str, Any]:
    stopped = [job for job in _load_jobs(world, ref) if not job.status.is_final]
    with world.database.transaction() as connection:
        now = world.clock()
        fresh = [job for job in stopped if not job.cancel_requested]
        jobs.request_cancel(connection, [job.id for job in fresh], at=now)
        for job in fresh:
            audit.record(
                connection,
                job_id=job.id,
                actor_id=actor_id,
                action=AuditAction.JOB_CANCELLED,
                at=now,
                facts={},
            )
    if tells:
        _reply(world, ref, "cancel", world.comments.write_cancelled(ref.instance_id, len(stopped)))
    if not stopped:
        return {"wake": None}
    ids = [job.id for job in stopped]
    return {"wake": {"instance_ids": ids, "event": str(EventName.CANCEL_REQUESTED)}}


def _load_jobs(world: World, ref: CommentRef) -> list[Job]:
    with world.database.read() as connection:
        return jobs.load_jobs_of_pull_request(
            connection,
            organisation=ref.organisation,
            repository_id=ref.repository_id,
            pull_request_id=ref.pull_request_id,
        )
