"""The way of a command, as a table of contents: admit, wait, announce, produce, conclude."""

from collections.abc import Generator
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from orchestrators.attempts import Attempts, Budget, Envelope
from orchestrators.circuits import ProviderGate
from orchestrators.clarify import clarify
from orchestrators.slots import leave_slot, wait_for_slot
from shared.domain.names import ActivityName, EventName, OrchestratorName

Steps = Generator[Any, Any, dict[str, Any]]


def edit_job(context: DurableOrchestrationContext) -> Steps:
    """Take one comment from its delivery to its draft pull requests.

    Input: `{"comment", "correlation_id", "traceparent", "received_at", "budget"}`.
    Output: `{"accepted", "status"}` and why; the webhook asks `accepted` at a second delivery.
    """
    request = context.get_input()
    steps = Attempts(
        context, Budget.from_plain(request["budget"]), traceparent=request.get("traceparent")
    )
    admission = yield from steps.run(ActivityName.ADMIT_COMMAND, request)
    if not admission["ok"]:
        yield from steps.run(ActivityName.ANSWER_COMMAND, request | {"failure": admission["error"]})
        return {"accepted": False, "status": "failed", "error": admission["error"]}
    verdict = admission["value"]
    if verdict["next"] == "ignore":
        return {"accepted": False, "status": "ignored", "reason": verdict["reason"]}
    if verdict["next"] == "answer":
        return (yield from _answer(steps, request, verdict))
    return (yield from _produce_job(context, steps, verdict["job"]))


def _answer(steps: Attempts, request: dict[str, Any], verdict: dict[str, Any]) -> Steps:
    answer = yield from steps.run(
        ActivityName.ANSWER_COMMAND, request | {"answer": verdict["answer"]}
    )
    if answer["ok"] and answer["value"]["wake"]:
        yield from steps.run(ActivityName.WAKE_JOBS, answer["value"]["wake"])
    accepted = bool(verdict["accepted"]) and answer["ok"]
    return {"accepted": accepted, "status": "answered" if accepted else "rejected"}


def _produce_job(
    context: DurableOrchestrationContext, steps: Attempts, job: dict[str, Any]
) -> Steps:
    # one wait for all: an event is heard by one waiter only
    cancelled = context.wait_for_external_event(EventName.CANCEL_REQUESTED)
    if not (yield from wait_for_slot(context, steps, job, cancelled)):
        outcome = yield from _conclude(steps, job, [], None)
    else:
        outcome = yield from _produce_variants(context, steps, job, cancelled)
    yield from leave_slot(context, steps, job)
    return {"accepted": True, "status": outcome}


def _produce_variants(
    context: DurableOrchestrationContext, steps: Attempts, job: dict[str, Any], cancelled: Any
) -> Generator[Any, Any, str]:
    announced = yield from steps.run(ActivityName.ANNOUNCE_JOB, {"job_id": job["id"]})
    if not announced["ok"]:
        return (yield from _conclude(steps, job, [], announced["error"]))
    yield from steps.run(ActivityName.SET_PULL_REQUEST_STATUS, {"job_id": job["id"]})
    loaded = yield from steps.run(
        ActivityName.LOAD_CONTEXT, {"job_id": job["id"], "request": job["request"]}
    )
    if loaded["ok"]:
        loaded = yield from clarify(context, steps, job, loaded, cancelled)
    if not loaded["ok"]:
        return (yield from _conclude(steps, job, [], loaded["error"]))
    shown = yield from _warm_prompt(context, steps, job, loaded["value"])
    running = {
        context.call_sub_orchestrator(
            OrchestratorName.PRODUCE_VARIANT,
            {"job": job, "number": number, "context": shown},
            instance_id=f"{job['id']}-v{number}",
        ): number
        for number in job["variants"]
    }
    outcomes: list[dict[str, Any]] = []
    while running:
        ended = yield context.task_any(list(running))
        outcomes.append(_read_outcome(ended, running.pop(ended)))
        if running:  # the last one is reported by the conclusion
            yield from steps.run(
                ActivityName.REPORT_PROGRESS, {"job_id": job["id"], "outcomes": outcomes}
            )
    return (yield from _conclude(steps, job, outcomes, None))


def _warm_prompt(
    context: DurableOrchestrationContext,
    steps: Attempts,
    job: dict[str, Any],
    loaded: dict[str, Any],
) -> Steps:
    """Let one look around go ahead of several variants: a saving, tried once.

    Answers the context to work with, what was looked up added to it.
    """
    gate = ProviderGate.of_job(context, job, "warm")
    if len(job["variants"]) < 2 or gate is None:
        return loaded
    steps.spend(Budget(tries=1, first_delay_s=1, max_delay_s=1))
    order = {"job_id": job["id"], "context": loaded, "asks_anew": job.get("asks_anew", False)}
    warmed = yield from steps.run(ActivityName.WARM_PROMPT, order, gate)
    steps.spend(Budget.from_plain(job["budget"]))
    survey = warmed["value"].get("survey") if warmed["ok"] else None
    return loaded | {"survey": survey} if survey else loaded


def _read_outcome(ended: Any, number: int) -> dict[str, Any]:
    if isinstance(ended.result, Exception):
        error = {
            "code": "app.variant_lost",
            "verdict": "bug",
            "message": "The variant ended unexpectedly.",
            "retry_after_s": None,
        }
        return {"number": number, "ok": False, "error": error}
    return {"number": number, **ended.result}


def _conclude(
    steps: Attempts,
    job: dict[str, Any],
    outcomes: list[dict[str, Any]],
    error: dict[str, Any] | None,
) -> Generator[Any, Any, str]:
    concluded: Envelope = yield from steps.run(
        ActivityName.CONCLUDE_JOB, {"job_id": job["id"], "outcomes": outcomes, "error": error}
    )
    if not concluded["ok"]:
        return "failed"
    # one effect each: what one of them cannot say keeps none of the others from being said
    told = {"job_id": job["id"], "outcomes": []}
    yield from steps.run(ActivityName.REPORT_PROGRESS, told)
    yield from steps.run(ActivityName.REPLY_RESULT, told)
    yield from steps.run(ActivityName.SET_PULL_REQUEST_STATUS, told)
    if concluded["value"]["closes_thread"]:
        yield from steps.run(ActivityName.CLOSE_THREAD, told)
    return str(concluded["value"]["status"])
