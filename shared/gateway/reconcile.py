"""Brings together what the records and the task hub say of jobs.

| records            | task hub           | what is done                                     |
|--------------------|--------------------|--------------------------------------------------|
| not ended          | runs               | nothing; ended and closed once it is overdue     |
| not ended          | has ended          | closed as `job.lost`                             |
| not ended, of here | does not know it   | started again; closed once it is overdue         |
| ended, or no row   | runs, long overdue | ended                                            |

Everything is safe to repeat, and one instance of the app does it at a time.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.domain.job import Job
from shared.gateway.starting import JobStarter, build_order, start_once
from shared.jobs.reconcile_jobs import LOST, OVERDUE, Reconciliation, Round
from shared.jobs.world import World
from shared.telemetry.emit import emit
from shared.telemetry.events import JobReconciled
from shared.telemetry.tracing import make_traceparent

MOST_STRAYS: Final = 20
"""Orchestrations without a job that are ended in one run."""
_UNKNOWN: Final = "unknown"


class HubKeeper(JobStarter, Protocol):
    """The durable client, as the reconciler uses it."""

    async def list_running(self, before: datetime) -> Sequence[str]:
        """List the instances of jobs that were made before an instant and have not ended."""

    async def terminate(self, instance_id: str, reason: str) -> None:
        """End an instance where it stands."""

    async def free_slot(self, key: str, instance_id: str, *, capacity: int, at: datetime) -> None:
        """Give a job's slot back for it."""


async def reconcile(world: World, hub: HubKeeper) -> list[JobReconciled]:
    """Look once at what does not fit, as far as one run goes; answers what was done."""
    turn = await asyncio.to_thread(Round.begin, world)
    if turn is None:
        return []
    done: list[JobReconciled] = []
    try:
        for job in await asyncio.to_thread(turn.list_jobs):
            event = await _reconcile_job(turn, hub, job)
            if event is not None:
                done.append(event)
        done += await _end_strays(turn, hub)
        await asyncio.to_thread(turn.say)
    finally:
        await asyncio.to_thread(turn.end)
    return done


async def _reconcile_job(turn: Round, hub: HubKeeper, job: Job) -> JobReconciled | None:
    instance = await hub.find(job.id)
    if turn.is_overdue(job):
        known = await asyncio.to_thread(turn.find_job, job.id)
        if known is None or known.status.is_final:  # it is about to end
            return None
        if instance is not None and not instance.is_finished:
            await hub.terminate(job.id, OVERDUE)
        return await _close(turn, hub, job, OVERDUE)
    if instance is None:
        return await _restart(turn, hub, job)
    if instance.is_finished:
        return await _close(turn, hub, job, LOST)
    return None


async def _restart(turn: Round, hub: HubKeeper, job: Job) -> JobReconciled | None:
    """Start a job again whose hub has forgotten it; one of another hub is that hub's to keep."""
    settings = turn.world.settings
    if job.task_hub not in ("", settings.task_hub):
        return None
    known = await asyncio.to_thread(turn.find_job, job.id)
    if known is None or known.status.is_final:
        return None
    begun = make_traceparent(f"00-{job.correlation_id}-{job.correlation_id[:16]}-01")
    order = build_order(settings, job.comment, begun, is_addressed=True)
    if not await start_once(hub, job.comment, order):
        return None
    return await _tell(turn, job, Reconciliation.RESTARTED, "unknown_to_hub")


async def _close(turn: Round, hub: HubKeeper, job: Job, code: str) -> JobReconciled | None:
    if not await asyncio.to_thread(turn.close, job.id, code):
        return None
    await _free_slot(turn, hub, job.comment.organisation, job.id)
    return await _tell(turn, job, Reconciliation.CLOSED, code)


async def _end_strays(turn: Round, hub: HubKeeper) -> list[JobReconciled]:
    """End orchestrations that run on, long after their job has ended or gone."""
    world = turn.world
    before = world.clock() - timedelta(seconds=world.settings.recovery.job_deadline_s)
    done = []
    for instance_id in list(await hub.list_running(before))[:MOST_STRAYS]:
        job_id = instance_id.partition("-v")[0]
        job = await asyncio.to_thread(turn.find_job, job_id)
        if job is not None and not job.status.is_final:
            continue
        await hub.terminate(instance_id, OVERDUE)
        if instance_id != job_id:  # a variant: told of with its job, if at all
            continue
        await _free_slot(turn, hub, world.settings.organisation, job_id)
        event = JobReconciled(
            jobId=job_id,
            correlationId=job.correlation_id if job else _UNKNOWN,
            status=str(Reconciliation.TERMINATED),
            reason="job_ended" if job else "no_job",
        )
        emit(event)
        done.append(event)
    return done


async def _free_slot(turn: Round, hub: HubKeeper, organisation: str, job_id: str) -> None:
    settings = turn.world.settings
    await hub.free_slot(
        organisation.lower(),
        job_id,
        capacity=settings.max_running_jobs,
        at=turn.world.clock(),
    )


async def _tell(turn: Round, job: Job, action: Reconciliation, reason: str) -> JobReconciled:
    await asyncio.to_thread(turn.note, job, action, reason)
    event = JobReconciled(
        jobId=job.id, correlationId=job.correlation_id, status=str(action), reason=reason
    )
    emit(event)
    return event
