"""The durable client as the rest of the app sees it: find, start, wake. Nothing else of the SDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azure.durable_functions import (
    DurableOrchestrationClient,
    EntityId,
    OrchestrationRuntimeStatus,
)

from shared.domain.clock import format_instant
from shared.domain.comment_ref import JOB_PREFIX
from shared.domain.names import EntityName
from shared.domain.open_question import OpenQuestion

_FINISHED = frozenset({"Completed", "Failed", "Terminated", "Canceled"})
_RUNNING = (
    OrchestrationRuntimeStatus.Running,
    OrchestrationRuntimeStatus.Pending,
    OrchestrationRuntimeStatus.Suspended,
)


@dataclass(frozen=True, slots=True)
class InstanceState:
    """What an orchestration instance is up to."""

    is_finished: bool
    output: Any
    updated_at: datetime | None = None
    """When it did its last step, to the second."""


class DurableJobs:
    """Job instances of one task hub.

    The check-status payload of the SDK is never handed out: it carries the host's key.
    """

    def __init__(self, client: DurableOrchestrationClient) -> None:
        self._client = client

    async def find(self, instance_id: str) -> InstanceState | None:
        """Look an instance up; None when there is none."""
        status = await self._client.get_status(instance_id)
        # a missing instance gives a falsy status, never None (facts: SDK 1.7 `get_status`)
        if not status or status.runtime_status is None:
            return None
        return InstanceState(
            is_finished=status.runtime_status.value in _FINISHED,
            output=status.output,
            updated_at=status.last_updated_time,
        )

    async def start(self, name: str, instance_id: str, order: Mapping[str, Any]) -> None:
        """Start an instance; on a finished one it runs again.

        Raises:
            Exception: the host did not start it, or one is running under this id.
        """
        await self._client.start_new(name, instance_id, dict(order))

    async def list_running(self, before: datetime) -> list[str]:
        """List the instances of jobs that were made before an instant and have not ended."""
        found = await self._client.get_status_by(
            created_time_to=before, runtime_status=list(_RUNNING), instance_id_prefix=JOB_PREFIX
        )
        return [str(one.instance_id) for one in found]

    async def terminate(self, instance_id: str, reason: str) -> None:
        """End an instance where it stands; one that has ended or is not there is left alone."""
        if not await self._is_deaf(instance_id):
            await self._client.terminate(instance_id, reason)

    async def free_slot(self, key: str, instance_id: str, *, capacity: int, at: datetime) -> None:
        """Give a job's slot back for it; the next one finds it free when it asks again."""
        request = {
            "instance_id": instance_id,
            "now": format_instant(at),
            "capacity": capacity,
            "lease_s": 0,
        }
        entity = EntityId(EntityName.JOB_SLOTS, key)
        await self._client.signal_entity(entity, "release", request)

    async def wake(self, instance_id: str, event: str) -> bool:
        """Raise an external event; False when there is nobody left to hear it."""
        try:
            await self._client.raise_event(instance_id, event, {})
        except Exception as error:  # the SDK raises a bare Exception with the status in its text
            if await self._is_deaf(instance_id):
                return False
            raise RuntimeError("the event was not accepted") from error
        return True

    async def find_question(self, thread_key: str) -> OpenQuestion:
        """Look up which job waits for an answer in a thread."""
        entity = EntityId(EntityName.OPEN_QUESTION, thread_key)
        response = await self._client.read_entity_state(entity)
        state = response.entity_state if response.entity_exists else None
        return OpenQuestion.from_plain(state if isinstance(state, dict) else None)

    async def _is_deaf(self, instance_id: str) -> bool:
        state = await self.find(instance_id)
        return state is None or state.is_finished
