"""Starts the job of a comment, once, whoever found the comment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from shared.domain.clock import format_instant, read_utc_clock
from shared.domain.comment_ref import CommentRef
from shared.domain.names import OrchestratorName
from shared.domain.open_question import OpenQuestion
from shared.settings import Settings
from shared.telemetry.tracing import read_trace_id


class Instance(Protocol):
    """What is asked of an orchestration instance."""

    @property
    def is_finished(self) -> bool:
        """Whether it has ended."""

    @property
    def output(self) -> Any:
        """What it answered."""

    @property
    def updated_at(self) -> datetime | None:
        """When it did its last step."""


class JobStarter(Protocol):
    """The durable client, as the webhook uses it."""

    async def find(self, instance_id: str) -> Instance | None:
        """Look an instance up."""

    async def start(self, name: str, instance_id: str, order: Mapping[str, Any]) -> None:
        """Start an instance."""

    async def find_question(self, thread_key: str) -> OpenQuestion:
        """Look up which job waits for an answer in a thread."""

    async def wake(self, instance_id: str, event: str) -> bool:
        """Raise an external event; False when there is nobody left to hear it."""


def build_order(
    settings: Settings, comment: CommentRef, traceparent: str, *, is_addressed: bool
) -> dict[str, Any]:
    """Build the input of the orchestrator `edit_job`."""
    return {
        "comment": comment.to_plain(),
        "addressed": is_addressed,
        "correlation_id": read_trace_id(traceparent),
        "traceparent": traceparent,
        "received_at": format_instant(read_utc_clock()),
        "budget": settings.to_budget(settings.ado_tries),
    }


def was_accepted(instance: Instance | None) -> bool:
    """Answer whether a comment has had its job: one that runs, or one that took the command."""
    if instance is None:
        return False
    if not instance.is_finished:
        return True
    return isinstance(instance.output, dict) and instance.output.get("accepted") is True


async def start_once(jobs: JobStarter, comment: CommentRef, order: dict[str, Any]) -> bool:
    """Start the job of a comment; False when it had been started.

    Raises:
        Exception: the host did not start it.
    """
    job_id = comment.instance_id
    if was_accepted(await jobs.find(job_id)):
        return False
    try:
        await jobs.start(OrchestratorName.EDIT_JOB, job_id, order)
    except Exception:
        # a start fails also because another one was quicker
        if was_accepted(await jobs.find(job_id)):
            return False
        raise
    return True
