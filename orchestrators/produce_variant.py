"""One take on the request: draft a patch, push its branch, open its draft pull request, in time."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from orchestrators.attempts import Attempts, Budget
from orchestrators.circuits import ProviderGate
from shared.domain.clock import format_instant
from shared.domain.names import ActivityName

_STEPS = (
    (ActivityName.DRAFT_PATCH, "model_budget"),
    (ActivityName.PUSH_BRANCH, "budget"),
    (ActivityName.OPEN_DRAFT_PULL_REQUEST, "budget"),
)


def produce_variant(
    context: DurableOrchestrationContext,
) -> Generator[Any, Any, dict[str, Any]]:
    """Produce variant `number` of a job; answers the envelope of its last step.

    The durable timer is the second line: every activity gets the deadline too and starts no effect
    that could end after it, so a variant that lost against the timer never pushes.
    """
    order = context.get_input()
    job = order["job"]
    deadline = context.current_utc_datetime + timedelta(seconds=job["variant_timeout_s"])
    payload = {
        "job_id": job["id"],
        "number": order["number"],
        "context": order["context"],
        "deadline": format_instant(deadline),
        "asks_anew": job.get("asks_anew", False),
    }
    attempts = Attempts(
        context,
        Budget.from_plain(job["budget"]),
        deadline=deadline,
        traceparent=job.get("traceparent"),
    )
    gates = {ActivityName.DRAFT_PATCH: ProviderGate.of_job(context, job)}
    envelope: dict[str, Any] = {}
    for activity, budget in _STEPS:
        attempts.spend(Budget.from_plain(job[budget]))
        envelope = yield from attempts.run(activity, payload, gates.get(activity))
        if not envelope["ok"]:
            break
    attempts.close()
    return envelope
