"""The table `jobs`: one row for each accepted `/edit` or `/retry`."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, func, select, update

from shared.domain.clarification import NOTHING_ASKED, Clarification
from shared.domain.comment_ref import CommentRef
from shared.domain.errors import JobError, Verdict
from shared.domain.job import Job
from shared.domain.states import JobStatus, may_follow
from shared.store.batches import delete_some
from shared.store.tables import JOBS
from shared.store.upsert import insert_missing

_REF_FIELDS: Final = tuple(CommentRef.__slots__)
_CONVERTED: Final = ("comment", "status", "clarification")
_OPEN: Final = [str(status) for status in JobStatus if not status.is_final]
_OWN_FIELDS: Final = tuple(f.name for f in fields_of(Job) if f.name not in _CONVERTED)


def insert_job(connection: Connection, job: Job) -> Job:
    """Insert a job, or answer the one that is there; a rejected one is queued as asked now."""
    if insert_missing(connection, JOBS, _to_row(job)):
        return job
    known = lock_job(connection, job.id)
    if known is None:  # its comment is the key of a row with another id, which cannot be
        raise JobError("job.unknown", "There is no such job.", verdict=Verdict.BUG)
    if known.status is JobStatus.REJECTED:
        connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(_to_row(job)))
        return job
    return known


def load_job(connection: Connection, job_id: str) -> Job | None:
    """Load one job."""
    row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).mappings().one_or_none()
    return None if row is None else _from_row(row)


def lock_job(connection: Connection, job_id: str) -> Job | None:
    """Load a job, and let nobody else change it or its variants until the transaction ends.

    Whoever changes variants locks their job first, so that nobody waits in a circle. Rows that
    refer to the job may be inserted meanwhile.
    """
    query = select(JOBS).where(JOBS.c.id == job_id).with_for_update(key_share=True)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _from_row(row)


def load_jobs(
    connection: Connection,
    *,
    limit: int,
    before: datetime | None = None,
    status: JobStatus | None = None,
) -> list[Job]:
    """Load the latest jobs, newest first."""
    query = select(JOBS).order_by(JOBS.c.created_at.desc(), JOBS.c.id).limit(limit)
    if before is not None:
        query = query.where(JOBS.c.created_at < before)
    if status is not None:
        query = query.where(JOBS.c.status == status)
    return [_from_row(row) for row in connection.execute(query).mappings()]


def load_open_jobs(connection: Connection, *, after: str, limit: int) -> list[Job]:
    """Load jobs that have not ended, in the order of their ids, behind one of them."""
    query = (
        select(JOBS)
        .where(JOBS.c.status.in_(_OPEN))
        .where(JOBS.c.id > after)
        .order_by(JOBS.c.id)
        .limit(limit)
    )
    return [_from_row(row) for row in connection.execute(query).mappings()]


def load_jobs_of_pull_request(
    connection: Connection,
    *,
    organisation: str,
    repository_id: str,
    pull_request_id: int,
    thread_id: int | None = None,
) -> list[Job]:
    """Load the jobs of a pull request, or of one of its threads, newest first."""
    query = (
        select(JOBS)
        .where(JOBS.c.organisation == organisation)
        .where(JOBS.c.repository_id == repository_id)
        .where(JOBS.c.pull_request_id == pull_request_id)
        .order_by(JOBS.c.created_at.desc(), JOBS.c.id)
    )
    if thread_id is not None:
        query = query.where(JOBS.c.thread_id == thread_id)
    return [_from_row(row) for row in connection.execute(query).mappings()]


def move_job(
    connection: Connection, job_id: str, to: JobStatus, *, at: datetime, **changes: Any
) -> Job:
    """Move a job to a state its table allows, and change other fields with it.

    Raises:
        JobError: `job.unknown`, or `job.transition_refused`.
    """
    job = lock_job(connection, job_id)
    if job is None:
        raise JobError("job.unknown", "There is no such job.", verdict=Verdict.BUG)
    if not may_follow(job.status, to):
        raise JobError("job.transition_refused", f"A job that is {job.status} cannot become {to}.")
    update_job(connection, job_id, at=at, status=str(to), **changes)
    moved = load_job(connection, job_id)
    return moved if moved is not None else job


def update_job(connection: Connection, job_id: str, *, at: datetime, **changes: Any) -> None:
    """Change fields of a job other than its state."""
    values = {"updated_at": at, **changes}
    connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(values))


def keep_clarification(
    connection: Connection, job_id: str, clarification: Clarification, *, at: datetime
) -> None:
    """Keep what the author of a job was asked and said."""
    update_job(connection, job_id, at=at, clarification=_write_clarification(clarification))


def request_cancel(connection: Connection, job_ids: Sequence[str], *, at: datetime) -> None:
    """Ask jobs to stop; their next step will see it."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.id.in_(job_ids))
        .where(JOBS.c.status.in_(_OPEN))
        .values(cancel_requested=True, updated_at=at)
    )


def count_by_status(connection: Connection) -> dict[JobStatus, int]:
    """Count the jobs in each state."""
    query = select(JOBS.c.status, func.count()).group_by(JOBS.c.status)
    return {JobStatus(status): count for status, count in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Backlog:
    """What has not ended."""

    queued: int
    running: int
    oldest: datetime | None
    """When the oldest of them was admitted."""


def find_backlog(connection: Connection) -> Backlog:
    """Count the jobs that wait and run, and find since when."""
    query = (
        select(JOBS.c.status, func.count(), func.min(JOBS.c.created_at))
        .where(JOBS.c.status.in_(_OPEN))
        .group_by(JOBS.c.status)
    )
    found = {status: (count, oldest) for status, count, oldest in connection.execute(query)}
    return Backlog(
        queued=found.get(str(JobStatus.QUEUED), (0, None))[0],
        running=found.get(str(JobStatus.RUNNING), (0, None))[0],
        oldest=min((oldest for _, oldest in found.values()), default=None),
    )


def delete_old(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` jobs made before an instant, with their variants; answer how many.

    One that has not ended stays for as long as something happens to it.
    """
    ended = JOBS.c.status.in_([str(status) for status in JobStatus if status.is_final])
    is_over = (JOBS.c.created_at < before) & (ended | (JOBS.c.updated_at < before))
    return delete_some(connection, JOBS, is_over, limit)


def _to_row(job: Job) -> dict[str, Any]:
    row = {name: getattr(job, name) for name in _OWN_FIELDS}
    return (
        row
        | job.comment.to_plain()
        | {"status": str(job.status), "clarification": _write_clarification(job.clarification)}
    )


def _from_row(row: RowMapping) -> Job:
    return Job(
        comment=CommentRef(**{name: row[name] for name in _REF_FIELDS}),
        status=JobStatus(row["status"]),
        clarification=Clarification.from_plain(row["clarification"]),
        **{name: row[name] for name in _OWN_FIELDS},
    )


def _write_clarification(clarification: Clarification) -> dict[str, Any] | None:
    return None if clarification == NOTHING_ASKED else clarification.to_plain()
