"""Says that the app runs and what waits, every minute; silence is what operators are alerted of."""

from shared.domain.errors import StoreError
from shared.jobs.world import World
from shared.store import jobs
from shared.store.archiving import find_restore_point_age_s
from shared.store.jobs import Backlog
from shared.telemetry import metrics
from shared.telemetry.emit import emit
from shared.telemetry.events import Heartbeat


def beat(world: World) -> Heartbeat:
    """Tell once. A database that does not answer is told of; it is no reason to be silent."""
    backlog = restore_point_age_s = None
    try:
        backlog = measure_backlog(world)
        with world.database.read() as connection:
            restore_point_age_s = find_restore_point_age_s(connection)
    except StoreError:
        backlog = None
    event = Heartbeat(
        service="orchestrator",
        version=world.settings.version,
        environment=world.settings.environment,
        records="failed" if backlog is None else "ok",
        queue_depth=backlog.queued if backlog else None,
        running_jobs=backlog.running if backlog else None,
        oldest_job_s=_find_age_s(world, backlog) if backlog else None,
        restore_point_age_s=restore_point_age_s,
    )
    emit(event)
    return event


def measure_backlog(world: World) -> Backlog:
    """Measure what waits and runs, from the records.

    Raises:
        StoreError: they cannot be read.
    """
    with world.database.read() as connection:
        backlog = jobs.find_backlog(connection)
    metrics.QUEUE_DEPTH.record(backlog.queued)
    metrics.RUNNING_JOBS.record(backlog.running)
    metrics.OLDEST_JOB.record(_find_age_s(world, backlog))
    return backlog


def _find_age_s(world: World, backlog: Backlog) -> float:
    if backlog.oldest is None:
        return 0.0
    return max(0.0, (world.clock() - backlog.oldest).total_seconds())
