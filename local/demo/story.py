"""Plays the main job: one comment, and what became of it, as it is seen from outside."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import requests

from local.azure_devops import seed
from local.demo.world import Demo

POLL_S: Final = 0.1
MARKER: Final = "<!-- code-agent job="

_T = TypeVar("_T")


class StoryError(Exception):
    """The story did not come to its end."""


@dataclass(slots=True)
class Story:
    """What happened, in the order in which a person would look."""

    thread_id: int
    delivery: dict[str, Any]
    """The service hook's own record of its delivery."""
    job: dict[str, Any]
    """The job as `/gateway/jobs/{id}` shows it at the end."""
    thread: dict[str, Any]
    drafts: list[dict[str, Any]]
    branches: list[str]
    statuses: list[dict[str, Any]]
    ado_calls: int
    model_calls: dict[str, Any] | None = None
    """What the model server counted, where one ran."""
    diffs: dict[int, str] = field(default_factory=dict)
    """Variant to the diff that `git` itself shows between the base and the pushed branch."""

    @property
    def ack_ms(self) -> float:
        """Milliseconds from the delivery's first byte to the app's answer."""
        return 1000 * float(self.delivery["details"]["requestDuration"])

    @property
    def comments(self) -> list[dict[str, Any]]:
        """The agent's comments in the thread of the command."""
        return [
            comment
            for comment in self.thread["comments"]
            if str(comment.get("content", "")).startswith(MARKER)
        ]


def play(demo: Demo, comment: str, *, limit_s: float, tell: Callable[[str], None]) -> Story:
    """Write a comment and follow the job to its end.

    Args:
        demo: the running world.
        comment: what the contributor writes.
        limit_s: how long the job may take.
        tell: hears each change as it is seen.

    Raises:
        StoryError: no delivery, no job, or no end within the limit.
    """
    limit = time.monotonic() + limit_s
    requests.delete(f"{demo.stand_in_url}/_standin/calls", timeout=10)
    thread_id = demo.jamal.write_comment(seed.PULL_REQUEST_ID, comment)
    tell(f"comment written in thread {thread_id}")
    delivery = _wait(lambda: _find_delivery(demo), limit, "the service hook delivered nothing")
    tell(f"delivered: HTTP {delivery['details']['statusCode']}")
    job = _follow(demo, thread_id, limit, tell)
    _wait(lambda: _is_told(demo, thread_id, job), limit, "the job ended without a final reply")
    calls = _read_calls(demo.stand_in_url)
    story = Story(
        thread_id=thread_id,
        delivery=delivery,
        job=job,
        thread=demo.jamal.read_thread(seed.PULL_REQUEST_ID, thread_id),
        drafts=demo.jamal.list_drafts(seed.TOPIC_BRANCH),
        branches=demo.jamal.list_branches("agents/"),
        statuses=demo.jamal.list_statuses(seed.PULL_REQUEST_ID),
        ado_calls=calls["count"],
        model_calls=_read_calls(demo.model_url) if demo.model_url else None,
    )
    story.diffs = _read_diffs(demo, job)
    return story


def _read_calls(stand_in_url: str) -> dict[str, Any]:
    calls: dict[str, Any] = requests.get(f"{stand_in_url}/_standin/calls", timeout=10).json()
    return calls


def _find_delivery(demo: Demo) -> dict[str, Any] | None:
    deliveries = demo.admin.list_deliveries(demo.subscription_id)
    return next((one for one in deliveries if one["status"] == "completed"), None)


def _follow(
    demo: Demo, thread_id: int, limit: float, tell: Callable[[str], None]
) -> dict[str, Any]:
    seen: dict[str, str] = {}

    def look() -> dict[str, Any] | None:
        job = _find_job(demo, thread_id)
        if job is None:
            return None
        states = {"job": job["status"]}
        states |= {f"variant {row['k']}": row["status"] for row in job["variants"]}
        for name, state in states.items():
            if seen.get(name) != state:
                seen[name] = state
                tell(f"{name}: {state}")
        return job if job["is_final"] else None

    return _wait(look, limit, "the job did not end")


def _find_job(demo: Demo, thread_id: int) -> dict[str, Any] | None:
    jobs = requests.get(f"{demo.gateway_url}/jobs", timeout=10).json()["jobs"]
    return next((job for job in jobs if job["thread_id"] == thread_id), None)


def _is_told(demo: Demo, thread_id: int, job: dict[str, Any]) -> bool:
    """Answer whether reply and pull request status are there: they follow the end of the job."""
    thread = demo.jamal.read_thread(seed.PULL_REQUEST_ID, thread_id)
    marker = f"{MARKER}{job['id']} kind=final"
    replied = any(str(one.get("content", "")).startswith(marker) for one in thread["comments"])
    statuses = demo.jamal.list_statuses(seed.PULL_REQUEST_ID)
    closed = thread["status"] == "closed" or job["status"] not in ("success", "partial_success")
    return replied and closed and bool(statuses) and statuses[-1]["state"] != "pending"


def _read_diffs(demo: Demo, job: dict[str, Any]) -> dict[int, str]:
    """Fetch the branches with git, as a person would, and let git show what they change."""
    clone = demo.folder / "clone.git"
    remote = demo.jamal.git_url()
    if not clone.exists():
        _git(None, "clone", "--quiet", "--mirror", remote, str(clone))
    else:
        _git(clone, "fetch", "--quiet", "--prune", "origin")
    return {
        row["k"]: _git(clone, "diff", job["base_commit"], row["branch"], "--")
        for row in job["variants"]
        if row["commit_id"]
    }


def _git(folder: Any, *arguments: str) -> str:
    place = ["-C", str(folder)] if folder else []
    done = subprocess.run(["git", *place, *arguments], capture_output=True, check=False)
    if done.returncode:
        raise StoryError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode("utf-8", "replace")


def _wait(look: Callable[[], _T | None], limit: float, otherwise: str) -> _T:
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > limit:
            raise StoryError(otherwise)
        time.sleep(POLL_S)
