"""Raise an external event at other jobs: a slot was granted, or somebody wants them to stop."""

from typing import Any

from azure.durable_functions import DurableOrchestrationClient

from activities.envelope import Payload
from orchestrators.client import DurableJobs
from shared.domain.errors import succeed


async def wake_jobs(payload: Payload, client: DurableOrchestrationClient) -> dict[str, Any]:
    """Wake every instance of `instance_ids` with `event`; a finished one hears nothing."""
    jobs = DurableJobs(client)
    heard = [await jobs.wake(name, payload["event"]) for name in payload["instance_ids"]]
    return succeed({"heard": sum(heard)})
