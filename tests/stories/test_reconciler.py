"""A task hub that is lost in the middle of jobs costs no job, and doubles nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent


def control(azure_devops: RunningAzureDevOps, method: str, body: object = None) -> bool:
    url = f"{azure_devops.url}/_standin/hold"
    answer = requests.request(method, url, json=body, timeout=10)
    answer.raise_for_status()
    return bool(answer.json().get("reached"))


def run_timer(agent: Agent) -> None:
    """Begin a run, behind the one before."""
    wait_until(lambda: not agent.read_rows("SELECT name FROM turns WHERE holder <> ''"))
    agent.run_timer("reconcile")


def lose_hub(agent: Agent) -> None:
    """Start the host again, on a task hub with nothing in it."""
    agent.host.kill()
    for path in agent.host.folder.glob("state.db*"):
        path.unlink()
    agent.host.start()
    assert agent.list_instances() == []


def test_jobs_whose_task_hub_is_lost_end_with_each_effect_once(
    azure_devops: RunningAzureDevOps, start_agent: StartAgent
) -> None:
    agent = start_agent(CODE_AGENT_MAX_RUNNING_JOBS="1", TASKHUB_NAME="lost")
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    # the first job has said that it runs and has pushed something; the second one waits for it
    control(azure_devops, "POST", {"write_number": 5, "moment": "after"})
    running = jamal.write_comment(PULL_REQUEST, "/edit /3 make all buttons red")
    wait_until(lambda: control(azure_devops, "GET"))
    waiting = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons blue")
    wait_until(lambda: agent.find_job(waiting))
    ids = {str(job["id"]) for job in agent.list_jobs()}
    agent.host.kill()
    control(azure_devops, "DELETE")
    lose_hub(agent)
    run_timer(agent)
    run_timer(agent)
    assert agent.wait_job(running)["status"] == "success"
    assert agent.wait_job(waiting)["status"] == "success"
    run_timer(agent)
    agent.wait_idle()
    assert {str(job["id"]) for job in agent.list_jobs()} == ids
    for thread, variants in ((running, 3), (waiting, 1)):
        branches = jamal.list_branches(f"agents/edit-{PULL_REQUEST}-{thread}-")
        assert len(branches) == variants
        assert len(agent.own_comments(thread)) == 2
    assert len(jamal.list_drafts(seed.TOPIC_BRANCH)) == 4
    kept = agent.read_rows(
        "SELECT job_id FROM audit_logs WHERE action = 'job_reconciled' ORDER BY job_id"
    )
    assert [job_id for (job_id,) in kept] == sorted(ids)
    told = [status["state"] for status in jamal.list_statuses(PULL_REQUEST)]
    assert told.count("succeeded") == 2


def change(database: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(statement, values).rowcount == 1
        connection.commit()


def read_status(agent: Agent, job_id: str) -> str:
    return str((agent.read_instance(job_id) or {})["runtimeStatus"])


def test_what_hangs_is_ended_said_and_holds_nobody_up(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_MAX_RUNNING_JOBS="1", CODE_AGENT_CLARIFY_WAIT_S="600")
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    records, hub = agent.host.folder / "app" / "code-agent.db", agent.host.folder / "state.db"
    hanging = jamal.write_comment(PULL_REQUEST, "/edit /1 make it better")
    agent.wait_answer(hanging, 2)  # it has the slot, and waits for an answer
    job = agent.find_job(hanging) or {}
    long_ago = "2020-01-01 00:00:00.000000"
    change(records, "UPDATE jobs SET created_at = ? WHERE id = ?", long_ago, job["id"])
    run_timer(agent)
    wait_until(lambda: len(agent.own_comments(hanging)) == 3)
    closed = agent.find_job(hanging) or {}
    assert closed["status"] == "failed"
    assert "job.overdue" in agent.own_comments(hanging)[-1]
    assert read_status(agent, job["id"]) == "Terminated"
    stray = jamal.write_comment(PULL_REQUEST, "/edit /1 make it better")
    agent.wait_answer(stray, 2)  # the slot was free
    job = agent.find_job(stray) or {}
    agent.host.kill()  # while it runs it may write the instance over what is changed
    change(records, "DELETE FROM jobs WHERE id = ?", job["id"])
    old = "UPDATE instances SET created_at = ? WHERE instance_id = ?"
    change(hub, old, long_ago.replace(" ", "T") + "0Z", job["id"])
    agent.host.start()
    agent.subscribe()  # it is at another port
    run_timer(agent)
    wait_until(lambda: read_status(agent, job["id"]) == "Terminated")
    last = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red")
    assert agent.wait_job(last)["status"] == "success"
