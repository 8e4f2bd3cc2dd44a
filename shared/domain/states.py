"""What can follow what: one table for jobs, one for variants, consulted before each write.

job      queued → running → success | partial_success | failed | cancelled
             rejected → queued, when an edit turns a refused comment into a command
variant  pending → drafting → pushing → success | failed | timeout | cancelled | duplicate
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL_SUCCESS = "partial_success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self not in (JobStatus.QUEUED, JobStatus.RUNNING)


class VariantStatus(StrEnum):
    """Where a variant stands."""

    PENDING = "pending"
    DRAFTING = "drafting"
    PUSHING = "pushing"
    SUCCESS = "success"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"

    @property
    def is_final(self) -> bool:
        """Whether the variant has ended."""
        return self not in (VariantStatus.PENDING, VariantStatus.DRAFTING, VariantStatus.PUSHING)


JOB_TRANSITIONS: Final[Mapping[JobStatus, frozenset[JobStatus]]] = {
    JobStatus.QUEUED: frozenset(
        {JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.REJECTED}
    ),
    JobStatus.RUNNING: frozenset(
        {
            JobStatus.SUCCESS,
            JobStatus.PARTIAL_SUCCESS,
            JobStatus.FAILED,
            JobStatus.CANCELLED,
        }
    ),
    JobStatus.SUCCESS: frozenset(),
    JobStatus.PARTIAL_SUCCESS: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
    # an edit of a refused comment may turn it into a command
    JobStatus.REJECTED: frozenset({JobStatus.QUEUED}),
}

_ENDS_OF_WORK = frozenset({VariantStatus.FAILED, VariantStatus.TIMEOUT, VariantStatus.CANCELLED})

VARIANT_TRANSITIONS: Final[Mapping[VariantStatus, frozenset[VariantStatus]]] = {
    VariantStatus.PENDING: _ENDS_OF_WORK | {VariantStatus.DRAFTING},
    VariantStatus.DRAFTING: _ENDS_OF_WORK | {VariantStatus.PUSHING, VariantStatus.DUPLICATE},
    VariantStatus.PUSHING: _ENDS_OF_WORK | {VariantStatus.SUCCESS},
    VariantStatus.SUCCESS: frozenset(),
    VariantStatus.FAILED: frozenset(),
    VariantStatus.TIMEOUT: frozenset(),
    VariantStatus.CANCELLED: frozenset(),
    VariantStatus.DUPLICATE: frozenset(),
}


def may_follow(before: JobStatus | VariantStatus, after: JobStatus | VariantStatus) -> bool:
    """Answer whether the tables allow the step; staying in a state is always allowed."""
    if before == after and type(before) is type(after):
        return True
    if isinstance(before, JobStatus):
        return isinstance(after, JobStatus) and after in JOB_TRANSITIONS[before]
    return isinstance(after, VariantStatus) and after in VARIANT_TRANSITIONS[before]


def conclude(variants: Mapping[int, VariantStatus]) -> JobStatus:
    """Derive how a job ended from how its variants ended (by number).

    A duplicate is neither a success nor a failure: it was folded into a variant that says the same.
    """
    ends = set(variants.values()) - {VariantStatus.DUPLICATE}
    if ends == {VariantStatus.SUCCESS}:
        return JobStatus.SUCCESS
    if VariantStatus.SUCCESS in ends:
        return JobStatus.PARTIAL_SUCCESS
    if ends == {VariantStatus.CANCELLED}:
        return JobStatus.CANCELLED
    return JobStatus.FAILED
