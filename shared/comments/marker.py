"""The hidden marker that tells our comments from those of people, and one of ours from another."""

from enum import StrEnum

from shared.domain.names import OWN_MARKER


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
