"""The records' side of reconciling: which jobs have not ended, and how one is closed.

What the task hub knows is asked by `shared.gateway.reconcile`.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from shared.domain.errors import CodeAgentError, JobError, Verdict, fail
from shared.domain.job import Job
from shared.jobs.conclude_job import conclude_job
from shared.jobs.reply_result import reply_result
from shared.jobs.report_progress import report_progress
from shared.jobs.set_pull_request_status import set_pull_request_status
from shared.jobs.world import World
from shared.store import audit, jobs, turns
from shared.store.audit import AuditAction

TURN: Final = timedelta(minutes=9)
"""After that a run is taken for dead; the timer runs every 10 minutes."""
MOST_JOBS: Final = 100
"""Looked at in one run; the next goes on behind them."""
_NAME: Final = "reconcile"
_LOG: Final = logging.getLogger("code_agent.reconcile")


class Reconciliation(StrEnum):
    """What is done about a job or an orchestration that does not fit the other."""

    RESTARTED = "restarted"
    """The hub did not know the job: its orchestration begins anew, and finds what it has done."""
    CLOSED = "closed"
    """The job can end by itself no more: it has failed, and its thread says so."""
    TERMINATED = "terminated"
    """An orchestration ran on whose job is over, or is not in the records."""


def build_error(code: str) -> dict[str, Any]:
    """Build why a job is closed."""
    error: dict[str, Any] = fail(JobError(code, _MESSAGES[code], verdict=Verdict.BUG))["error"]
    return error


LOST: Final = "job.lost"
OVERDUE: Final = "job.overdue"
_MESSAGES: Final = {
    LOST: "The job stopped before its end.",
    OVERDUE: "The job did not end in time and was given up.",
}


@dataclass(slots=True)
class Round:
    """One run of the reconciler, while it has the turn."""

    world: World
    holder: str
    after: str
    """Id of the last job that the run before has looked at."""
    unsaid: list[str]
    """Jobs that were closed, and whose thread could not be told."""

    @classmethod
    def begin(cls, world: World) -> "Round | None":
        """Take the turn; None while another instance has it.

        Raises:
            StoreError: the database does not answer.
        """
        now, holder = world.clock(), uuid.uuid4().hex
        with world.database.transaction() as connection:
            state = turns.take_turn(connection, _NAME, holder, at=now, until=now + TURN)
        if state is None:
            return None
        return cls(world, holder, state.get("after", ""), list(state.get("unsaid", [])))

    def list_jobs(self) -> list[Job]:
        """List jobs that have not ended, from where the run before has stopped."""
        with self.world.database.read() as connection:
            found = jobs.load_open_jobs(connection, after=self.after, limit=MOST_JOBS)
        self.after = found[-1].id if len(found) == MOST_JOBS else ""
        return found

    def find_job(self, job_id: str) -> Job | None:
        """Find a job as it is now."""
        with self.world.database.read() as connection:
            return jobs.load_job(connection, job_id)

    def is_overdue(self, job: Job) -> bool:
        """Answer whether a job should have ended long ago."""
        deadline = timedelta(seconds=self.world.settings.recovery.job_deadline_s)
        return self.world.clock() - job.created_at > deadline

    def close(self, job_id: str, code: str) -> bool:
        """Close a job that cannot end by itself; False when it has ended meanwhile.

        Raises:
            StoreError: the database does not answer; the next run tries again.
        """
        known = self.find_job(job_id)
        if known is None or known.status.is_final:
            return False
        order = {"job_id": job_id, "outcomes": [], "error": build_error(code)}
        conclude_job(order, self.world)
        self.unsaid.append(job_id)
        return True

    def note(self, job: Job, action: Reconciliation, reason: str) -> None:
        """Keep what was done in the audit log."""
        with self.world.database.transaction() as connection:
            audit.record(
                connection,
                job_id=job.id,
                actor_id=job.actor_id,
                action=AuditAction.JOB_RECONCILED,
                at=self.world.clock(),
                facts={"action": str(action), "reason": reason},
            )

    def say(self) -> None:
        """Tell the threads of the jobs that were closed; what cannot be said now is said later."""
        left = []
        for job_id in self.unsaid:
            told: Mapping[str, Any] = {"job_id": job_id, "outcomes": []}
            said = [self._try(effect, told) for effect in _WORDS]
            if not all(said):
                left.append(job_id)
        self.unsaid = left

    def end(self) -> None:
        """Give the turn back, and keep how far the run has got."""
        state = {"after": self.after, "unsaid": self.unsaid[-MOST_JOBS:]}
        with self.world.database.transaction() as connection:
            turns.end_turn(connection, _NAME, self.holder, state, at=self.world.clock())

    def _try(
        self, effect: Callable[[Mapping[str, Any], World], Any], order: Mapping[str, Any]
    ) -> bool:
        try:
            effect(order, self.world)
        except CodeAgentError as error:
            _LOG.warning("a closed job could not be told of: %s", error.code)
            # what waiting does not change, such as a thread that is gone, is let go
            return error.verdict is not Verdict.RETRY and error.code != "ado.unauthenticated"
        return True


_WORDS: Final = (report_progress, reply_result, set_pull_request_status)
