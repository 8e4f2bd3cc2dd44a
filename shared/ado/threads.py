"""Reads comment threads, replies in them, and edits comments of our own.

The service makes two comments of two equal requests: callers look for their marker first
(`find_comment`) when they do not know what became of an earlier attempt.
Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads
"""

from shared.ado.pull_requests import build_repository_path
from shared.ado.session import AdoSession
from shared.ado.wire import WireCreated, WireThread, WireThreads, decode
from shared.domain.pull_request import Comment, CommentThread, RepositoryRef, ThreadStatus


def fetch_thread(
    session: AdoSession, repository: RepositoryRef, pull_request_id: int, thread_id: int
) -> CommentThread:
    """Read a thread with its comments.

    Raises:
        AdoNotFoundError: there is none, or the agent may not see it.
    """
    path = build_repository_path(repository, "pullRequests", pull_request_id, "threads", thread_id)
    data = session.call("get thread", "GET", path)
    return decode("get thread", data, WireThread).to_domain()


def list_threads(
    session: AdoSession, repository: RepositoryRef, pull_request_id: int
) -> list[CommentThread]:
    """List the threads of a pull request."""
    path = build_repository_path(repository, "pullRequests", pull_request_id, "threads")
    data = session.call("list threads", "GET", path)
    return [thread.to_domain() for thread in decode("list threads", data, WireThreads).value]


def find_comment(thread: CommentThread, marker: str, author_id: str) -> Comment | None:
    """Find the comment of an author that begins with a marker."""
    return next(
        (
            comment
            for comment in thread.comments
            if comment.author.id == author_id
            and not comment.is_deleted
            and comment.content.startswith(marker)
        ),
        None,
    )


def post_reply(
    session: AdoSession,
    repository: RepositoryRef,
    pull_request_id: int,
    thread_id: int,
    content: str,
    *,
    parent_id: int,
) -> int:
    """Reply to a comment; answers the id of the new one. Not safe to repeat by itself."""
    path = build_repository_path(
        repository, "pullRequests", pull_request_id, "threads", thread_id, "comments"
    )
    body = {"parentCommentId": parent_id, "content": content, "commentType": 1}
    data = session.call("create comment", "POST", path, body=body)
    return decode("create comment", data, WireCreated).id


def edit_comment(
    session: AdoSession,
    repository: RepositoryRef,
    pull_request_id: int,
    thread_id: int,
    comment_id: int,
    *,
    content: str,
) -> None:
    """Replace the content of a comment of ours; safe to repeat."""
    path = build_repository_path(
        repository, "pullRequests", pull_request_id, "threads", thread_id, "comments", comment_id
    )
    session.call("update comment", "PATCH", path, body={"content": content})


def set_thread_status(
    session: AdoSession,
    repository: RepositoryRef,
    pull_request_id: int,
    thread_id: int,
    status: ThreadStatus,
) -> None:
    """Set the status of a thread; safe to repeat."""
    path = build_repository_path(repository, "pullRequests", pull_request_id, "threads", thread_id)
    session.call("update thread", "PATCH", path, body={"status": str(status)})
