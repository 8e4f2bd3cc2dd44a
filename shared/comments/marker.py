"""The hidden marker that tells our comments from those of people, and one of ours from another."""

from enum import StrEnum


class CommentKind(StrEnum):
    """What a comment of ours is for."""

    STATUS = "status"
    """The one that is edited in place while the job goes on."""
    FINAL = "final"
    ANSWER = "answer"
    PULL_REQUEST = "pull-request"
    """The description of a draft pull request."""


def write_marker(job_id: str, kind: CommentKind) -> str:
    """Write the marker of one comment of one job; an HTML comment, so people do not see it."""
    return f"<!-- code-agent job={job_id} kind={kind} -->"
