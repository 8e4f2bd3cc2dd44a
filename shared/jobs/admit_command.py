"""Decides about a comment from what it reads back over REST, and opens the job if it is an edit.

Trusts nothing of the delivery but the ids. Safe to repeat: an open job is answered again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from shared.ado.errors import AdoError, AdoNotFoundError
from shared.ado.identities import find_own_id, list_group_names
from shared.ado.pull_requests import fetch_pull_request
from shared.ado.threads import fetch_thread
from shared.domain.clarification import NOTHING_ASKED, Clarification, ClarificationEnd
from shared.domain.clock import parse_instant
from shared.domain.commands import CancelCommand, Command, EditCommand, HelpCommand, RetryCommand
from shared.domain.comment_ref import CommentRef
from shared.domain.errors import CodeAgentError, CommandError, PolicyError
from shared.domain.job import Job, Variant
from shared.domain.names import STUB_PROVIDER, build_branch
from shared.domain.pull_request import Comment, CommentThread, PullRequest, RepositoryRef
from shared.domain.security_event import SecurityEventKind
from shared.domain.states import JobStatus, VariantStatus
from shared.domain.switches import Mode, Switches
from shared.jobs.limits import take_room
from shared.jobs.world import World
from shared.llm.strategies import name_strategy
from shared.policy.admission import check_pull_request, is_own_comment
from shared.policy.permission import decide_permission
from shared.store import artifacts, audit, jobs, security_events, variants
from shared.store.audit import AuditAction
from shared.store.security_events import SecurityEvent
from shared.telemetry.emit import emit
from shared.telemetry.events import CommandJudged, RateLimitExceeded
from shared.telemetry.redact import hash_person
from shared.webhook.command import parse_command

_MS: Final = timedelta(milliseconds=1)
ARTIFACTS_KEPT = timedelta(days=30)
"""As long as the job's rows."""


@dataclass(frozen=True, slots=True)
class _Request:
    intent: str
    numbers: tuple[int, ...]
    clarification: Clarification = NOTHING_ASKED


