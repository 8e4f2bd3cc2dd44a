"""Killed right before and right after each effect, the app ends the job with each effect once.

Every write to Azure DevOps is frozen by the stand-in while the host is killed; every commit of the
app's database kills the host itself. Hosts are forked, so that all points fit into a
minute or two; the Azure DevOps is a process of its own.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.demo.person import Person
from tests.conftest import RecordFigure
from tests.local.functions_host.hosting import REPOSITORY, wait_until
from tests.nursery import Nursery, Program
from tests.stories.killed_host import JOB_LIMIT_S
from tests.stories.test_edit import build_delivery

SECRET = "kill-secret"


@dataclass(frozen=True)
class Plot:
    """A job to play, and the agent's comments that it leaves in its thread."""

    comment: str
    variants: int
    kinds: Mapping[str, int]


CLEAR = Plot("/edit /3 buttons red", 3, {"status": 1, "final": 1})
PAIR = Plot("/edit /2 buttons red", 2, {"status": 1, "final": 1})
"""As many variants as can be in each other's way, and fewer commits."""
VAGUE = Plot("/edit /1 make it better", 1, {"status": 1, "question": 1, "final": 1})
"""Nobody answers: the job goes on by itself."""


@dataclass
class World:
    """An Azure DevOps that stays up, and a folder for hosts that do not."""

    url: str
    folder: Path
    settings: Mapping[str, str]
    points: int = 0

    def start_host(self, state: Path, job_id: str, kill: Mapping[str, int]) -> Program:
        """Start a host; it ends by itself when the job's orchestration has."""
        ready = state.with_suffix(".ready")
        ready.unlink(missing_ok=True)
        order = {"state": str(state), "ready": str(ready), "job": job_id, **kill}
        environment = {**os.environ, **self.settings}
        log = state.with_suffix(".log")
        run = "tests.stories.killed_host:run"
        host = Nursery.of_this_process().start(run, order, environment, log)
        wait_until(lambda: ready.exists() or host.poll() is not None)
        return host

    @property
    def jamal(self) -> Person:
        return Person(f"{self.url}/{seed.ORGANISATION}", seed.JAMAL.pat)

    def control(self, method: str, name: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/_standin/{name}", json=body, timeout=10)
        return answer.json()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("kill-points")
    ready = folder / "ready"
    command = [
        *(sys.executable, "-m", "local", "azure-devops", "--port", "0"),
        *("--data", str(folder / "azure-devops"), "--ready-file", str(ready)),
    ]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    wait_until(ready.exists)
    url = ready.read_text("ascii")
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": f"{url}/{seed.ORGANISATION}",
        "ADO_PAT": seed.CODE_AGENT.pat,
        "WEBHOOK_SECRET": SECRET,
        "CODE_AGENT_DATA_DIR": str(folder / "app"),
        "CODE_AGENT_ALLOWED_USERS": seed.JAMAL.id,
        "CODE_AGENT_CLARIFY_WAIT_S": "0.3",
        "CODE_AGENT_LIMIT_USER_JOBS": "0",
        "CODE_AGENT_LIMIT_REPOSITORY_VARIANTS": "0",
        "CODE_AGENT_RETRY_FIRST_DELAY_S": "0.02",
        "CODE_AGENT_RETRY_MAX_DELAY_S": "0.2",
        "TASKHUB_NAME": "KillPoints",
    }
    yield World(url, folder, settings)
    process.terminate()
    process.wait(10)


def was_killed(host: Program) -> bool:
    """Wait for a host; answer whether it was killed rather than done."""
    code = host.wait(JOB_LIMIT_S + 5)
    assert code in (0, -signal.SIGKILL), "the job did not end as it should"
    return code != 0


