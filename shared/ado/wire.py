"""The JSON of Azure DevOps as far as it is read. Unknown fields are ignored; no shape leaves `ado`.

Source: https://learn.microsoft.com/rest/api/azure/devops/git (7.1)
"""

import threading
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from shared.ado.errors import AdoError
from shared.domain.pull_request import Comment, CommentThread, Identity

_T = TypeVar("_T")


class WireIdentity(msgspec.Struct, rename="camel"):
    """IdentityRef."""

    id: str = ""
    display_name: str = ""
    unique_name: str = ""
    descriptor: str = ""

    def to_domain(self) -> Identity:
        """Read it as somebody."""
        return Identity(self.id.lower(), self.display_name, self.unique_name, self.descriptor)


class WireConnectedUser(msgspec.Struct, rename="camel"):
    """An identity as connectionData and the list of identities show it."""

    id: str
    provider_display_name: str = ""
    subject_descriptor: str = ""


class WireFoundIdentities(msgspec.Struct):
    """A list of identities."""

    value: list[WireConnectedUser]


class WireConnectionData(msgspec.Struct, rename="camel"):
    """ConnectionData."""

    authenticated_user: WireConnectedUser


class WireProject(msgspec.Struct):
    """TeamProjectReference."""

    id: str
    name: str = ""


class WireRepository(msgspec.Struct):
    """GitRepository."""

    id: str
    project: WireProject
    name: str = ""


class WireCommitRef(msgspec.Struct, rename="camel"):
    """GitCommitRef."""

    commit_id: str = ""
    comment: str = ""
    parents: list[str] = []


class WireConsumerInputs(msgspec.Struct):
    """Of a subscription of the consumer `webHooks`."""

    url: str | None = None


class WireSubscription(msgspec.Struct, rename="camel"):
    """Subscription of a service hook."""

    id: str
    status: str = "enabled"
    probation_retries: int | None = None
    consumer_inputs: WireConsumerInputs | None = None


class WireSubscriptions(msgspec.Struct):
    """A list of subscriptions."""

    value: list[WireSubscription]


class WireLabel(msgspec.Struct):
    """WebApiTagDefinition."""

    name: str = ""


class WirePullRequest(msgspec.Struct, rename="camel"):
    """GitPullRequest."""

    pull_request_id: int
    repository: WireRepository
    created_by: WireIdentity
    source_ref_name: str
    target_ref_name: str
    status: str = "notSet"
    title: str = ""
    description: str = ""
    is_draft: bool = False
    fork_source: Any = None
    last_merge_source_commit: WireCommitRef | None = None
    last_merge_target_commit: WireCommitRef | None = None
    labels: list[WireLabel] | None = None


class WirePullRequests(msgspec.Struct):
    """A list of pull requests."""

    value: list[WirePullRequest]


class WireComment(msgspec.Struct, rename="camel"):
    """Comment. A deleted one has no content."""

    id: int
    author: WireIdentity
    parent_comment_id: int = 0
    content: str | None = None
    comment_type: str = "text"
    is_deleted: bool = False
    published_date: datetime | None = None
    last_content_updated_date: datetime | None = None

    def to_domain(self) -> Comment:
        """Read it as a comment."""
        return Comment(
            id=self.id,
            parent_id=self.parent_comment_id,
            author=self.author.to_domain(),
            content=self.content or "",
            is_deleted=self.is_deleted,
            is_text=self.comment_type == "text",
            published=self.published_date,
            content_updated=self.last_content_updated_date,
        )


class WirePosition(msgspec.Struct):
    """CommentPosition."""

    line: int = 0
    offset: int = 0


class WireThreadContext(msgspec.Struct, rename="camel"):
    """CommentThreadContext."""

    file_path: str | None = None
    right_file_start: WirePosition | None = None
    right_file_end: WirePosition | None = None


class WireThread(msgspec.Struct, rename="camel"):
    """GitPullRequestCommentThread."""

    id: int
    comments: list[WireComment] = []
    status: str = "unknown"
    thread_context: WireThreadContext | None = None

    def to_domain(self) -> CommentThread:
        """Read it as a thread."""
        place = self.thread_context or WireThreadContext()
        start, end = place.right_file_start, place.right_file_end
        first = start.line if start is not None and start.line > 0 else None
        last = end.line if end is not None and end.line > 0 else first
        if first is not None and end is not None and end.offset == 1 and end.line > first:
            last = end.line - 1  # a selection that ends before the first character of a line
        return CommentThread(
            id=self.id,
            status=self.status,
            comments=tuple(comment.to_domain() for comment in self.comments),
            path=place.file_path.lstrip("/") if place.file_path else None,
            first_line=first,
            last_line=last,
        )


class WireThreads(msgspec.Struct):
    """A list of threads."""

    value: list[WireThread]


class WireStatusContext(msgspec.Struct):
    """GitStatusContext."""

    name: str = ""
    genre: str | None = None


class WireStatus(msgspec.Struct, rename="camel"):
    """GitPullRequestStatus."""

    id: int
    state: str = "notSet"
    description: str | None = None
    target_url: str | None = None
    context: WireStatusContext | None = None


class WireStatuses(msgspec.Struct):
    """A list of statuses."""

    value: list[WireStatus]


class WireRef(msgspec.Struct, rename="camel"):
    """GitRef."""

    name: str
    object_id: str


class WireRefs(msgspec.Struct):
    """A list of refs."""

    value: list[WireRef]


class WirePush(msgspec.Struct):
    """GitPush."""

    commits: list[WireCommitRef] = []


class WireCreated(msgspec.Struct):
    """The id of whatever was created."""

    id: int


class WireDescriptor(msgspec.Struct):
    """GraphDescriptorResult."""

    value: str


class WireMembership(msgspec.Struct, rename="camel"):
    """GraphMembership."""

    container_descriptor: str


class WireMemberships(msgspec.Struct):
    """A list of memberships."""

    value: list[WireMembership]


class WireGroup(msgspec.Struct, rename="camel"):
    """GraphGroup."""

    principal_name: str = ""
    display_name: str = ""


class WireSubjects(msgspec.Struct):
    """What a lookup of several subjects answers, by descriptor."""

    value: dict[str, WireGroup | None]


def decode(operation: str, data: bytes, kind: type[_T]) -> _T:
    """Read an answer.

    Raises:
        AdoError: `ado.unexpected_answer`.
    """
    try:
        return _find_decoder(kind).decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise AdoError("ado.unexpected_answer", operation=operation) from error


def _find_decoder(kind: type[_T]) -> msgspec.json.Decoder[_T]:
    """Answer the decoder of a shape; each is built once, and never two at the same time.

    msgspec 0.22 learns a Struct's fields when it is first decoded into, and crashes the process
    when two threads do so at once: activities run in threads, and a cold worker starts several.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        with _BUILDING:
            decoder = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))
    return decoder


_DECODERS: Final[dict[Any, msgspec.json.Decoder[Any]]] = {}
_BUILDING: Final = threading.Lock()
