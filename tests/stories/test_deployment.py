"""What a pipeline asks of the two sides of a deployment, through the operators' commands."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.running import RunningAzureDevOps
from ops.__main__ import main
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, SECRET, Agent
from tests.stories.test_canary import find_place

FAST = ("--every-s", "0.05", "--wait-s", "20", "--json")


def read_key(agent: Agent) -> str:
    """Read the Durable extension's key, which the host prints at its start."""
    with closing(sqlite3.connect(agent.host.folder / "state.db")) as connection:
        query = "SELECT value FROM host_values WHERE name = 'durabletask_key'"
        ((key,),) = connection.execute(query).fetchall()
    return str(key)


@pytest.fixture
def side(
    azure_devops: RunningAzureDevOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Agent]:
    """One side that no service hook calls, and an operator who knows its keys."""
    person = Agent.person(Agent(azure_devops, None), seed.JAMAL)  # type: ignore[arg-type]  # no host yet
    settings = {
        "CODE_AGENT_CANARY_PULL_REQUEST": find_place(person),
        "CANARY_PAT": seed.JAMAL.pat,
        "CODE_AGENT_CLARIFY_WAIT_S": "1500",
    }
    agent = Agent.start(azure_devops, tmp_path / "side", settings)
    for name, value in {
        **settings,
        "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
        "AZURE_DEVOPS_EXT_PAT": seed.JAMAL.pat,
        "WEBHOOK_SECRET": SECRET,
        "DURABLE_TASK_KEY": read_key(agent),
    }.items():
        monkeypatch.setenv(name, value)
    yield agent
    agent.host.kill()


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(arguments)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, told


def test_a_side_that_works_passes_the_smoke_test_and_nothing_is_left(
    side: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    jamal = side.person(seed.JAMAL)
    before = jamal.list_branches(""), jamal.list_drafts(seed.TOPIC_BRANCH)
    code, told = ask(capsys, "smoke", side.host.url, *FAST)
    assert (code, told["outcome"]) == (0, "works")
    assert told["steps"] == ["ready", "delivered", "job", "draft"]
    (job,) = side.list_jobs()
    assert job["variants"][0]["provider"] == "stub"
    assert (jamal.list_branches(""), jamal.list_drafts(seed.TOPIC_BRANCH)) == before
    assert jamal.read_thread(PULL_REQUEST, job["thread_id"])["status"] == "closed"
    assert ask(capsys, "drained", side.host.url, "--json") == (
        0,
        {"outcome": "drained", "running": []},
    )


def test_a_side_that_cannot_do_its_work_fails_the_smoke_test(
    side: Agent, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(capsys, "smoke", side.host.url, "--dry-run", "--json")[0] == 0
    monkeypatch.setenv("WEBHOOK_SECRET", "another")
    code, told = ask(capsys, "smoke", side.host.url, *FAST)
    assert (code, told["outcome"]) == (3, "The webhook answers 401 instead of 202.")
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    with monkeypatch.context() as keyless:
        keyless.setenv("DURABLE_TASK_KEY", "another")
        assert ask(capsys, "smoke", side.host.url, *FAST)[0] == 1
    assert side.list_jobs() == [], "nothing was begun for whoever could not have watched it"
    side.azure_devops.organisation.faults = Faults(rate=1, kinds=(FaultKind.SIGN_IN_203,))
    code, told = ask(capsys, "smoke", side.host.url, *FAST)
    assert (code, told["outcome"]) == (3, "The job ended as failed.")
    monkeypatch.delenv("CODE_AGENT_CANARY_PULL_REQUEST")
    assert ask(capsys, "smoke", side.host.url, *FAST)[0] == 2
    code, told = ask(capsys, "smoke", f"{side.host.url}/nowhere", "--ready-s", "0", *FAST)
    assert (code, told["outcome"]) == (3, "/gateway/ready answers 404.")
    side.host.kill()
    code, told = ask(capsys, "smoke", side.host.url, "--ready-s", "0", *FAST)
    assert (code, told["outcome"]) == (1, "The side did not answer (ConnectionError).")


def test_a_side_is_drained_when_its_last_job_has_ended(
    side: Agent, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    side.subscribe()
    jamal = side.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, "/edit /1 make it better")
    wait_until(lambda: "kind=question" in "".join(side.own_comments(thread_id)))
    code, told = ask(capsys, "drained", side.host.url, "--json")
    (job,) = side.list_jobs()
    assert (code, told["outcome"]) == (3, "running")
    assert [one["id"] for one in told["running"]] == [job["id"]]
    canceller = threading.Timer(0.2, jamal.write_comment, (PULL_REQUEST, "/cancel"))
    canceller.start()
    assert ask(capsys, "drained", side.host.url, *FAST)[0] == 0
    canceller.join()
    monkeypatch.setenv("DURABLE_TASK_KEY", "wrong")
    assert ask(capsys, "drained", side.host.url, "--json")[0] == 1
    monkeypatch.delenv("DURABLE_TASK_KEY")
    assert ask(capsys, "drained", side.host.url, "--json")[0] == 2


def test_a_comment_that_the_old_side_has_answered_is_not_answered_again_by_the_new_one(
    side: Agent, tmp_path: Path
) -> None:
    side.subscribe()
    jamal = side.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, "/edit /2 make all buttons red")
    job = side.wait_job(thread_id)
    before = (
        side.own_comments(thread_id),
        jamal.list_branches("agents/"),
        jamal.list_drafts(seed.TOPIC_BRANCH),
    )
    shared = {"CODE_AGENT_DATA_DIR": str(side.host.folder / "app")}
    new = Agent.start(side.azure_devops, tmp_path / "new", shared)
    try:
        delivery = find_delivery(side, thread_id)
        assert new.deliver(delivery).status_code == 202
        new.wait_idle()
        assert new.has_ended(job["id"])
        assert new.find_job(thread_id) == job
        assert before == (
            new.own_comments(thread_id),
            jamal.list_branches("agents/"),
            jamal.list_drafts(seed.TOPIC_BRANCH),
        )
    finally:
        new.host.kill()


def find_delivery(agent: Agent, thread_id: int) -> Any:
    repository = agent.person(seed.JAMAL).call_repository("GET", "")
    link = (
        f"/{repository['project']['id']}/_apis/git/repositories/{repository['id']}/pullRequests/"
        f"{PULL_REQUEST}/threads/{thread_id}/comments/1"
    )
    comment = {"id": 1, "_links": {"self": {"href": link}}}
    return {
        "eventType": "ms.vss-code.git-pullrequest-comment-event",
        "resource": {"comment": comment},
    }