def play(
    world: World, plot: Plot, name: str, *, kill: Mapping[str, int], hold: Mapping[str, Any]
) -> bool:
    """Play a job that is killed once, then once more to its end; False when it was not killed."""
    thread_id = world.jamal.write_comment(seed.PULL_REQUEST_ID, plot.comment)
    order, job_id = write_order(world, plot, thread_id)
    state = world.folder / f"{name}.sqlite3"
    if hold:
        world.control("POST", "hold", dict(hold))
    host = world.start_host(state, job_id, kill)
    with contextlib.suppress(requests.RequestException):  # killed while it answered
        deliver(state, order)
    if hold:
        wait_until(lambda: world.control("GET", "hold")["reached"] or host.poll() is not None)
        host.send_signal(signal.SIGKILL)
        world.control("DELETE", "hold")
    killed = was_killed(host)
    if killed:
        host = world.start_host(state, job_id, {})
        deliver(state, order)  # what Azure DevOps would do with a delivery that got no answer
        assert not was_killed(host)
        world.points += 1
    assert_once(world, plot, thread_id)
    return killed


def write_order(world: World, plot: Plot, thread_id: int) -> tuple[dict[str, Any], str]:
    from shared.domain.comment_ref import CommentRef

    repository = world.jamal.call_repository("GET", "")
    project = repository["project"]["id"]
    ref = CommentRef(seed.ORGANISATION, project, repository["id"], 1, thread_id, 1)
    return build_delivery(project, repository["id"], thread_id, plot.comment), ref.instance_id


def deliver(state: Path, order: Any) -> None:
    ready = state.with_suffix(".ready")
    if ready.exists():
        url = f"{ready.read_text('ascii')}/gateway/webhook/ado"
        answer = requests.post(url, json=order, auth=("x", SECRET), timeout=10)
        assert answer.status_code in (200, 202), answer.text


def assert_once(world: World, plot: Plot, thread_id: int) -> None:
    """A branch and a draft for each variant, each comment once: no more and no less."""
    prefix = f"agents/edit-1-{thread_id}-1/"
    assert world.jamal.list_branches(prefix) == [f"{prefix}v{k + 1}" for k in range(plot.variants)]
    found = world.jamal.call_repository(
        "GET", "pullrequests", **{"searchCriteria.status": "active", "$top": "2000"}
    )["value"]
    own = [one for one in found if one["sourceRefName"].startswith(f"refs/heads/{prefix}")]
    assert len(own) == plot.variants
    comments = world.jamal.read_thread(seed.PULL_REQUEST_ID, thread_id)["comments"]
    kinds = Counter(
        comment["content"].partition("kind=")[2].partition(" ")[0] for comment in comments[1:]
    )
    assert kinds == plot.kinds
    status = next(one["content"] for one in comments if "kind=status" in one.get("content", ""))
    assert "ended: ✅ done" in status


@pytest.mark.timeout(280)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("plot", "writes"),
    [
        # comment, status, 3 pushes, 3 pull requests, 3 edits, reply, status, thread
        pytest.param(CLEAR, 14, id="clear"),
        # comment, status, question, 2 edits, push, pull request, edit, reply, status, thread
        pytest.param(VAGUE, 11, id="vague"),
    ],
)
def test_each_effect_happens_once_whichever_write_the_host_is_killed_at(
    world: World, plot: Plot, writes: int, moment: str, record_property: RecordFigure
) -> None:
    world.points = 0
    for number in itertools.count(1):
        hold = {"write_number": number, "moment": moment}
        name = f"write-{plot.variants}-{moment}-{number}"
        if not play(world, plot, name, kill={}, hold=hold):
            break
    assert world.points == writes
    record_property(
        "figure",
        f"{world.points} kill points {moment} writes to Azure DevOps ({plot.comment})",
    )


@pytest.mark.timeout(280)
@pytest.mark.parametrize(
    ("plot", "moment", "least"),
    [
        pytest.param(PAIR, "before", 25, id="clear-before"),
        pytest.param(PAIR, "after", 25, id="clear-after"),
        pytest.param(VAGUE, "after", 20, id="vague-after"),
    ],
)
def test_each_effect_happens_once_whichever_commit_the_host_is_killed_at(
    world: World, plot: Plot, moment: str, least: int, record_property: RecordFigure
) -> None:
    world.points = 0
    for number in itertools.count():
        name = f"commit-{plot.variants}-{moment}-{number}"
        if not play(world, plot, name, kill={moment: number}, hold={}):
            break
    assert world.points >= least
    record_property(
        "figure",
        f"{world.points} kill points {moment} commits of the database ({plot.comment})",
    )
