"""Sings once: comments as a person would, waits for the agent's last word, takes all of it away.

The one measurement that goes the whole way, through Azure DevOps' hook and the app, without a
model: a job on the canary's pull request is drafted by the stub, whatever the settings say. The
canary is somebody else than the agent, which never answers itself. What a run that was killed has
left is taken away by the next.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Final

from shared.ado.identities import find_own_id
from shared.ado.leftovers import begin_thread, delete_comments, remove_branches
from shared.ado.pull_requests import fetch_pull_request, find_draft_pull_request
from shared.ado.threads import fetch_thread, list_threads, set_thread_status
from shared.comments.marker import CommentKind, write_marker
from shared.domain.comment_ref import CommentRef
from shared.domain.errors import CodeAgentError
from shared.domain.names import BRANCH_PREFIX, build_branch
from shared.domain.pull_request import RepositoryRef, ThreadStatus
from shared.domain.switches import Mode
from shared.jobs.world import World
from shared.settings.canary import CanarySettings
from shared.telemetry import metrics
from shared.telemetry.emit import emit
from shared.telemetry.events import CanaryCompleted

POLL_S: Final = 2.0
_FIRST: Final = 1
"""Id of the first comment of a thread, and number of the only variant."""


def run_canary(
    world: World, *, sleep: Callable[[float], None] = time.sleep
) -> CanaryCompleted | None:
    """Sing, and tell how it went; None when the canary, or the app, is off."""
    settings = world.settings.canary
    if settings is None or world.read_switches().mode is not Mode.RUNNING:
        return None
    canary = _Canary(world, settings, sleep)
    began = time.monotonic()
    reason = "none"
    try:
        canary.clean_up()
        canary.sing()
    except _SilenceError as silence:
        reason = str(silence)
    except CodeAgentError as error:
        reason = error.code
    duration_ms = 1000 * (time.monotonic() - began)
    with contextlib.suppress(CodeAgentError):  # the next run tries again
        canary.clean_up()
    status = "success" if reason == "none" else "failed"
    event = CanaryCompleted(
        jobId=canary.job_id, status=status, reason=reason, duration_ms=duration_ms
    )
    emit(event)
    metrics.CANARY_DURATION.record(duration_ms, status=status)
    return event


class _SilenceError(Exception):
    """What was waited for in vain."""


class _Canary:
    def __init__(
        self, world: World, settings: CanarySettings, sleep: Callable[[float], None]
    ) -> None:
        self._world = world
        self._settings = settings
        self._sleep = sleep
        self._session = world.canary
        self._repository = RepositoryRef(
            world.settings.organisation, settings.project_id, settings.repository_id, "", ""
        )
        self._limit = time.monotonic() + settings.limit_s
        self.job_id = "none"

    def sing(self) -> None:
        """Comment, and wait for the final reply and the draft that it tells of.

        Raises:
            _SilenceError: one of them is missing.
            AdoError: Azure DevOps did not answer the canary.
        """
        settings, number = self._settings, self._settings.pull_request_id
        pull_request = fetch_pull_request(self._session, self._repository, number)
        words = f"/edit /1 {settings.request}"
        thread = begin_thread(self._session, self._repository, number, words)
        ref = CommentRef(
            self._repository.organisation,
            settings.project_id,
            settings.repository_id,
            number,
            thread.id,
            _FIRST,
        )
        self.job_id = ref.instance_id
        marker = write_marker(self.job_id, CommentKind.FINAL)
        while not self._has_heard(thread.id, marker):
            if time.monotonic() >= self._limit:
                raise _SilenceError("no_final_reply")
            self._sleep(POLL_S)
        draft = find_draft_pull_request(
            self._session,
            self._repository,
            source_branch=build_branch(ref, _FIRST),
            target_branch=pull_request.source_ref.removeprefix("refs/heads/"),
        )
        if draft is None:
            raise _SilenceError("no_draft")

    def clean_up(self) -> None:
        """Take away branches, drafts and comments of every run.

        Raises:
            AdoError: not all of it could be taken away.
        """
        number, repository = self._settings.pull_request_id, self._repository
        remove_branches(self._session, repository, f"{BRANCH_PREFIX}edit-{number}-")
        me, agent = find_own_id(self._session), find_own_id(self._world.ado)
        for thread in list_threads(self._session, repository, number):
            first = thread.comments[0] if thread.comments else None
            if first is None or first.author.id != me or first.is_deleted:
                continue
            delete_comments(self._world.ado, repository, number, thread, agent)
            set_thread_status(self._session, repository, number, thread.id, ThreadStatus.CLOSED)
            delete_comments(self._session, repository, number, thread, me)

    def _has_heard(self, thread_id: int, marker: str) -> bool:
        number = self._settings.pull_request_id
        thread = fetch_thread(self._session, self._repository, number, thread_id)
        return any(comment.content.startswith(marker) for comment in thread.comments)
