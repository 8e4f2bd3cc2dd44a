"""What happens by the clock and not by a delivery. Shells: the bodies are imported when due."""

import asyncio
from typing import TYPE_CHECKING

from shared.composition import compose
from shared.telemetry.exporting import flush

if TYPE_CHECKING:
    from shared.gateway.reconcile import HubKeeper
    from shared.gateway.starting import JobStarter


def beat() -> None:
    """Say that the app runs, and what waits."""
    from shared.jobs import heartbeat

    heartbeat.beat(compose())
    flush(metrics=True)


def run_canary() -> None:
    """Have one command carried out from end to end, where the settings say so."""
    from shared.jobs.run_canary import run_canary as run

    run(compose())
    flush(metrics=True)


async def watch_hooks(jobs: "JobStarter") -> None:
    """Tell how Azure DevOps sees the service hooks, and start what they have missed."""
    from shared.gateway.recovery import recover_commands
    from shared.jobs.watch_hooks import watch_hooks as watch

    world = await asyncio.to_thread(compose)
    await asyncio.to_thread(watch, world)
    await recover_commands(world, jobs)
    await asyncio.to_thread(flush)


async def reconcile(hub: "HubKeeper") -> None:
    """Bring together what the records and the task hub say of jobs."""
    from shared.gateway.reconcile import reconcile as bring_together

    world = await asyncio.to_thread(compose)
    await bring_together(world, hub)
    await asyncio.to_thread(flush)


def watch_secrets() -> None:
    """Tell of secrets that expire soon."""
    from shared.jobs.watch_secrets import watch_secrets as watch

    watch(compose())
    flush()


def watch_rights() -> None:
    """Tell what the agent may do in its repositories."""
    from shared.jobs.watch_rights import watch_rights as watch

    watch(compose())
    flush()


def apply_retention() -> None:
    """Delete the records whose time is over."""
    from shared.jobs import retention

    retention.apply_retention(compose())
    flush(metrics=True)
