"""Killed right before and right after each effect, the app ends the job with each effect once.

Every write to Azure DevOps is frozen by the stand-in while the host is killed; every commit of the
app's database kills the host itself. The host is a fork of this process, so that all points fit
into a minute or two; the Azure DevOps is a process of its own.
"""

import asyncio
import contextlib
import importlib
import itertools
import os
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy.engine.default import DefaultDialect

from local.azure_devops import seed
from local.demo.person import Person
from local.functions_host.app_loader import load_app
from local.functions_host.host import HostOptions, serve
from tests.local.functions_host.hosting import REPOSITORY, wait_until
from tests.stories.test_edit import build_delivery

VARIANTS = 3
SECRET = "kill-secret"
JOB_LIMIT_S = 20.0


@dataclass
class World:
    """An Azure DevOps that stays up, and a folder for hosts that do not."""

    url: str
    folder: Path
    points: int = 0

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
    running = World(ready.read_text("ascii"), folder)
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": f"{running.url}/{seed.ORGANISATION}",
        "ADO_PAT": seed.CODE_AGENT.pat,
        "WEBHOOK_SECRET": SECRET,
        "CODE_AGENT_DATA_DIR": str(folder / "app"),
        "CODE_AGENT_ALLOWED_USERS": seed.JAMAL.id,
        "CODE_AGENT_RETRY_FIRST_DELAY_S": "0.02",
        "CODE_AGENT_RETRY_MAX_DELAY_S": "0.2",
        "TASKHUB_NAME": "KillPoints",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        load_everything()
        yield running
    process.terminate()
    process.wait(10)


def load_everything() -> None:
    """Import once what every host of these tests would import anew."""
    load_app(REPOSITORY)
    for name in ("admit_command", "conclude_job", "draft_patch", "load_context", "push_branch"):
        importlib.import_module(f"shared.jobs.{name}")
    importlib.import_module("shared.llm.stub")
    importlib.import_module("tree_sitter_css")


class Commits:
    """Counts the commits of the app's database in a child, and kills it at one of them."""

    def __init__(self, kill_before: int, kill_after: int) -> None:
        self._kill_before = kill_before
        self._kill_after = kill_after
        self._count = 0
        self._commit = DefaultDialect.do_commit

    def do_commit(self, connection: Any) -> None:
        if self._count == self._kill_before:
            os.kill(os.getpid(), signal.SIGKILL)
        self._commit(None, connection)  # type: ignore[arg-type, no-untyped-call]  # uses no dialect
        if self._count == self._kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        self._count += 1


def fork_host(world: World, state: Path, job_id: str, kill: Mapping[str, int]) -> int:
    """Start a host in a child; it ends by itself when the job's orchestration has."""
    ready = state.with_suffix(".ready")
    ready.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        code = 255
        try:
            commits = Commits(kill.get("before", -1), kill.get("after", -1))
            DefaultDialect.do_commit = lambda _, connection: commits.do_commit(connection)  # type: ignore[method-assign]  # in a child only
            code = asyncio.run(run_host(state, ready, job_id))
        except BaseException:  # noqa: BLE001 - pytest must not go on in the child
            traceback.print_exc(file=sys.__stderr__)
        os._exit(code)
    wait_until(lambda: ready.exists() or is_gone(child))
    assert world.url
    return child


async def run_host(state: Path, ready: Path, job_id: str) -> int:
    options = HostOptions(REPOSITORY, 0, state, quiet=True, ready_file=ready)
    async with asyncio.timeout(JOB_LIMIT_S), serve(options) as host:
        store = host.operations.mailroom.store
        while not (instance := store.read_instance(job_id)) or not instance.is_finished:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.002)
        assert instance.output == '{"accepted": true, "status": "success"}', instance
    return 0


_GONE: dict[int, int] = {}


def is_gone(child: int) -> bool:
    if child not in _GONE:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            _GONE[child] = status
    return child in _GONE


