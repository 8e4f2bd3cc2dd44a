"""Reads from Azure DevOps what the agent has done: comments, branches and drafts of its own.

Only what the agent's own account has written counts as its word; a marker that somebody else writes
means nothing. It only reads.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.ado.errors import AdoNotFoundError
from shared.ado.pull_requests import build_repository_path, list_active_pull_requests
from shared.ado.session import AdoSession, build_path
from shared.ado.threads import list_threads
from shared.ado.wire import WireCommitRef, WireRefs, decode
from shared.comments.marker import CommentKind, JobEnd, read_end, read_marker
from shared.domain.comment_ref import CommentRef
from shared.domain.names import BRANCH_PREFIX, VARIANT_BRANCH
from shared.domain.pull_request import Comment, CommentThread, PullRequest
from shared.settings.recovery import Place
from shared.webhook.command import looks_like_command

_HEADS: Final = "refs/heads/"
_PAGE: Final = 100
_STEP: Final = 90
"""Pages overlap: whoever closes a pull request meanwhile moves the others up."""
_MOST_VARIANTS: Final = 10


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of the agent's."""

    name: str
    tip: str
    base: str
    """The commit that the agent's one commit stands on; empty where somebody has pushed since."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands on Azure DevOps of one command that the agent has taken."""

    ref: CommentRef
    pull_request: PullRequest
    command: Comment
    status_comment_id: int | None
    final: Comment | None
    branches: dict[int, Branch] = field(default_factory=dict)
    """By the number of the variant."""
    drafts: dict[int, int] = field(default_factory=dict)
    """Ids of the active drafts, by the number of the variant."""

    @property
    def end(self) -> JobEnd | None:
        """How the job has ended; None when its thread has no final reply."""
        return None if self.final is None else read_end(self.final.content)


@dataclass(slots=True)
class Looked:
    """How far a look has got."""

    pull_requests: int = 0
    orphans: int = 0
    """Jobs whose command is gone or is none any more: nothing can be said of what they were for."""
    tell: Callable[[int], None] = lambda _: None
    """Hears how many pull requests have been read."""


def list_evidence(
    session: AdoSession,
    organisation: str,
    place: Place,
    agent_id: str,
    since: datetime,
    looked: Looked,
) -> Iterator[Evidence]:
    """List the accepted commands of a place that were written since an instant.

    Raises:
        AdoError: Azure DevOps does not answer, or there is no such place.
    """
    found = _list_pull_requests(session, organisation, place)
    drafts = {
        (one.repository.repository_id, one.source_ref): one.id
        for one in found
        if one.is_draft and one.created_by.id == agent_id
    }
    for pull_request in found:
        try:
            threads = list_threads(session, pull_request.repository, pull_request.id)
        except AdoNotFoundError:  # gone meanwhile
            continue
        looked.pull_requests += 1
        looked.tell(looked.pull_requests)
        yield from _read_pull_request(
            session, pull_request, threads, agent_id, since, drafts, looked
        )


def _list_pull_requests(session: AdoSession, organisation: str, place: Place) -> list[PullRequest]:
    found: dict[int, PullRequest] = {}
    skip = 0
    while True:
        page = list_active_pull_requests(
            session, organisation, place.project, place.repository, skip=skip, top=_PAGE
        )
        found |= {one.id: one for one in page}
        if len(page) < _PAGE:
            return [found[number] for number in sorted(found)]
        skip += _STEP


def _read_pull_request(
    session: AdoSession,
    pull_request: PullRequest,
    threads: list[CommentThread],
    agent_id: str,
    since: datetime,
    drafts: dict[tuple[str, str], int],
    looked: Looked,
) -> Iterator[Evidence]:
    own = _read_own(threads, agent_id)
    if not own:
        return
    branches = _list_branches(session, pull_request)
    repository = pull_request.repository
    for thread in threads:
        for command in thread.comments:
            ref = CommentRef(
                repository.organisation,
                repository.project_id,
                repository.repository_id,
                pull_request.id,
                thread.id,
                command.id,
            )
            said = own.pop(ref.instance_id, {})
            if CommentKind.STATUS not in said and CommentKind.FINAL not in said:
                continue  # answered, or not heard
            if command.is_deleted or not looks_like_command(command.content):
                looked.orphans += 1
                continue
            if command.published is None or command.published <= since:
                continue
            tips = branches.get((thread.id, command.id), {})
            status = said.get(CommentKind.STATUS)
            yield Evidence(
                ref=ref,
                pull_request=pull_request,
                command=command,
                status_comment_id=None if status is None else status.id,
                final=said.get(CommentKind.FINAL),
                branches={
                    number: _read_branch(session, pull_request, name, tip)
                    for number, (name, tip) in tips.items()
                },
                drafts={
                    number: drafts[key]
                    for number, (name, _) in tips.items()
                    if (key := (repository.repository_id, _HEADS + name)) in drafts
                },
            )
    looked.orphans += sum(CommentKind.STATUS in said for said in own.values())


def _read_own(threads: list[CommentThread], agent_id: str) -> dict[str, dict[CommentKind, Comment]]:
    """Read the agent's own comments, by job and kind."""
    own: dict[str, dict[CommentKind, Comment]] = defaultdict(dict)
    for comment in (one for thread in threads for one in thread.comments):
        marker = read_marker(comment.content)
        if marker is not None and comment.author.id == agent_id and not comment.is_deleted:
            own[marker[0]].setdefault(marker[1], comment)
    return own


def _list_branches(
    session: AdoSession, pull_request: PullRequest
) -> dict[tuple[int, int], dict[int, tuple[str, str]]]:
    """List the agent's branches of a pull request: names and tips, by thread, comment, variant."""
    path = build_repository_path(pull_request.repository, "refs")
    query = {"filter": f"heads/{BRANCH_PREFIX}edit-{pull_request.id}-"}
    refs = decode("list refs", session.call("list refs", "GET", path, query=query), WireRefs)
    found: dict[tuple[int, int], dict[int, tuple[str, str]]] = defaultdict(dict)
    for ref in refs.value:
        parts = VARIANT_BRANCH.fullmatch(ref.name.removeprefix(_HEADS))
        if parts is None or not 1 <= int(parts["variant"]) <= _MOST_VARIANTS:
            continue
        place = int(parts["thread"]), int(parts["comment"])
        found[place][int(parts["variant"])] = ref.name.removeprefix(_HEADS), ref.object_id
    return found


def _read_branch(session: AdoSession, pull_request: PullRequest, name: str, tip: str) -> Branch:
    path = f"{build_repository_path(pull_request.repository, 'commits')}/{build_path(tip)}"
    commit = decode("get commit", session.call("get commit", "GET", path), WireCommitRef)
    is_own = "Code-Agent-Job: " in commit.comment and len(commit.parents) == 1
    return Branch(name, tip, commit.parents[0] if is_own else "")
