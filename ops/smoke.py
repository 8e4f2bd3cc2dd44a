"""The command line of a smoke test: one side of a deployment carries out one `/edit` on a canary.

It comments on the canary's pull request as the operator, hands that comment to the side's webhook
by itself, waits until the side's own task hub says that the job has ended, and takes branch, draft
and comments away. With `CODE_AGENT_CANARY_PULL_REQUEST` of the side on the same pull request, the
stub drafts. No service hook should deliver that repository's comments: another side that hears of
them works too.

Exit codes: 0 it works, 1 a service does not answer, 2 wrong usage or settings, 3 it does not work.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from ops.arguments import read_app_url, read_duration, read_positive
from ops.identity import choose_operator, explain
from ops.task_hub import KEY_VARIABLE, PAST_ROUTING, HubUnreachableError, TaskHub, add_past_routing
from shared.ado.errors import AdoError
from shared.ado.identities import find_own_id
from shared.ado.leftovers import begin_thread, delete_comments, remove_branches
from shared.ado.pull_requests import fetch_pull_request, find_draft_pull_request
from shared.ado.session import AdoSession
from shared.ado.threads import fetch_thread, set_thread_status
from shared.domain.comment_ref import CommentRef
from shared.domain.errors import CodeAgentError
from shared.domain.names import BRANCH_PREFIX, build_branch
from shared.domain.pull_request import RepositoryRef, ThreadStatus
from shared.settings import Settings, SettingsError, read_settings
from shared.webhook.event import COMMENT_EVENT

SECRET_VARIABLE: Final = "WEBHOOK_SECRET"  # noqa: S105 - a name
_TIMEOUT_S: Final = (5.0, 60.0)
_FIRST: Final = 1
"""Id of the first comment of a thread, and number of the only variant."""


class BrokenError(Exception):
    """The side does not do what it should."""


class UnreachableError(Exception):
    """The side does not answer."""


@dataclass(slots=True)
class _Steps:
    """What has been seen to work, told as it happens and kept for scripts."""

    done: list[str] = field(default_factory=list)

    def tell(self, step: str) -> None:
        self.done.append(step)
        sys.stderr.write(f"{step}\n")
        sys.stderr.flush()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "app_url",
        type=read_app_url,
        metavar="APP_URL",
        help=f"the side; its key is in {KEY_VARIABLE}, the webhook's secret in {SECRET_VARIABLE}",
    )
    parser.add_argument(
        "--ready-s",
        type=read_duration,
        default=120,
        help="for it to get ready (%(default)s)",
    )
    parser.add_argument(
        "--wait-s", type=read_duration, default=600, help="for the job (%(default)s)"
    )
    parser.add_argument(
        "--every-s", type=read_positive, default=5, help="between two looks (%(default)s)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="ask for health and readiness, write nothing"
    )
    add_past_routing(parser)
    parser.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Test; answers the exit code."""
    steps = _Steps()
    try:
        outcome, code = _run(args, steps), 0
    except (SettingsError, ValueError) as error:
        outcome, code = str(error), 2
    except (UnreachableError, HubUnreachableError) as error:
        outcome, code = str(error), 1
    except AdoError as error:
        outcome, code = f"{explain(error)} ({error.code})", 1
    except CodeAgentError as error:
        outcome, code = f"{error.message} ({error.code})", 3
    except BrokenError as error:
        outcome, code = str(error), 3
    if args.json:
        sys.stdout.write(json.dumps({"outcome": outcome, "steps": steps.done}) + "\n")
    else:
        sys.stderr.write(f"{outcome}\n")
    return code


def _run(args: argparse.Namespace, steps: _Steps) -> str:
    side = _Side(args.app_url, PAST_ROUTING if args.past_routing else {}, steps)
    side.wait_ready(args.ready_s, args.every_s)
    if args.dry_run:
        return "ready"
    settings = read_settings(os.environ)
    secret = os.environ.get(SECRET_VARIABLE, "")
    if settings.canary is None or not secret:
        raise ValueError(f"CODE_AGENT_CANARY_PULL_REQUEST and {SECRET_VARIABLE} are needed.")
    hub = TaskHub.open(args.app_url, past_routing=args.past_routing)
    session = AdoSession(settings.organisation_url, choose_operator())
    try:
        hub.list_unfinished()  # a wrong key is told before anything is written
        with _canary(session, settings) as ref:
            side.deliver(ref, secret)
            _wait_for_job(hub, ref.instance_id, args)
            steps.tell("job")
            _check_draft(session, ref)
            steps.tell("draft")
    finally:
        session.close()
        hub.close()
    return "works"


