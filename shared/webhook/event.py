"""Finds out which comment a delivery is about, in every shape that Azure DevOps sends.

Resource version 2.0 nests comment and pull request, 1.0 sends the comment alone, and a subscription
with minimal details little but links. Ids are read out of links; no link is ever followed.
Source: https://learn.microsoft.com/azure/devops/service-hooks/events#pullrequest-comment
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from shared.domain.comment_ref import CommentRef
from shared.domain.names import OWN_MARKER
from shared.webhook.command import looks_like_command

COMMENT_EVENT: Final = "ms.vss-code.git-pullrequest-comment-event"

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_REPOSITORY = re.compile(
    rf"(?:/(?P<project>{_GUID}))?/_apis/git/repositories/(?P<repository>{_GUID})(?=[/?#]|$)",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    r"/pullRequests/(?P<pull_request>\d{1,10})/threads/(?P<thread>\d{1,10})"
    r"(?:/comments/(?P<comment>\d{1,10}))?(?=[/?#]|$)",
    re.IGNORECASE,
)
_LINKS: Final = ("self", "threads", "pullRequests", "repository")


@dataclass(frozen=True, slots=True)
class CommentEvent:
    """A comment that may be a command: worth a look over REST."""

    ref: CommentRef
    is_addressed: bool
    """Whether the comment's text was sent and is a command; False when only a look can tell."""


@dataclass(frozen=True, slots=True)
class TalkEvent:
    """A comment that is no command: it may answer a question of ours."""

    ref: CommentRef


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """A delivery that asks for nothing."""

    reason: str
    """One of a few fixed words, for the answer to the service hook."""


def parse_event(body: bytes, *, organisation: str) -> CommentEvent | TalkEvent | IgnoredEvent:
    """Read a delivery; never raises, whatever the bytes.

    Args:
        body: raw bytes of the request.
        organisation: from the settings; what the payload says of it is not asked.
    """
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return IgnoredEvent("malformed")
    if not isinstance(payload, dict):
        return IgnoredEvent("malformed")
    if payload.get("eventType") != COMMENT_EVENT:
        return IgnoredEvent("other_event")
    resource = _dict(payload.get("resource"))
    comment = _dict(resource.get("comment")) or resource
    reason = _judge(comment)
    if reason is not None:
        return IgnoredEvent(reason)
    content = comment.get("content")
    is_talk = isinstance(content, str) and not looks_like_command(content)
    try:
        ref = _read_ref(payload, resource, comment, organisation)
    except ValueError:
        return IgnoredEvent("no_command" if is_talk else "no_ids")
    return TalkEvent(ref) if is_talk else CommentEvent(ref, is_addressed=isinstance(content, str))


def _judge(comment: dict[str, Any]) -> str | None:
    """Say why a comment plainly asks for nothing; None when it may."""
    if comment.get("isDeleted") is True:
        return "deleted"
    if comment.get("commentType", "text") not in ("text", 1, "unknown", 0):
        return "system_comment"
    content = comment.get("content")
    if isinstance(content, str) and content.startswith(OWN_MARKER):
        return "own_comment"
    return None


def _read_ref(
    payload: dict[str, Any], resource: dict[str, Any], comment: dict[str, Any], organisation: str
) -> CommentRef:
    pull_request = _dict(resource.get("pullRequest"))
    repository = _dict(pull_request.get("repository"))
    container = _dict(_dict(payload.get("resourceContainers")).get("project"))
    linked: dict[str, str] = {}
    for link in _list_links(comment, resource):
        for pattern in (_REPOSITORY, _COMMENT):
            match = pattern.search(link)
            if match:
                linked = {k: v for k, v in match.groupdict().items() if v} | linked
    project = (
        _dict(repository.get("project")).get("id") or container.get("id") or linked.get("project")
    )
    return CommentRef(
        organisation=organisation,
        project_id=_guid(project),
        repository_id=_guid(repository.get("id") or linked.get("repository")),
        pull_request_id=_number(pull_request.get("pullRequestId") or linked.get("pull_request")),
        thread_id=_number(linked.get("thread")),
        comment_id=_number(linked.get("comment") or comment.get("id")),
    )


def _list_links(comment: dict[str, Any], resource: dict[str, Any]) -> Iterator[str]:
    for holder in (comment, resource):
        links = _dict(holder.get("_links"))
        candidates = [_dict(links.get(name)).get("href") for name in _LINKS]
        for link in (*candidates, holder.get("url")):
            if isinstance(link, str) and len(link) <= 2000:
                yield link


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _guid(value: Any) -> str:
    return value.lower() if isinstance(value, str) else ""


def _number(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) else 0
