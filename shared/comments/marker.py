"""The hidden marks of our comments: which comment it is, and how its job has ended.

They tell our comments from those of people and from one another, and let records that were lost be
written anew from the threads. Only those in comments of the agent's own account mean anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.domain.names import OWN_MARKER
from shared.domain.states import JobStatus, VariantStatus

_MARKER: Final = re.compile(
    rf"{re.escape(OWN_MARKER)} job=(?P<job>edit-[0-9a-f]{{32}}) kind=(?P<kind>[a-z-]+)"
    r"(?: part=\d+)? -->"
)
_END: Final = re.compile(
    rf"^{re.escape(OWN_MARKER)}-end status=(?P<status>[a-z_]+)"
    r"(?P<variants>(?: v\d+=[a-z_]+)*) -->$",
    re.MULTILINE,
)


class CommentKind(StrEnum):
    """What a comment of ours is for."""

    STATUS = "status"
    """The one that is edited in place while the job goes on."""
    FINAL = "final"
    ANSWER = "answer"
    QUESTION = "question"
    """To the author of a vague request; each round has one."""
    PULL_REQUEST = "pull-request"
    """The description of a draft pull request."""


def write_marker(job_id: str, kind: CommentKind, part: int | None = None) -> str:
    """Write the marker of one comment of one job; an HTML comment, so people do not see it.

    `part` tells comments of one kind apart.
    """
    numbered = "" if part is None else f" part={part}"
    return f"{OWN_MARKER} job={job_id} kind={kind}{numbered} -->"


def read_marker(content: str) -> tuple[str, CommentKind] | None:
    """Read which job a comment is of and what it is for; None without a marker of ours."""
    found = _MARKER.match(content)
    if found is None:
        return None
    try:
        return found["job"], CommentKind(found["kind"])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job has ended."""

    status: JobStatus
    variants: Mapping[int, VariantStatus]
    """By number."""


def write_end(end: JobEnd) -> str:
    """Write how a job has ended, for the end of its final reply."""
    variants = "".join(f" v{number}={status}" for number, status in sorted(end.variants.items()))
    return f"{OWN_MARKER}-end status={end.status}{variants} -->"


def read_end(content: str) -> JobEnd | None:
    """Read what `write_end` wrote; None where a reply says nothing of it, or nothing that ended."""
    said = list(_END.finditer(content))
    if not said:
        return None
    found = said[-1]
    told = (one.partition("=") for one in found["variants"].split())
    try:
        end = JobEnd(
            JobStatus(found["status"]),
            {int(name[1:]): VariantStatus(status) for name, _, status in told},
        )
    except ValueError:
        return None
    is_over = end.status.is_final and all(one.is_final for one in end.variants.values())
    return end if is_over else None