@dataclass(slots=True)
class _Side:
    """One of the apps between which a deployment moves, by its HTTP routes."""

    url: str
    headers: Mapping[str, str]
    steps: _Steps

    def wait_ready(self, limit_s: float, every_s: float) -> None:
        """Wait until a job could run: what was just deployed starts first.

        Raises:
            BrokenError: it says no, to the last.
            UnreachableError: nobody answers.
        """
        until = time.monotonic() + limit_s
        while (failure := self._find_failure()) is not None:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise failure
            time.sleep(min(every_s, left_s))
        self.steps.tell("ready")

    def _find_failure(self) -> Exception | None:
        try:
            status = self._call("GET", "ready").status_code
        except UnreachableError as error:
            return error
        return None if status == 200 else BrokenError(f"/gateway/ready answers {status}.")

    def deliver(self, ref: CommentRef, secret: str) -> None:
        """Deliver a comment as a service hook with minimal details would.

        Raises:
            BrokenError: the side did not start a job for it.
            UnreachableError: nobody answers.
        """
        link = (
            f"/{ref.project_id}/_apis/git/repositories/{ref.repository_id}/pullRequests/"
            f"{ref.pull_request_id}/threads/{ref.thread_id}/comments/{ref.comment_id}"
        )
        comment = {"id": ref.comment_id, "_links": {"self": {"href": link}}}
        body = {"eventType": COMMENT_EVENT, "resource": {"comment": comment}}
        answer = self._call("POST", "webhook/ado", json=body, auth=("smoke", secret))
        if answer.status_code == 200:
            raise BrokenError(
                "The webhook answers 200 instead of 202: does a service hook deliver this too?"
            )
        if answer.status_code != 202:
            raise BrokenError(f"The webhook answers {answer.status_code} instead of 202.")
        self.steps.tell("delivered")

    def _call(self, method: str, route: str, **more: Any) -> requests.Response:
        url = f"{self.url}/gateway/{route}"
        try:
            return requests.request(method, url, timeout=_TIMEOUT_S, allow_redirects=False, **more)
        except requests.RequestException as error:
            raise UnreachableError(f"The side did not answer ({type(error).__name__}).") from None


@contextlib.contextmanager
def _canary(session: AdoSession, settings: Settings) -> Iterator[CommentRef]:
    """Comment on the canary's pull request, and take away what came of it."""
    place = settings.canary
    if place is None:
        raise ValueError("CODE_AGENT_CANARY_PULL_REQUEST is needed.")
    number, organisation = place.pull_request_id, settings.organisation
    repository = RepositoryRef(organisation, place.project_id, place.repository_id, "", "")
    thread = begin_thread(session, repository, number, f"/edit /1 {place.request}")
    try:
        yield CommentRef(
            organisation, place.project_id, place.repository_id, number, thread.id, _FIRST
        )
    finally:
        # what cannot be taken away is no reason to call the side broken; the app's canary cleans up
        with contextlib.suppress(AdoError):
            remove_branches(session, repository, f"{BRANCH_PREFIX}edit-{number}-{thread.id}-")
            left = fetch_thread(session, repository, number, thread.id)
            set_thread_status(session, repository, number, thread.id, ThreadStatus.CLOSED)
            delete_comments(session, repository, number, left, find_own_id(session))


def _wait_for_job(hub: TaskHub, instance_id: str, args: argparse.Namespace) -> None:
    until = time.monotonic() + args.wait_s
    while (job := hub.find(instance_id)) is None or not job.is_finished:
        left_s = until - time.monotonic()
        if left_s <= 0:
            known = "is unknown to its task hub" if job is None else f"is {job.status}"
            raise BrokenError(f"After {args.wait_s:.0f} s the job {known}.")
        time.sleep(min(args.every_s, left_s))
    ended = job.output if isinstance(job.output, dict) else {}
    if not ended.get("accepted") or ended.get("status") != "success":
        raise BrokenError(f"The job ended as {ended.get('status', job.status)}.")


def _check_draft(session: AdoSession, ref: CommentRef) -> None:
    repository = RepositoryRef.of_comment(ref)
    pull_request = fetch_pull_request(session, repository, ref.pull_request_id)
    draft = find_draft_pull_request(
        session,
        repository,
        source_branch=build_branch(ref, _FIRST),
        target_branch=pull_request.source_ref.removeprefix("refs/heads/"),
    )
    if draft is None:
        raise BrokenError("There is no draft pull request.")
