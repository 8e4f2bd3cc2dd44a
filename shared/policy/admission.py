"""Decides about the comment and the pull request a command stands on."""

from shared.domain.errors import PolicyError
from shared.domain.names import OWN_MARKER
from shared.domain.pull_request import Comment, PullRequest, PullRequestStatus


def is_own_comment(comment: Comment, own_id: str) -> bool:
    """Answer whether the agent wrote a comment: its author **and** its marker say so.

    The author alone would not do: on a developer's machine agent and person may share an account.
    """
    return comment.author.id == own_id and OWN_MARKER in comment.content


def check_pull_request(pull_request: PullRequest) -> None:
    """Return when draft pull requests can be stacked on this one.

    Raises:
        PolicyError: `pull_request.closed` or `pull_request.fork`.
    """
    if pull_request.status is not PullRequestStatus.ACTIVE:
        raise PolicyError(
            "pull_request.closed", "This pull request is closed. Reactivate it, then ask again."
        )
    if pull_request.is_fork:
        raise PolicyError(
            "pull_request.fork",
            "The source branch of this pull request lies in a fork, where the agent cannot push.",
        )
