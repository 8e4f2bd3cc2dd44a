"""Writes the rows of jobs anew from what stands on Azure DevOps, and releases those at work.

| records  | Azure DevOps    | what is written                                              |
|----------|-----------------|--------------------------------------------------------------|
| ended    | anything        | nothing                                                      |
| at work  | a final reply   | how the job and its variants ended                           |
| at work  | none            | what succeeded; each effect is to be looked for first        |
| no row   | a final reply   | the whole job, as it ended                                   |
| no row   | none            | the job, as one that waits; each effect is to be looked for  |

Who is released is started by the reconciler, in whatever task hub there is then.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select, update

from ops.evidence import Evidence
from shared.domain.clock import format_instant
from shared.domain.commands import EditCommand
from shared.domain.errors import CommandError
from shared.domain.job import Job, Variant
from shared.domain.names import build_branch
from shared.domain.states import JobStatus, VariantStatus, conclude
from shared.jobs.effects import doubt
from shared.llm.strategies import name_strategy
from shared.settings import Settings
from shared.settings.recovery import Place
from shared.store import audit, jobs, turns, variants
from shared.store.audit import AuditAction
from shared.store.database import Database
from shared.store.tables import JOBS, TURNS, VARIANTS
from shared.store.upgrading import list_missing
from shared.telemetry.tracing import make_traceparent, read_trace_id
from shared.webhook.command import parse_command

_NOTE: Final = "Written anew from Azure DevOps."
_ALL: Final = range(1, 11)


class Rebuilt(StrEnum):
    """What was done about one command."""

    KEPT = "kept"
    """The records know how it ended."""
    ENDED = "ended"
    """It has ended since; now they know."""
    REOPENED = "reopened"
    """It had not ended: it goes on where it was."""
    DOUBTED = "doubted"
    """A `/retry` that had not ended: the sweep finds it, and it looks before it does anything."""


@dataclass(slots=True)
class Rebuilding:
    """One run."""

    settings: Settings
    database: Database
    clock: Callable[[], datetime]
    is_dry: bool = False
    released: int = 0
    """Jobs that no task hub holds any more."""
    has_tables: bool = True

    def open(self) -> None:
        """Bring the tables up to date, where anything is written at all.

        Raises:
            StoreError: the database does not answer.
        """
        if not self.is_dry:
            self.database.upgrade()
            return
        with self.database.read() as connection:
            self.has_tables = not list_missing(connection)

    def write(self, evidence: Evidence) -> Rebuilt:
        """Write what one command has come to.

        Raises:
            StoreError: the database does not answer.
        """
        job_id, has_ended = evidence.ref.instance_id, evidence.final is not None
        known, numbers = self._load(job_id)
        if known is not None and known.status.is_final:
            return Rebuilt.KEPT
        request = _read_request(evidence, self.settings.default_variants)
        if known is None and not has_ended and request.leans_on_rows:
            self._change(lambda connection: doubt(connection, job_id, _ALL, at=self.clock()))
            return Rebuilt.DOUBTED
        numbers = numbers or request.numbers
        now = self.clock()
        job = known or _build_job(evidence, request, at=now)

        def change(connection: Connection) -> None:
            jobs.insert_job(connection, job)
            variants.insert_variants(connection, [_build_variant(job, one) for one in numbers])
            _write_variants(connection, evidence, numbers, at=now)
            if has_ended:
                _end_job(connection, evidence, at=now)
            else:
                doubt(connection, job_id, numbers, at=now)
                jobs.update_job(
                    connection, job_id, at=now, status_comment_id=evidence.status_comment_id
                )
            audit.record(
                connection,
                job_id=job_id,
                actor_id=job.actor_id,
                action=AuditAction.JOB_REBUILT,
                at=now,
                facts={"ended": has_ended, "known": known is not None},
            )

        self._change(change)
        return Rebuilt.ENDED if has_ended else Rebuilt.REOPENED

    def release(self, places: Iterable[Place], since: datetime) -> None:
        """Release every job at work from its hub, and every turn; begin the sweeps at an instant.

        A sweep that has an instant of its own keeps it.

        Raises:
            StoreError: the database does not answer.
        """

        def change(connection: Connection) -> None:
            now = self.clock()
            connection.execute(update(TURNS).values(holder="", held_until=now))
            for place in places:
                state = {"since": format_instant(since), "began": format_instant(since)}
                _begin_sweep(connection, f"recover/{place.key}", state | {"cursor": None}, at=now)
            for job_id, _ in at_work:
                numbers = [row.number for row in variants.load_variants(connection, job_id)]
                doubt(connection, job_id, numbers, at=now)
                jobs.update_job(connection, job_id, at=now, task_hub="")

        is_open = JOBS.c.status.in_([str(one) for one in JobStatus if not one.is_final])
        with self.database.read() as connection:
            query = select(JOBS.c.id, JOBS.c.status).where(is_open)
            at_work = list(connection.execute(query)) if self.has_tables else []
        self.released = len(at_work)
        self._change(change)

    def _change(self, change: Callable[[Connection], None]) -> None:
        if self.is_dry:
            return
        with self.database.transaction() as connection:
            change(connection)

    def _load(self, job_id: str) -> tuple[Job | None, tuple[int, ...]]:
        """Load a job and the numbers of its variants."""
        if not self.has_tables:
            return None, ()
        with self.database.read() as connection:
            rows = variants.load_variants(connection, job_id)
            return jobs.load_job(connection, job_id), tuple(row.number for row in rows)


@dataclass(frozen=True, slots=True)
class _Request:
    """What a command asks for, as far as its words say."""

    intent: str
    numbers: tuple[int, ...]
    leans_on_rows: bool
    """Whether only rows of earlier jobs say what it means: a `/retry`."""


def _read_request(evidence: Evidence, default_variants: int) -> _Request:
    try:
        command = parse_command(evidence.command.content)
    except CommandError:  # edited since it was taken, or the limits were others
        command = None
    told = set(evidence.end.variants) if evidence.end else set()
    seen = tuple(sorted(told | set(evidence.branches)))
    if isinstance(command, EditCommand):
        count = command.variants or default_variants
        numbers = seen if told else tuple(range(1, max(count, *seen, 1) + 1))
        return _Request(command.intent, numbers, leans_on_rows=False)
    return _Request(evidence.command.content, seen or (1,), leans_on_rows=True)


def _build_job(evidence: Evidence, request: _Request, *, at: datetime) -> Job:
    pull_request, command = evidence.pull_request, evidence.command
    bases = {branch.base for branch in evidence.branches.values() if branch.base}
    return Job(
        id=evidence.ref.instance_id,
        comment=evidence.ref,
        status=JobStatus.QUEUED,
        intent=request.intent,
        requested_variants=len(request.numbers),
        actor_id=command.author.id,
        correlation_id=read_trace_id(make_traceparent()) or "",
        project_name=pull_request.repository.project_name,
        repository_name=pull_request.repository.repository_name,
        pull_request_title=pull_request.title,
        source_ref=pull_request.source_ref,
        # all variants stand on one commit; where none was pushed, it is where the branch is now
        base_commit=bases.pop() if len(bases) == 1 else pull_request.head_commit,
        created_at=command.published or at,
        updated_at=at,
        status_comment_id=evidence.status_comment_id,
    )


def _build_variant(job: Job, number: int) -> Variant:
    return Variant(
        job_id=job.id,
        number=number,
        status=VariantStatus.PENDING,
        branch=build_branch(job.comment, number),
        strategy=name_strategy(number),
        updated_at=job.updated_at,
    )


def _write_variants(
    connection: Connection,
    evidence: Evidence,
    numbers: Iterable[int],
    *,
    at: datetime,
) -> None:
    """Write how variants ended. A draft of the agent's is a success, whatever else is known."""
    told = evidence.end.variants if evidence.end else {}
    ended_at = evidence.final.published if evidence.final else None
    for number in numbers:
        draft, branch = evidence.drafts.get(number), evidence.branches.get(number)
        status = told.get(number)
        if draft is not None and branch is not None:
            status = VariantStatus.SUCCESS
        elif evidence.final is not None and status is None:
            status = VariantStatus.FAILED
        if status is None:
            continue
        changes: dict[str, Any] = {"status": str(status), "updated_at": at, "note": _NOTE}
        changes |= {"finished_at": ended_at or at, "pull_request_id": draft}
        if branch is not None:
            changes["commit_id"] = branch.tip
        connection.execute(
            update(VARIANTS)
            .where(VARIANTS.c.job_id == evidence.ref.instance_id, VARIANTS.c.number == number)
            .where(VARIANTS.c.status != str(status))
            .values(changes)
        )


def _end_job(connection: Connection, evidence: Evidence, *, at: datetime) -> None:
    job_id = evidence.ref.instance_id
    rows = variants.load_variants(connection, job_id)
    status = evidence.end.status if evidence.end else conclude({r.number: r.status for r in rows})
    jobs.update_job(
        connection,
        job_id,
        at=at,
        status=str(status),
        status_comment_id=evidence.status_comment_id,
        finished_at=(evidence.final.published if evidence.final else None) or at,
    )


def _begin_sweep(connection: Connection, name: str, state: dict[str, Any], *, at: datetime) -> None:
    holder = "rebuild"
    known = turns.take_turn(connection, name, holder, at=at, until=at)
    turns.end_turn(connection, name, holder, known or state, at=at)