def was_killed(child: int) -> bool:
    """Wait for a child; answer whether it was killed rather than done."""
    wait_until(lambda: is_gone(child), JOB_LIMIT_S + 5)
    status = _GONE[child]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the job did not end as it should"
    return False


def play(world: World, name: str, *, kill: Mapping[str, int], hold: Mapping[str, Any]) -> bool:
    """Play a job that is killed once, then once more to its end; False when it was not killed."""
    thread_id = world.jamal.write_comment(seed.PULL_REQUEST_ID, f"/edit /{VARIANTS} buttons red")
    order, job_id = write_order(world, thread_id)
    state = world.folder / f"{name}.sqlite3"
    if hold:
        world.control("POST", "hold", dict(hold))
    child = fork_host(world, state, job_id, kill)
    with contextlib.suppress(requests.RequestException):  # killed while it answered
        deliver(state, order)
    if hold:
        wait_until(lambda: world.control("GET", "hold")["reached"] or is_gone(child))
        if not is_gone(child):
            os.kill(child, signal.SIGKILL)
        world.control("DELETE", "hold")
    killed = was_killed(child)
    if killed:
        child = fork_host(world, state, job_id, {})
        deliver(state, order)  # what Azure DevOps would do with a delivery that got no answer
        assert not was_killed(child)
        world.points += 1
    assert_once(world, thread_id)
    return killed


def write_order(world: World, thread_id: int) -> tuple[dict[str, Any], str]:
    from shared.domain.comment_ref import CommentRef

    repository = world.jamal.call_repository("GET", "")
    project = repository["project"]["id"]
    ref = CommentRef(seed.ORGANISATION, project, repository["id"], 1, thread_id, 1)
    return build_delivery(project, repository["id"], thread_id, "/edit /3 red"), ref.instance_id


def deliver(state: Path, order: Any) -> None:
    ready = state.with_suffix(".ready")
    if ready.exists():
        url = f"{ready.read_text('ascii')}/gateway/webhook/ado"
        answer = requests.post(url, json=order, auth=("x", SECRET), timeout=10)
        assert answer.status_code in (200, 202), answer.text


def assert_once(world: World, thread_id: int) -> None:
    """Three branches, three drafts, one status comment, one final reply: no more and no less."""
    prefix = f"agents/edit-1-{thread_id}-1/"
    assert world.jamal.list_branches(prefix) == [f"{prefix}v{k + 1}" for k in range(VARIANTS)]
    found = world.jamal.call_repository(
        "GET", "pullrequests", **{"searchCriteria.status": "active", "$top": "2000"}
    )["value"]
    own = [one for one in found if one["sourceRefName"].startswith(f"refs/heads/{prefix}")]
    assert len(own) == VARIANTS
    comments = world.jamal.read_thread(seed.PULL_REQUEST_ID, thread_id)["comments"]
    kinds = Counter(
        comment["content"].partition("kind=")[2].partition(" ")[0] for comment in comments[1:]
    )
    assert kinds == {"status": 1, "final": 1}
    status = next(one["content"] for one in comments if "kind=status" in one.get("content", ""))
    assert "ended: ✅ done" in status


@pytest.mark.timeout(280)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_each_effect_happens_once_whichever_write_the_host_is_killed_at(
    world: World, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.points = 0
    for number in itertools.count(1):
        hold = {"write_number": number, "moment": moment}
        if not play(world, f"write-{moment}-{number}", kill={}, hold=hold):
            break
    # comment, status, 3 pushes, 3 pull requests, 3 edits, reply, status, thread
    assert world.points == 14
    report(capsys, world, f"{moment} writes to Azure DevOps")


@pytest.mark.timeout(280)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_each_effect_happens_once_whichever_commit_the_host_is_killed_at(
    world: World, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.points = 0
    for number in itertools.count():
        if not play(world, f"commit-{moment}-{number}", kill={moment: number}, hold={}):
            break
    assert world.points >= 30
    report(capsys, world, f"{moment} commits of the database")


def report(capsys: pytest.CaptureFixture[str], world: World, what: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"({world.points} kill points {what}) ")
