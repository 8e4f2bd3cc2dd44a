"""Reads pull requests and opens drafts."""

from typing import Any, Final

from shared.ado.errors import AdoError
from shared.ado.session import AdoSession, build_path
from shared.ado.wire import WirePullRequest, WirePullRequests, decode
from shared.domain.errors import PolicyError
from shared.domain.links import build_pull_request_url
from shared.domain.names import is_own_branch
from shared.domain.pull_request import PullRequest, PullRequestStatus, RepositoryRef

MAX_TITLE: Final = 400
"""Commonly stated; not found in the documents that were read."""
MAX_DESCRIPTION: Final = 4000
"""Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/create"""

NO_COMMIT: Final = "0" * 40
"""What stands for a commit that is not there."""


def build_repository_path(repository: RepositoryRef, *segments: str | int) -> str:
    """Build a path below a repository, by ids: names can hold anything."""
    return build_path(
        repository.project_id, "_apis", "git", "repositories", repository.repository_id, *segments
    )


def fetch_pull_request(
    session: AdoSession, repository: RepositoryRef, pull_request_id: int
) -> PullRequest:
    """Read a pull request as it is now.

    Raises:
        AdoNotFoundError: there is none, or the agent may not see it.
    Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-request
    """
    path = build_repository_path(repository, "pullRequests", pull_request_id)
    data = session.call("get pull request", "GET", path)
    return _read(
        session, repository.organisation, decode("get pull request", data, WirePullRequest)
    )


def list_active_pull_requests(
    session: AdoSession,
    organisation: str,
    project: str,
    repository: str,
    *,
    skip: int,
    top: int,
) -> list[PullRequest]:
    """List a page of the active pull requests of a repository, newest first, drafts among them.

    Names or ids; without a repository, those of the whole project. Descriptions are cut.

    Raises:
        AdoNotFoundError: there is no such place, or the agent may not see it.
    Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-requests-by-project
    """
    query = {"searchCriteria.status": "active", "$skip": str(skip), "$top": str(top)}
    place = ("repositories", repository) if repository else ()
    path = build_path(project, "_apis", "git", *place, "pullrequests")
    data = session.call("list pull requests", "GET", path, query=query)
    found = decode("list pull requests", data, WirePullRequests).value
    return [_read(session, organisation, wire) for wire in found]


def find_draft_pull_request(
    session: AdoSession, repository: RepositoryRef, *, source_branch: str, target_branch: str
) -> int | None:
    """Find the id of the active pull request between two branches; None when there is none."""
    query = {
        "searchCriteria.status": "active",
        "searchCriteria.sourceRefName": f"refs/heads/{source_branch}",
        "searchCriteria.targetRefName": f"refs/heads/{target_branch}",
    }
    path = build_repository_path(repository, "pullrequests")
    data = session.call("list pull requests", "GET", path, query=query)
    found = decode("list pull requests", data, WirePullRequests).value
    return found[0].pull_request_id if found else None


def open_draft_pull_request(
    session: AdoSession,
    repository: RepositoryRef,
    *,
    source_branch: str,
    target_branch: str,
    title: str,
    description: str,
    labels: tuple[str, ...] = (),
) -> int:
    """Open a draft from `source_branch` into `target_branch`; answers its id, or the open one's.

    Safe to repeat: the service refuses a second active one (TF401179), and the first is found.

    Raises:
        AdoError: `ado.branch_missing`, when either branch is gone.
        PolicyError: `branch.not_ours`, for a source branch outside of our folder.
    Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/create
    """
    if not is_own_branch(source_branch):
        raise PolicyError("branch.not_ours", "The agent opens branches of its own only.")
    body: dict[str, Any] = {
        "sourceRefName": f"refs/heads/{source_branch}",
        "targetRefName": f"refs/heads/{target_branch}",
        "title": title[:MAX_TITLE],
        "description": description[:MAX_DESCRIPTION],
        "isDraft": True,
    }
    if labels:
        body["labels"] = [{"name": name} for name in labels]
    path = build_repository_path(repository, "pullrequests")
    try:
        data = session.call("create pull request", "POST", path, body=body)
    except AdoError as error:
        if error.code != "ado.duplicate_pull_request":
            raise
        found = find_draft_pull_request(
            session, repository, source_branch=source_branch, target_branch=target_branch
        )
        if found is None:
            raise
        return found
    return decode("create pull request", data, WirePullRequest).pull_request_id


def _read(session: AdoSession, organisation: str, wire: WirePullRequest) -> PullRequest:
    named = RepositoryRef(
        organisation,
        wire.repository.project.id.lower(),
        wire.repository.id.lower(),
        wire.repository.project.name,
        wire.repository.name,
    )
    head, target = wire.last_merge_source_commit, wire.last_merge_target_commit
    try:
        status = PullRequestStatus(wire.status)
    except ValueError:
        status = PullRequestStatus.NOT_SET
    return PullRequest(
        repository=named,
        id=wire.pull_request_id,
        title=wire.title,
        description=wire.description,
        status=status,
        is_draft=wire.is_draft,
        is_fork=wire.fork_source is not None,
        source_ref=wire.source_ref_name,
        target_ref=wire.target_ref_name,
        head_commit=head.commit_id if head else "",
        target_commit=target.commit_id if target else "",
        created_by=wire.created_by.to_domain(),
        web_url=build_pull_request_url(session.organisation_url, named, wire.pull_request_id),
        labels=tuple(label.name for label in wire.labels or ()),
    )
