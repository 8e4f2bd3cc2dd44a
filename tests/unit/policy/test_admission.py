from dataclasses import replace

import pytest

from shared.domain.errors import PolicyError
from shared.domain.pull_request import (
    Comment,
    Identity,
    PullRequest,
    PullRequestStatus,
    RepositoryRef,
)
from shared.policy.admission import check_pull_request, is_own_comment

OPEN = PullRequest(
    repository=RepositoryRef("contoso", "p", "r"),
    id=1,
    title="t",
    description="",
    status=PullRequestStatus.ACTIVE,
    is_draft=False,
    is_fork=False,
    source_ref="refs/heads/topic",
    target_ref="refs/heads/main",
    head_commit="a" * 40,
    target_commit="b" * 40,
    created_by=Identity("x"),
    web_url="",
)


def test_an_active_pull_request_and_a_draft_are_welcome() -> None:
    check_pull_request(OPEN)
    check_pull_request(replace(OPEN, is_draft=True))


@pytest.mark.parametrize("status", [PullRequestStatus.COMPLETED, PullRequestStatus.ABANDONED])
def test_a_closed_pull_request_is_refused(status: PullRequestStatus) -> None:
    with pytest.raises(PolicyError, match=r"pull_request\.closed"):
        check_pull_request(replace(OPEN, status=status))


def test_a_fork_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"pull_request\.fork"):
        check_pull_request(replace(OPEN, is_fork=True))


@pytest.mark.parametrize(
    ("author", "content", "own"),
    [
        ("agent", "<!-- code-agent job=edit-1 kind=status -->\nworking", True),
        ("agent", "/edit make it red", False),
        ("jamal", "<!-- code-agent job=edit-1 kind=status -->\nworking", False),
    ],
)
def test_a_comment_is_ours_by_author_and_marker(author: str, content: str, *, own: bool) -> None:
    comment = Comment(1, 0, Identity(author), content, is_deleted=False, is_text=True)
    assert is_own_comment(comment, "agent") is own
