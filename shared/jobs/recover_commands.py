"""Finds the commands that no service hook has told of, by reading the threads of pull requests.

A sweep goes through the active pull requests of a place, newest first, and looks for comments that
were written or edited since the last whole sweep began. One run goes as far as its calls last; the
next goes on from there, so that nothing is passed over, however many pull requests there are.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared.ado.errors import AdoNotFoundError
from shared.ado.identities import find_own_id
from shared.ado.pull_requests import list_active_pull_requests
from shared.ado.threads import list_threads
from shared.comments.marker import CommentKind, read_marker
from shared.domain.clock import format_instant, parse_instant
from shared.domain.comment_ref import CommentRef
from shared.domain.pull_request import Comment, CommentThread, PullRequest
from shared.domain.states import JobStatus
from shared.jobs.world import World
from shared.settings.recovery import Place
from shared.store import jobs, turns
from shared.webhook.command import looks_like_command

OVERLAP: Final = timedelta(minutes=10)
"""Looked at twice: clocks differ, and an event that is on its way is not missed yet."""
TURN: Final = timedelta(minutes=12)
"""After that a sweep is taken for dead; the timer runs every 15 minutes."""
_LAST_WORDS: Final = frozenset({CommentKind.FINAL, CommentKind.ANSWER})
PAGE: Final = 100
STEP: Final = 90
"""Pages overlap: a pull request that is closed meanwhile moves the others up."""


@dataclass(frozen=True, slots=True)
class Found:
    """A comment that is a command."""

    ref: CommentRef
    written_at: datetime
    """When it got the words that it has."""


@dataclass(slots=True)
class Calls:
    """How many calls to Azure DevOps a run has left."""

    left: int

    def spend(self) -> bool:
        """Take one; False when there is none."""
        self.left -= 1
        return self.left >= 0


@dataclass(slots=True)
class Sweep:
    """One run's part of a sweep of one place."""

    world: World
    place: Place
    calls: Calls
    since: datetime
    began: datetime
    cursor: int | None
    """Id of the last pull request that the sweep has done with."""
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    is_complete: bool = False
    done: int = 0
    """Pull requests that were read."""

    @classmethod
    def begin(cls, world: World, place: Place, calls: Calls) -> "Sweep | None":
        """Begin, or go on; None while another instance sweeps the place.

        The first sweep of all looks for nothing: what was written before the app came is not meant
        for it.

        Raises:
            StoreError: the database does not answer.
        """
        now = world.clock()
        sweep = cls(world, place, calls, since=now, began=now, cursor=None)
        with world.database.transaction() as connection:
            state = turns.take_turn(connection, sweep.name, sweep.holder, at=now, until=now + TURN)
        if state is None:
            return None
        if state:
            oldest = now - timedelta(days=world.settings.recovery.days)
            sweep.since = max(parse_instant(state["since"]), oldest)
            sweep.cursor = state["cursor"]
            if sweep.cursor is not None:
                sweep.began = parse_instant(state["began"])
        else:
            sweep.is_complete = True
        return sweep

    @property
    def name(self) -> str:
        """Name the turn."""
        return f"recover/{self.place.key}"

    def list_pull_requests(self) -> Iterator[PullRequest]:
        """List what is left of the sweep, newest first.

        Raises:
            AdoError: Azure DevOps does not answer, or there is no such place.
        """
        skip = listed = 0
        last = self.cursor
        while not self.is_complete and self.calls.spend():
            page = list_active_pull_requests(
                self.world.ado,
                self.world.settings.organisation,
                self.place.project,
                self.place.repository,
                skip=skip,
                top=PAGE,
            )
            for one in page:
                if last is None or one.id < last:
                    last = one.id
                    listed += 1
                    yield one
            if len(page) < PAGE:
                self.is_complete = True
            elif listed >= self.calls.left:  # more could not be read
                return
            skip += STEP

    def read_commands(self, pull_request: PullRequest) -> list[Found] | None:
        """Read the commands since the last sweep that have no job, oldest first.

        None when no call is left.

        Raises:
            AdoError: Azure DevOps does not answer.
            StoreError: the database does not answer.
        """
        if not self.calls.spend():
            return None
        try:
            threads = list_threads(self.world.ado, pull_request.repository, pull_request.id)
        except AdoNotFoundError:  # gone meanwhile
            return []
        answered = list_answered(threads, find_own_id(self.world.ado))
        found = []
        for thread in threads:
            for comment in thread.comments:
                written_at = self._find_instant(comment)
                if written_at is None:
                    continue
                repository = pull_request.repository
                ref = CommentRef(
                    repository.organisation,
                    repository.project_id,
                    repository.repository_id,
                    pull_request.id,
                    thread.id,
                    comment.id,
                )
                at = answered.get(ref.instance_id)
                if at is None or at < written_at:  # answered, and got other words since
                    found.append(Found(ref, written_at))
        return sorted((one for one in found if not self._has_job(one.ref)), key=_by_time)

    def finish(self, pull_request: PullRequest) -> None:
        """Have done with a pull request."""
        self.cursor = pull_request.id
        self.done += 1

    def end(self) -> None:
        """Keep how far the sweep has got.

        Raises:
            StoreError: the database does not answer; the next run does the same again.
        """
        if self.is_complete:
            self.since, self.cursor = self.began - OVERLAP, None
        state: dict[str, Any] = {
            "since": format_instant(self.since),
            "began": format_instant(self.began),
            "cursor": self.cursor,
        }
        now = self.world.clock()
        with self.world.database.transaction() as connection:
            turns.end_turn(connection, self.name, self.holder, state, at=now)

    def _find_instant(self, comment: Comment) -> datetime | None:
        """Answer when a comment became the command that it is; None for all that is none."""
        if comment.is_deleted or not comment.is_text or not looks_like_command(comment.content):
            return None
        instants = [one for one in (comment.published, comment.content_updated) if one is not None]
        latest = max(instants, default=None)
        return latest if latest is not None and latest > self.since else None

    def _has_job(self, ref: CommentRef) -> bool:
        """Answer whether the records know the command; the reconciler sees to those."""
        with self.world.database.read() as connection:
            job = jobs.load_job(connection, ref.instance_id)
        return job is not None and job.status is not JobStatus.REJECTED


def list_answered(threads: Iterable[CommentThread], own_id: str) -> dict[str, datetime]:
    """List the commands that have had their last word from us, by job, with the time of it.

    Task hub and records may have been lost since; the thread has not.
    """
    said: dict[str, datetime] = {}
    for comment in (one for thread in threads for one in thread.comments):
        marker = read_marker(comment.content)
        if marker is None or comment.author.id != own_id or comment.published is None:
            continue
        job_id, kind = marker
        if kind in _LAST_WORDS and not comment.is_deleted:
            said[job_id] = max(said.get(job_id, comment.published), comment.published)
    return said


def _by_time(found: Found) -> datetime:
    return found.written_at
