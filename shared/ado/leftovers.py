"""Takes away what a job has left: for the canary alone, with an identity that is not the agent's.

Safe to repeat. Branches outside of the agent's folder are never touched.
"""

from collections.abc import Sequence

from shared.ado.pull_requests import NO_COMMIT, build_repository_path
from shared.ado.session import AdoSession
from shared.ado.wire import WirePullRequests, WireRefs, WireThread, decode
from shared.domain.errors import PolicyError
from shared.domain.names import is_own_branch
from shared.domain.pull_request import CommentThread, RepositoryRef

_HEADS = "refs/heads/"


def begin_thread(
    session: AdoSession, repository: RepositoryRef, pull_request_id: int, content: str
) -> CommentThread:
    """Begin a thread on a pull request. Not safe to repeat by itself.

    Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads/create
    """
    path = build_repository_path(repository, "pullRequests", pull_request_id, "threads")
    comments = [{"parentCommentId": 0, "content": content, "commentType": 1}]
    body = {"comments": comments, "status": "active"}
    data = session.call("create thread", "POST", path, body=body)
    return decode("create thread", data, WireThread).to_domain()


def delete_comments(
    session: AdoSession,
    repository: RepositoryRef,
    pull_request_id: int,
    thread: CommentThread,
    author_id: str,
) -> None:
    """Delete the comments of an author, who has to be the session's."""
    for comment in thread.comments:
        if comment.author.id == author_id and not comment.is_deleted:
            place = ("pullRequests", pull_request_id, "threads", thread.id, "comments", comment.id)
            path = build_repository_path(repository, *place)
            session.call("delete comment", "DELETE", path)


def remove_branches(session: AdoSession, repository: RepositoryRef, prefix: str) -> int:
    """Abandon the pull requests of branches with a prefix, and delete the branches.

    Answers how many branches there were.

    Raises:
        PolicyError: `branch.not_ours`, for a prefix outside of the agent's folder.
    Source: https://learn.microsoft.com/rest/api/azure/devops/git/refs/update-refs
    """
    if not is_own_branch(prefix):
        raise PolicyError("branch.not_ours", "Only branches of the agent's are removed.")
    path = build_repository_path(repository, "refs")
    data = session.call("list refs", "GET", path, query={"filter": f"heads/{prefix}"})
    refs = decode("list refs", data, WireRefs).value
    for ref in refs:
        _abandon_all(session, repository, ref.name)
    if refs:
        _delete(session, repository, [(ref.name, ref.object_id) for ref in refs])
    return len(refs)


def _abandon_all(session: AdoSession, repository: RepositoryRef, source_ref: str) -> None:
    query = {"searchCriteria.status": "active", "searchCriteria.sourceRefName": source_ref}
    path = build_repository_path(repository, "pullrequests")
    data = session.call("list pull requests", "GET", path, query=query)
    for found in decode("list pull requests", data, WirePullRequests).value:
        path = build_repository_path(repository, "pullRequests", found.pull_request_id)
        session.call("update pull request", "PATCH", path, body={"status": "abandoned"})


def _delete(
    session: AdoSession, repository: RepositoryRef, refs: Sequence[tuple[str, str]]
) -> None:
    body = [
        {"name": name, "oldObjectId": commit, "newObjectId": NO_COMMIT}
        for name, commit in refs
        if is_own_branch(name.removeprefix(_HEADS))
    ]
    session.call("update refs", "POST", build_repository_path(repository, "refs"), body=body)
