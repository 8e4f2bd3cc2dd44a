"""Comment threads of a pull request. Comment ids begin at 1 in every thread, as the service has it.

Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads
"""

from typing import Any, Final

from local.azure_devops.errors import (
    ServiceError,
    miss_comment,
    miss_thread,
    refuse_argument,
)
from local.azure_devops.organisation import PULL_REQUEST, Organisation, read_time
from local.azure_devops.people import write_identity
from local.azure_devops.pull_requests import PULL, find_here
from local.azure_devops.records import Document
from local.azure_devops.repositories import write_repository
from local.azure_devops.routing import Call, route, write_list

MAX_COMMENTS: Final = 500
MAX_COMMENT_LENGTH: Final = 150_000
STATUSES: Final = {
    "unknown": 0,
    "active": 1,
    "fixed": 2,
    "wontFix": 3,
    "closed": 4,
    "byDesign": 5,
    "pending": 6,
}
TYPES: Final = {0: "unknown", 1: "text", 2: "codeChange", 3: "system"}


def write_thread(organisation: Organisation, thread: Document) -> dict[str, Any]:
    """Write a GitPullRequestCommentThread."""
    shown: dict[str, Any] = {
        "id": thread["id"],
        "publishedDate": thread["publishedDate"],
        "lastUpdatedDate": thread["lastUpdatedDate"],
        "comments": [write_comment(organisation, thread, one) for one in thread["comments"]],
        "threadContext": thread["threadContext"],
        "properties": thread["properties"],
        "isDeleted": False,
        "_links": {"self": {"href": _link(organisation, thread)}},
    }
    if thread["status"] is not None:
        shown["status"] = thread["status"]
    return shown


def write_comment(
    organisation: Organisation, thread: Document, comment: dict[str, Any]
) -> dict[str, Any]:
    """Write a Comment; a deleted one has no content."""
    link = f"{_link(organisation, thread)}/comments/{comment['id']}"
    shown = {
        "id": comment["id"],
        "parentCommentId": comment["parentCommentId"],
        "author": write_identity(organisation, comment["authorId"]),
        "publishedDate": comment["publishedDate"],
        "lastUpdatedDate": comment["lastUpdatedDate"],
        "lastContentUpdatedDate": comment["lastContentUpdatedDate"],
        "commentType": comment["commentType"],
        "usersLiked": [],
        "_links": {
            "self": {"href": link},
            "repository": {"href": link.partition("/pullRequests/")[0]},
            "threads": {"href": _link(organisation, thread)},
            "pullRequests": {
                "href": f"{organisation.url}/_apis/git/pullRequests/{thread['pullRequestId']}"
            },
        },
    }
    if comment["isDeleted"]:
        return shown | {"isDeleted": True}
    return shown | {"content": comment["content"]}


def _link(organisation: Organisation, thread: Document) -> str:
    repository = organisation.records.get("repository", thread["repositoryId"]) or {}
    base = write_repository(organisation, repository)["url"]
    return f"{base}/pullRequests/{thread['pullRequestId']}/threads/{thread['id']}"


def list_threads_of(organisation: Organisation, pull_request_id: int) -> list[Document]:
    """List the threads of a pull request, oldest first."""
    return [
        thread
        for thread in organisation.records.all("thread")
        if thread["pullRequestId"] == pull_request_id
    ]


def _find(call: Call) -> Document:
    pull_request = find_here(call)
    number = call.number("thread")
    thread = call.organisation.records.get("thread", f"{pull_request['id']}/{number}")
    if thread is None:
        raise miss_thread(number)
    return thread


def _save(organisation: Organisation, thread: Document) -> None:
    thread["lastUpdatedDate"] = read_time()
    organisation.records.put("thread", f"{thread['pullRequestId']}/{thread['id']}", thread)


@route("GET", PULL + "/threads", "list threads")
def list_threads(call: Call) -> Any:
    """List the threads."""
    threads = list_threads_of(call.organisation, find_here(call)["id"])
    return write_list([write_thread(call.organisation, one) for one in threads])


@route("GET", PULL + "/threads/{thread}", "get thread")
def show_thread(call: Call) -> Any:
    """Show a thread with its comments."""
    return write_thread(call.organisation, _find(call))


@route("POST", PULL + "/threads", "create thread")
def create_thread(call: Call) -> Any:
    """Begin a thread; two equal requests make two."""
    pull_request = find_here(call)
    organisation = call.organisation
    organisation.require(call.user, call.find_repository(), PULL_REQUEST)
    body = call.read_object()
    comments = body.get("comments") or []
    if not comments:
        raise refuse_argument("A thread needs a comment.")
    return write_thread(organisation, begin_thread(organisation, pull_request, call.user, body))


def begin_thread(
    organisation: Organisation, pull_request: Document, user: Document, body: dict[str, Any]
) -> Document:
    """Begin a thread, as its REST body says."""
    now = read_time()
    thread: Document = {
        "id": organisation.records.next_number("thread"),
        "pullRequestId": pull_request["id"],
        "repositoryId": pull_request["repositoryId"],
        "publishedDate": now,
        "lastUpdatedDate": now,
        "status": _read_status(body.get("status")),
        "threadContext": body.get("threadContext"),
        "properties": body.get("properties") or {},
        "comments": [],
    }
    for comment in body["comments"]:
        _add_comment(organisation, thread, user, comment)
    return thread