def admit_command(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Answer `{"next": "ignore" | "answer" | "edit", …}` for one comment."""
    judgement = _judge(order, world)
    refused = judgement.get("answer", {}).get("code")
    emit(
        CommandJudged(
            jobId=CommentRef.from_plain(order["comment"]).instance_id,
            correlationId=str(order["correlation_id"]),
            status=judgement["next"],
            reason=refused or judgement.get("reason", "none"),
            wait_ms=(world.clock() - parse_instant(order["received_at"])) / _MS,
        )
    )
    return judgement


def _judge(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    ref = CommentRef.from_plain(order["comment"])
    repository = RepositoryRef.of_comment(ref)
    try:
        thread = fetch_thread(world.ado, repository, ref.pull_request_id, ref.thread_id)
        comment = _find_comment(thread, ref.comment_id)
        if comment is None or comment.is_deleted or not comment.is_text:
            return _ignore("no_such_comment")
        if is_own_comment(comment, find_own_id(world.ado)):
            return _ignore("own_comment")
        pull_request = fetch_pull_request(world.ado, repository, ref.pull_request_id)
    except AdoNotFoundError:
        return _ignore("not_found")
    try:
        command = parse_command(comment.content, max_variants=world.settings.max_variants)
        if command is None:
            return _ignore("no_command")
        return _decide(order, world, ref, command, _Scene(pull_request, thread, comment))
    except (CommandError, PolicyError) as refusal:
        return _refuse(order, world, ref, comment, refusal)


@dataclass(frozen=True, slots=True)
class _Scene:
    pull_request: PullRequest
    thread: CommentThread
    comment: Comment


def _decide(
    order: Mapping[str, Any], world: World, ref: CommentRef, command: Command, scene: _Scene
) -> dict[str, Any]:
    if isinstance(command, HelpCommand):
        return _reply("help", scene.comment)
    author = scene.comment.author
    decide_permission(
        author,
        scene.pull_request.repository,
        world.permissions,
        lambda: list_group_names(world.ado, author),
    )
    if isinstance(command, EditCommand):
        count = command.variants or world.settings.default_variants
        request = _Request(command.intent, tuple(range(1, count + 1)))
    elif isinstance(command, RetryCommand):
        request = _repeat(world, ref, command)
    else:
        kind = "cancel" if isinstance(command, CancelCommand) else "status"
        return _reply(kind, scene.comment)
    check_pull_request(scene.pull_request)
    described = _open_job(order, world, ref, request, scene)
    plan = _plan(world, ref, request.numbers)
    told = {
        "request": described,
        # an earlier result is what made somebody ask for another one
        "asks_anew": isinstance(command, RetryCommand),
        "traceparent": order.get("traceparent"),
    }
    return {"next": "edit", "job": plan | told}


def _repeat(world: World, ref: CommentRef, command: RetryCommand) -> _Request:
    with world.database.read() as connection:
        earlier = [
            job
            for job in jobs.load_jobs_of_pull_request(
                connection,
                organisation=ref.organisation,
                repository_id=ref.repository_id,
                pull_request_id=ref.pull_request_id,
            )
            if job.id != ref.instance_id and job.status.is_final
        ]
        # the thread's own latest job comes before the pull request's latest
        earlier.sort(key=lambda job: job.comment.thread_id != ref.thread_id)
        if not earlier:
            raise CommandError("command.nothing_to_retry", "No job has ended here yet.")
        latest = earlier[0]
        past = variants.load_variants(connection, latest.id)
    if command.variant is not None:
        numbers = [row.number for row in past if row.number == command.variant]
    else:
        unwanted = (VariantStatus.SUCCESS, VariantStatus.DUPLICATE)
        numbers = [row.number for row in past if row.status not in unwanted]
    if not numbers:
        raise CommandError(
            "command.nothing_to_retry", "The latest job has no such variant to produce again."
        )
    # what its author has made clear once is not asked again
    known = latest.clarification
    is_settled = known.end not in (None, ClarificationEnd.CANCELLED)
    return _Request(latest.intent, tuple(numbers), known if is_settled else NOTHING_ASKED)


def _open_job(
    order: Mapping[str, Any], world: World, ref: CommentRef, request: _Request, scene: _Scene
) -> str:
    now = world.clock()
    switches = world.read_switches()
    pull_request = scene.pull_request
    job = Job(
        id=ref.instance_id,
        comment=ref,
        status=JobStatus.QUEUED,
        intent=request.intent,
        requested_variants=len(request.numbers),
        actor_id=scene.comment.author.id,
        correlation_id=str(order["correlation_id"]),
        project_name=pull_request.repository.project_name,
        repository_name=pull_request.repository.repository_name,
        pull_request_title=pull_request.title,
        source_ref=pull_request.source_ref,
        base_commit=pull_request.head_commit,
        created_at=now,
        updated_at=now,
        clarification=request.clarification,
        task_hub=world.settings.task_hub,
    )
    rows = [
        Variant(
            job_id=job.id,
            number=number,
            status=VariantStatus.PENDING,
            branch=build_branch(ref, number),
            strategy=name_strategy(number),
            updated_at=now,
        )
        for number in request.numbers
    ]
    with world.database.transaction() as connection:
        if jobs.load_job(connection, job.id) is None:
            _require_running(world, switches)
            take_room(connection, world, job)
        jobs.insert_job(connection, job)
        variants.insert_variants(connection, rows)
        described = artifacts.put(
            connection,
            _describe(scene),
            media_type="application/json",
            at=now,
            expires_at=now + ARTIFACTS_KEPT,
        )
        audit.record(
            connection,
            job_id=job.id,
            actor_id=job.actor_id,
            action=AuditAction.JOB_ADMITTED,
            at=now,
            facts={"variants": len(rows)},
        )
    return described


def _require_running(world: World, switches: Switches) -> None:
    """Return when jobs may be opened.

    Raises:
        AdoError: `ado.read_only`: the command waits, as nobody could be told anything.
        PolicyError: `agent.paused`.
    """
    if switches.mode is Mode.READ_ONLY:
        raise AdoError("ado.read_only", operation="open job", had_no_effect=True)
    if switches.mode is Mode.PAUSED:
        raise PolicyError("agent.paused", world.comments.word_pause(switches.note))


def _describe(scene: _Scene) -> bytes:
    thread = scene.thread
    lines = None
    if thread.first_line is not None:
        lines = [thread.first_line, thread.last_line or thread.first_line]
    return json.dumps(
        {
            "title": scene.pull_request.title,
            "description": scene.pull_request.description,
            "target_commit": scene.pull_request.target_commit,
            "thread_path": thread.path,
            "thread_lines": lines,
        },
        sort_keys=True,
    ).encode()


def _plan(world: World, ref: CommentRef, numbers: tuple[int, ...]) -> dict[str, Any]:
    settings, switches = world.settings, world.read_switches()
    rounds = settings.clarify_rounds if settings.clarify_wait_s > 0 else 0
    return {
        "id": ref.instance_id,
        "variants": list(numbers),
        "variant_timeout_s": settings.variant_timeout_s,
        "budget": settings.to_budget(settings.ado_tries),
        "model_budget": settings.to_budget(settings.model_tries),
        "providers": (
            [STUB_PROVIDER]
            if world.is_by_hand(ref)
            else switches.order(settings.models.names, lambda name: name)
        ),
        "circuit": {
            "failures": settings.models.circuit_failures,
            "window_s": 60,
            "cooldown_s": settings.models.circuit_cooldown_s,
            "max_cooldown_s": max(300, settings.models.circuit_cooldown_s),
            "probe_lease_s": settings.variant_timeout_s + 60,
        },
        "slots": {
            "key": ref.organisation.lower(),
            "capacity": switches.limit_jobs(settings.max_running_jobs),
            # a lost holder blocks no longer than the longest job could run, twice over
            "lease_s": 2 * (settings.variant_timeout_s + rounds * settings.clarify_wait_s) + 600,
        },
        "clarify": {
            "rounds": rounds,
            "wait_s": settings.clarify_wait_s,
            "thread": ref.thread_key,
        },
    }


def _refuse(
    order: Mapping[str, Any],
    world: World,
    ref: CommentRef,
    comment: Comment,
    refusal: CodeAgentError,
) -> dict[str, Any]:
    now = world.clock()
    kind = _SECURITY_EVENTS.get(refusal.code.partition(".")[0])
    with world.database.transaction() as connection:
        audit.record(
            connection,
            job_id=ref.instance_id,
            actor_id=comment.author.id,
            action=AuditAction.JOB_REJECTED,
            at=now,
            facts={"code": refusal.code},
        )
        if kind is not None:
            security_events.record(
                connection,
                SecurityEvent(
                    at=now,
                    kind=kind,
                    organisation=ref.organisation,
                    job_id=ref.instance_id,
                    actor_id=comment.author.id,
                    facts={"code": refusal.code},
                ),
            )
    if kind is SecurityEventKind.RATE_LIMIT_EXCEEDED:
        emit(
            RateLimitExceeded(
                jobId=ref.instance_id,
                correlationId=str(order["correlation_id"]),
                operation=refusal.code.partition(".")[2],
                actor=hash_person(comment.author.id, world.keys.people),
                retry_after_s=refusal.retry_after_s or 0.0,
            )
        )
    answer: dict[str, Any] = {
        "kind": "refusal",
        "code": refusal.code,
        "message": refusal.message,
        "actor_id": comment.author.id,
    }
    if refusal.details:
        answer["details"] = refusal.details
    return {"next": "answer", "accepted": False, "answer": answer}


_SECURITY_EVENTS: Final = {
    "permission": SecurityEventKind.PERMISSION_DENIED,
    "limit": SecurityEventKind.RATE_LIMIT_EXCEEDED,
}
"""Refusals that operators may want to look into, by the area of their code."""


def _reply(kind: str, comment: Comment) -> dict[str, Any]:
    answer = {"kind": kind, "actor_id": comment.author.id}
    return {"next": "answer", "accepted": True, "answer": answer}


def _ignore(reason: str) -> dict[str, Any]:
    return {"next": "ignore", "reason": reason}


def _find_comment(thread: CommentThread, comment_id: int) -> Comment | None:
    return next((comment for comment in thread.comments if comment.id == comment_id), None)
