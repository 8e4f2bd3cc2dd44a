"""A pull request and its conversation, as far as the agent needs to know them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain.comment_ref import CommentRef


class PullRequestStatus(StrEnum):
    """Status of a pull request.

    Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-request
    """

    ACTIVE = "active"
    ABANDONED = "abandoned"
    COMPLETED = "completed"
    NOT_SET = "notSet"


class ThreadStatus(StrEnum):
    """Status of a comment thread."""

    ACTIVE = "active"
    PENDING = "pending"
    FIXED = "fixed"
    CLOSED = "closed"


class StatusState(StrEnum):
    """State of a pull request status."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ERROR = "error"
    NOT_APPLICABLE = "notApplicable"


@dataclass(frozen=True, slots=True)
class StatusNote:
    """What a pull request status says. The latest of a context (genre and name) counts."""

    genre: str
    name: str
    state: StatusState
    description: str
    target_url: str = ""


@dataclass(frozen=True, slots=True)
class RepositoryRef:
    """A repository by ids, with names for people."""

    organisation: str
    project_id: str
    repository_id: str
    project_name: str = ""
    repository_name: str = ""

    @classmethod
    def of_comment(cls, comment: CommentRef) -> "RepositoryRef":
        """Name the repository that a comment is in, by its ids alone."""
        return cls(comment.organisation, comment.project_id, comment.repository_id)


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody in Azure DevOps. The unique name may be an e-mail address: never log it."""

    id: str
    display_name: str = ""
    unique_name: str = ""
    descriptor: str = ""
    """Graph subject descriptor (`aad.…`), empty where the answer had none."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it was read a moment ago."""

    repository: RepositoryRef
    id: int
    title: str
    description: str
    status: PullRequestStatus
    is_draft: bool
    is_fork: bool
    source_ref: str
    """`refs/heads/…`."""
    target_ref: str
    """`refs/heads/…`."""
    head_commit: str
    """Tip of the source branch, 40 hexadecimal digits."""
    target_commit: str
    """Tip of the target branch at the last merge, 40 hexadecimal digits, or empty."""
    created_by: Identity
    web_url: str
    """Built from the configured base and names, never taken from a payload."""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of a thread."""

    id: int
    parent_id: int
    author: Identity
    content: str
    is_deleted: bool
    is_text: bool
    """False for system comments and code changes."""
    published: datetime | None = None
    content_updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class CommentThread:
    """A thread of comments, and the lines it hangs on."""

    id: int
    status: str
    comments: tuple[Comment, ...]
    path: str | None = None
    """Path of the file without the leading slash, or None for a general thread."""
    first_line: int | None = None
    """1-based, on the right side (the source branch)."""
    last_line: int | None = None
    properties: dict[str, str] = field(default_factory=dict)
