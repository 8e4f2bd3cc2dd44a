"""Starts the jobs of the commands that no service hook has told of."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from shared.domain.clock import read_utc_clock
from shared.domain.errors import CodeAgentError
from shared.gateway.starting import JobStarter, build_order, start_once, was_accepted
from shared.jobs.recover_commands import Calls, Found, Sweep
from shared.jobs.world import World
from shared.telemetry.emit import emit
from shared.telemetry.events import CommandRecovered, CommandsSwept
from shared.telemetry.tracing import make_traceparent, read_trace_id

MOST_STARTS: Final = 50
"""Of one run and place, where nobody has set how many jobs a person may start at once."""
_MS: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)
"""The hub tells times without fractions."""
_LOG: Final = logging.getLogger("code_agent.recovery")


async def recover_commands(world: World, jobs: JobStarter) -> list[CommandsSwept]:
    """Sweep every place of the settings, as far as the calls of one run last."""
    calls = Calls(world.settings.recovery.calls)
    swept = []
    for number, place in enumerate(world.settings.recovery.places, start=1):
        sweep = await asyncio.to_thread(Sweep.begin, world, place, calls)
        if sweep is None:
            continue
        swept.append(await _sweep(world, jobs, sweep, number))
        emit(swept[-1])
    return swept


async def _sweep(world: World, jobs: JobStarter, sweep: Sweep, number: int) -> CommandsSwept:
    since, started, reason = sweep.since, 0, "none"
    most = world.settings.limits.user_jobs or MOST_STARTS
    try:
        left = await asyncio.to_thread(lambda: list(sweep.list_pull_requests()))
        for pull_request in left:
            found = await asyncio.to_thread(sweep.read_commands, pull_request)
            if found is None:
                sweep.is_complete = False
                break
            for one in found:
                if not await _is_missed(jobs, one):
                    continue
                if started >= most:
                    break
                started += await _start(world, jobs, one)
            else:
                sweep.finish(pull_request)
                continue
            sweep.is_complete = False
            break
    except Exception as error:  # noqa: BLE001 - the SDK raises a bare Exception; the rest comes with the next run
        sweep.is_complete = False
        reason = error.code if isinstance(error, CodeAgentError) else "app.not_started"
        _LOG.warning("a sweep stopped: %s (%s)", reason, type(error).__name__)
    await asyncio.to_thread(sweep.end)
    status = ("complete" if sweep.is_complete else "partial") if reason == "none" else "failed"
    return CommandsSwept(
        place=number,
        status=status,
        reason=reason,
        pull_requests=sweep.done,
        started=started,
        behind_s=max(0.0, (world.clock() - since).total_seconds()),
    )


async def _is_missed(jobs: JobStarter, found: Found) -> bool:
    """Answer whether a command has no instance, or got its words after it had been refused."""
    instance = await jobs.find(found.ref.instance_id)
    if instance is None:
        return True
    if instance.updated_at is None:
        return False
    return not was_accepted(instance) and found.written_at > instance.updated_at + _SECOND


async def _start(world: World, jobs: JobStarter, found: Found) -> bool:
    traceparent = make_traceparent()
    order = build_order(world.settings, found.ref, traceparent, is_addressed=True)
    if not await start_once(jobs, found.ref, order):
        return False
    emit(
        CommandRecovered(
            jobId=found.ref.instance_id,
            correlationId=read_trace_id(traceparent) or "none",
            wait_ms=(read_utc_clock() - found.written_at) / _MS,
        )
    )
    return True
