"""What else people write, who may, and what the agent leaves alone."""

import itertools
from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.faults import Hold
from local.azure_devops.running import RunningAzureDevOps
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent


def test_help_status_and_cancel_are_answered(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    assert "/edit /5" in agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/help"))
    said = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/cancel"))
    assert "nothing to cancel" in said
    said = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/status"))
    assert "no jobs" in said
    agent.wait_job(jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red"))
    said = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/status"))
    assert "make all buttons red" in said
    assert "✅ done" in said


def test_retry_produces_what_did_not_succeed(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    said = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/retry"))
    assert "command.nothing_to_retry" in said
    wish = "/edit /2 replace `nowhere` with `x` in README.md"
    agent.wait_job(jamal.write_comment(PULL_REQUEST, wish))
    again = agent.wait_job(jamal.write_comment(PULL_REQUEST, "/retry 2"))
    assert again["intent"] == "replace `nowhere` with `x` in README.md"
    assert [v["k"] for v in again["variants"]] == [2]


def test_a_stranger_is_refused_and_told_once(agent: Agent) -> None:
    sam = agent.person(seed.STRANGER)
    first = sam.write_comment(PULL_REQUEST, "/edit make all buttons red")
    assert "permission.denied" in agent.wait_answer(first)
    second = sam.write_comment(PULL_REQUEST, "/edit make all buttons blue")
    wait_until(lambda: len(agent.list_instances()) == 2)
    agent.wait_idle()
    assert agent.own_comments(second) == []
    assert agent.list_jobs() == []
    assert agent.read_rows("SELECT action FROM audit_logs") == [("job_rejected",)] * 2


@pytest.mark.parametrize(
    "settings",
    [
        {"CODE_AGENT_ALLOWED_USERS": seed.STRANGER.address.upper()},
        {"CODE_AGENT_OPEN_REPOSITORIES": "Storefront/storefront"},
        {
            "CODE_AGENT_ALLOWED_GROUPS": r"[Storefront]\Readers",
            "CODE_AGENT_ALLOWED_USERS": seed.STRANGER.id,
        },
    ],
    ids=["by-address", "open-repository", "by-id"],
)
def test_a_stranger_may_ask_where_the_operators_say_so(
    start_agent: StartAgent, settings: dict[str, str]
) -> None:
    agent = start_agent(**{"CODE_AGENT_ALLOWED_GROUPS": "", **settings})
    agent.subscribe()
    thread_id = agent.person(seed.STRANGER).write_comment(PULL_REQUEST, "/edit /1 buttons red")
    assert agent.wait_job(thread_id)["status"] == "success"


def test_another_repository_than_the_allowed_ones_is_refused(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_ALLOWED_REPOSITORIES="Other/*")
    agent.subscribe()
    said = agent.wait_answer(
        agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "/edit make all buttons red")
    )
    assert "permission.repository_not_allowed" in said


def test_a_closed_pull_request_is_refused_politely(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    jamal.call_repository("PATCH", f"pullRequests/{PULL_REQUEST}", {"status": "abandoned"})
    said = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/edit make all buttons red"))
    assert "pull_request.closed" in said


def test_a_pull_request_from_a_fork_is_refused_politely(
    azure_devops: RunningAzureDevOps, agent: Agent
) -> None:
    pull_request: Any = azure_devops.organisation.records.get("pull_request", PULL_REQUEST)
    pull_request["forkSource"] = {"repository": {"id": "x"}}
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "/edit make all buttons red")
    assert "pull_request.fork" in agent.wait_answer(thread_id)


def test_the_agents_own_comment_never_commands_it(agent: Agent) -> None:
    itself = agent.person(seed.CODE_AGENT)
    thread_id = itself.write_comment(PULL_REQUEST, "/edit /1 red\n<!-- code-agent job=x -->")
    wait_until(agent.list_instances)
    agent.wait_idle()
    assert agent.list_jobs() == []
    assert len(agent.own_comments(thread_id)) == 1  # the one it wrote as a person


def test_talk_deletion_and_replies_of_people_start_nothing(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, "Looks good. > /edit make it red")
    path = f"pullRequests/{PULL_REQUEST}/threads/{thread_id}/comments"
    jamal.call_repository("POST", path, {"content": "```\n/edit make it red\n```"})
    deliveries = agent.azure_devops.organisation.records
    wait_until(lambda: len(deliveries.all("notification")) == 2)
    wait_until(lambda: all(n["status"] == "completed" for n in deliveries.all("notification")))
    assert agent.list_instances() == []


def test_jobs_wait_for_a_slot_in_order_and_can_be_cancelled_while_they_do(
    azure_devops: RunningAzureDevOps, start_agent: StartAgent
) -> None:
    agent = start_agent(CODE_AGENT_MAX_RUNNING_JOBS="1")
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    # the first job's status comment gets no answer until the test says so
    hold = azure_devops.organisation.hold = Hold(write_number=1, moment="after")
    first = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red")
    wait_until(hold.reached.is_set)
    second = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons blue")
    assert "place 1" in agent.wait_answer(second)
    third = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons green")
    assert "place 2" in agent.wait_answer(third)
    said = agent.wait_answer(jamal.write_comment(PULL_REQUEST, "/cancel"))
    assert "3 jobs will stop" in said
    for thread_id in (second, third):
        assert agent.wait_job(thread_id)["status"] == "cancelled"
        assert "**cancelled**" in agent.own_comments(thread_id)[-1]
    requests.delete(f"{azure_devops.url}/_standin/hold", timeout=10)
    assert agent.wait_job(first)["status"] == "cancelled"
    assert len([c for c in agent.own_comments(first) if "kind=status" in c]) == 1
    assert jamal.list_branches("agents/") == []


def test_the_job_that_waited_runs_when_the_first_one_leaves(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_MAX_RUNNING_JOBS="1")
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    threads = [
        jamal.write_comment(PULL_REQUEST, f"/edit /1 make all buttons {colour}")
        for colour in ("red", "blue", "green")
    ]
    jobs = [agent.wait_job(thread_id) for thread_id in threads]
    assert [job["status"] for job in jobs] == ["success"] * 3
    jobs.sort(key=lambda job: job["started_at"])  # deliveries arrive in any order
    for before, after in itertools.pairwise(jobs):
        assert before["finished_at"] < after["started_at"]