@route("PATCH", PULL + "/threads/{thread}", "update thread")
def update_thread(call: Call) -> Any:
    """Change the status of a thread."""
    thread = _find(call)
    call.organisation.require(call.user, call.find_repository(), PULL_REQUEST)
    body = call.read_object()
    if "status" in body:
        thread["status"] = _read_status(body["status"])
    _save(call.organisation, thread)
    return write_thread(call.organisation, thread)


def _read_status(value: Any) -> str | None:
    if value is None:
        return None
    by_number = {number: name for name, number in STATUSES.items()}
    lowered = {name.lower(): name for name in STATUSES}
    name = by_number.get(value) if isinstance(value, int) else lowered.get(str(value).lower())
    if name is None:
        raise refuse_argument(f"The thread status {value!r} is not known.")
    return name


@route("GET", PULL + "/threads/{thread}/comments", "list comments")
def list_comments(call: Call) -> Any:
    """List the comments of a thread."""
    thread = _find(call)
    return write_list([write_comment(call.organisation, thread, one) for one in thread["comments"]])


@route("POST", PULL + "/threads/{thread}/comments", "create comment")
def create_comment(call: Call) -> Any:
    """Reply in a thread."""
    thread = _find(call)
    call.organisation.require(call.user, call.find_repository(), PULL_REQUEST)
    comment = _add_comment(call.organisation, thread, call.user, call.read_object())
    return write_comment(call.organisation, thread, comment)


@route("GET", PULL + "/threads/{thread}/comments/{comment}", "get comment")
def show_comment(call: Call) -> Any:
    """Show a comment."""
    thread = _find(call)
    return write_comment(call.organisation, thread, _find_comment(call, thread))


@route("PATCH", PULL + "/threads/{thread}/comments/{comment}", "update comment")
def update_comment(call: Call) -> Any:
    """Edit a comment in place; only its author may."""
    thread = _find(call)
    comment = _find_own_comment(call, thread)
    content = call.read_object().get("content")
    comment["content"] = _check_content(content)
    comment["lastUpdatedDate"] = comment["lastContentUpdatedDate"] = read_time()
    _save(call.organisation, thread)
    _announce(call.organisation, thread, comment, call.user)
    return write_comment(call.organisation, thread, comment)


@route("DELETE", PULL + "/threads/{thread}/comments/{comment}", "delete comment")
def delete_comment(call: Call) -> Any:
    """Delete a comment: it stays, without content."""
    thread = _find(call)
    comment = _find_own_comment(call, thread)
    comment["isDeleted"] = True
    comment["lastUpdatedDate"] = read_time()
    _save(call.organisation, thread)
    _announce(call.organisation, thread, comment, call.user)
    return None


def _find_comment(call: Call, thread: Document) -> dict[str, Any]:
    number = call.number("comment")
    for comment in thread["comments"]:
        if comment["id"] == number:
            found: dict[str, Any] = comment
            return found
    raise miss_comment(number)


def _find_own_comment(call: Call, thread: Document) -> dict[str, Any]:
    comment = _find_comment(call, thread)
    if comment["authorId"] != call.user["id"]:
        raise ServiceError(
            403,
            "DiscussionPermissionDeniedException",
            "You do not have permission to change a comment of somebody else.",
        )
    return comment


def _add_comment(
    organisation: Organisation, thread: Document, user: Document, body: dict[str, Any]
) -> dict[str, Any]:
    if len(thread["comments"]) >= MAX_COMMENTS:
        raise refuse_argument(f"A thread has at most {MAX_COMMENTS} comments.")
    kind = body.get("commentType", 1)
    parent = body.get("parentCommentId") or 0
    if parent and parent not in {one["id"] for one in thread["comments"]}:
        raise miss_comment(int(parent))
    now = read_time()
    comment = {
        "id": len(thread["comments"]) + 1,
        "parentCommentId": parent,
        "authorId": user["id"],
        "content": _check_content(body.get("content")),
        "publishedDate": now,
        "lastUpdatedDate": now,
        "lastContentUpdatedDate": now,
        "commentType": TYPES.get(kind, "text") if isinstance(kind, int) else str(kind),
        "isDeleted": False,
    }
    thread["comments"].append(comment)
    _save(organisation, thread)
    _announce(organisation, thread, comment, user)
    return comment


def _check_content(content: Any) -> str:
    if not isinstance(content, str) or not content:
        raise refuse_argument("Value cannot be null. Parameter name: content")
    if len(content) > MAX_COMMENT_LENGTH:
        raise refuse_argument(f"A comment has at most {MAX_COMMENT_LENGTH} characters.")
    return content


def _announce(
    organisation: Organisation, thread: Document, comment: dict[str, Any], user: Document
) -> None:
    organisation.announce(
        "comment",
        pullRequestId=thread["pullRequestId"],
        threadKey=f"{thread['pullRequestId']}/{thread['id']}",
        commentId=comment["id"],
        userId=user["id"],
    )
