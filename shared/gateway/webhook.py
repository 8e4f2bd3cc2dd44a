"""Receives a service hook's delivery: verify, parse, start. Calls neither Azure DevOps nor a model.

A comment that is no command starts nothing; when a job waits for an answer in its thread, the job
is told to look.

Azure DevOps resends after 408, 502, 503 and 504 only, and puts a hook on probation after any other
failure; so whatever is authenticated gets 2xx, and 503 when the job could not be started now.
Source: https://learn.microsoft.com/azure/devops/service-hooks/troubleshoot
"""

import json
import logging
from typing import Any, Final

import azure.functions as func

from shared.composition import compose, read_cached_settings
from shared.domain.comment_ref import CommentRef
from shared.gateway.failures import note_failure, refuse_throttled
from shared.gateway.measure import counted_async
from shared.gateway.sender import verify_sender
from shared.gateway.starting import JobStarter, build_order, start_once
from shared.secrets.errors import SecretsUnavailableError
from shared.settings import SettingsError
from shared.telemetry.tracing import (
    follow,
    make_traceparent,
    write_traceparent,
)
from shared.webhook.event import IgnoredEvent, TalkEvent, parse_event
from shared.webhook.verify import InvalidSignatureError, VerificationError

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
"""Azure DevOps sends no more. Source: https://learn.microsoft.com/azure/devops/service-hooks/troubleshoot"""

_LOG = logging.getLogger("code_agent.webhook")


@counted_async("/gateway/webhook/ado")
async def receive_delivery(
    request: func.HttpRequest, jobs: JobStarter, traceparent: str | None = None
) -> func.HttpResponse:
    """Answer 202 taken, 200 duplicate or ignored, 401, 413, 429, or 503 to be sent again.

    `traceparent` is of the trace that the host has begun for the request, if it has.
    """
    body = request.get_body()
    if len(body) > MAX_BODY_BYTES:
        return _answer(413, status="refused", reason="too_large")
    try:
        settings = read_cached_settings()
    except SettingsError:
        # the operators will mend it; until then Azure DevOps sends again instead of giving up
        _LOG.exception("the settings cannot be used")
        return _answer(503, status="refused", reason="misconfigured")
    refusal = await _authenticate(request, body)
    if refusal is not None:
        return refusal
    event = parse_event(body, organisation=settings.organisation)
    if isinstance(event, IgnoredEvent):
        return _answer(200, status="ignored", reason=event.reason)
    if isinstance(event, TalkEvent):
        return await _take_talk(jobs, event)
    if not event.is_addressed:  # without its text, it may be a command or an answer
        await _pass_on(jobs, event.ref)
    job = {"jobId": event.ref.instance_id}
    with follow(make_traceparent(traceparent), "receive delivery", job) as span:
        trace = write_traceparent(span)
        order = build_order(settings, event.ref, trace, is_addressed=event.is_addressed)
        return await _start_once(jobs, event.ref, order)


async def _authenticate(request: func.HttpRequest, body: bytes) -> func.HttpResponse | None:
    """Answer the refusal of a request that does not carry the secret; None when it does."""
    try:
        await verify_sender(compose().secrets, request.headers, body)
    except SecretsUnavailableError:
        return _answer(503, status="refused", reason="secrets_unavailable")
    except VerificationError as error:
        wrong = isinstance(error, InvalidSignatureError)
        wait_s = note_failure(request, component="webhook", is_signature=wrong)
        if wait_s is not None:
            return refuse_throttled(wait_s)
        return _answer(401, status="refused", reason=error.code)
    return None


async def _start_once(
    jobs: JobStarter, comment: CommentRef, order: dict[str, Any]
) -> func.HttpResponse:
    job_id = comment.instance_id
    try:
        is_fresh = await start_once(jobs, comment, order)
    except Exception as error:  # noqa: BLE001 - the SDK raises a bare Exception for anything the host refuses
        _LOG.error("job %s could not be started: %s", job_id, type(error).__name__)
        return _answer(503, status="refused", reason="not_started")
    if not is_fresh:
        return _answer(200, status="duplicate", job=job_id)
    return _answer(202, status="started", job=job_id, correlation_id=order["correlation_id"])


async def _take_talk(jobs: JobStarter, event: TalkEvent) -> func.HttpResponse:
    job_id = await _pass_on(jobs, event.ref)
    if job_id is None:
        return _answer(200, status="ignored", reason="no_command")
    return _answer(202, status="passed_on", job=job_id)


async def _pass_on(jobs: JobStarter, comment: CommentRef) -> str | None:
    """Tell the job that waits for an answer in a comment's thread to look; answers its id.

    What goes wrong here is not worth a second delivery: the job looks by itself when its time ends.
    """
    try:
        question = await jobs.find_question(comment.thread_key)
        if question.job_id and await jobs.wake(question.job_id, question.event):
            return question.job_id
    except Exception as error:  # noqa: BLE001 - as in `_start_once`
        _LOG.warning("a reply was not passed on: %s", type(error).__name__)
    return None


def _answer(status_code: int, **body: str) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(body), status_code=status_code, mimetype="application/json")
