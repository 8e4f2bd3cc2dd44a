"""Closes the asking in the records: the model is given what was made clear, or the likeliest."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from shared.domain.clarification import ClarificationEnd
from shared.jobs.rows import load_job
from shared.jobs.world import World
from shared.store import audit, jobs
from shared.store.audit import AuditAction
from shared.telemetry.emit import emit
from shared.telemetry.events import ClarificationEnded

_ACTIONS: Final[Mapping[str, AuditAction]] = {
    "answered": AuditAction.CLARIFICATION_ANSWERED,
    "assumed": AuditAction.CLARIFICATION_ASSUMED,
}
"""A cancellation has an entry of its own already."""


def end_clarification(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Record how the asking ended (`end`), where anything was asked. The first end stays."""
    end = ClarificationEnd(order["end"])
    job, _ = load_job(world, order["job_id"])
    with world.database.transaction() as connection:
        known = jobs.load_job(connection, job.id) or job
        if known.clarification.end is not None or not known.clarification.rounds:
            return {}
        now = world.clock()
        ended = replace(known.clarification, end=end)
        jobs.keep_clarification(connection, job.id, ended, at=now)
        if end.outcome in _ACTIONS:
            audit.record(
                connection,
                job_id=job.id,
                actor_id=job.actor_id,
                action=_ACTIONS[end.outcome],
                at=now,
                facts={"reason": str(end), "rounds": len(ended.rounds)},
            )
    emit(
        ClarificationEnded(
            jobId=job.id,
            correlationId=job.correlation_id,
            outcome=end.outcome,
            reason=str(end),
            rounds=len(ended.rounds),
        )
    )
    return {}
