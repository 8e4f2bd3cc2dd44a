"""Fifty jobs while a fifth of all calls to Azure DevOps go wrong: nothing twice, nothing lost."""

import json
from collections import Counter
from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.running import RunningAzureDevOps
from tests.conftest import RecordFigure
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent

JOBS = 50
VARIANTS = 3
TRIES = 5
KINDS = (
    FaultKind.THROTTLE_429,
    FaultKind.UNAVAILABLE_503,
    FaultKind.RESET_BEFORE,
    FaultKind.RESET_AFTER,
    FaultKind.DELAY,
    FaultKind.HTML_OUTAGE,
)


@pytest.mark.timeout(280)
def test_fifty_jobs_survive_a_fifth_of_all_calls_going_wrong(
    azure_devops: RunningAzureDevOps,
    start_agent: StartAgent,
    record_property: RecordFigure,
) -> None:
    agent = start_agent(
        CODE_AGENT_RETRY_FIRST_DELAY_S="0.02",
        CODE_AGENT_RETRY_MAX_DELAY_S="0.1",
        CODE_AGENT_ALLOWED_USERS=seed.JAMAL.id,
    )
    agent.subscribe()
    organisation = azure_devops.organisation
    organisation.faults = Faults(
        rate=0.2, seed=20261125, kinds=KINDS, retry_after_s=0.02, delay_s=0.02
    )
    jamal = agent.person(seed.JAMAL)
    comment = f"/edit /{VARIANTS} make all buttons red"
    threads = [jamal.write_comment(PULL_REQUEST, comment) for _ in range(JOBS)]
    wait_until(lambda: all_ended(agent), 200)
    jobs = {job["thread_id"]: job for job in agent.list_jobs()}
    branches = Counter(branch.rpartition("/")[0] for branch in jamal.list_branches("agents/"))
    drafts = Counter(
        draft["sourceRefName"]
        for draft in organisation.records.all("pull_request")
        if draft["targetRefName"] == f"refs/heads/{seed.TOPIC_BRANCH}"
    )
    assert set(drafts.values()) <= {1}
    lost = 0
    for thread_id in threads:
        lost += check_job(agent, thread_id, jobs.get(thread_id), branches)
    made = sum(drafts.values())
    record_property(
        "figure",
        f"{len(organisation.faults.made)} faults in {organisation.faults.count} calls of {JOBS} "
        f"jobs: {made} of {JOBS * VARIANTS} drafts, {lost} lost to a spent budget",
    )
    assert made >= JOBS * VARIANTS * 0.9


def all_ended(agent: Agent) -> bool:
    instances = agent.list_instances()
    jobs = [one for one in instances if one["name"] == "edit_job"]
    return len(jobs) == JOBS and all(one["runtimeStatus"] == "Completed" for one in jobs)


def check_job(
    agent: Agent, thread_id: int, job: dict[str, Any] | None, branches: Counter[str]
) -> int:
    """Check one job; answers how many variants it lost, each after every try that it had."""
    kinds = Counter(
        content.partition("kind=")[2].partition(" ")[0] for content in agent.own_comments(thread_id)
    )
    assert max(kinds.values(), default=0) <= 1, kinds
    if job is None:  # the command could not even be read, five times in a row
        output = find_output(agent, thread_id)
        assert output["status"] == "failed"
        assert output["error"]["verdict"] == "retry"
        return VARIANTS
    made = [row for row in job["variants"] if row["status"] == "success"]
    assert branches[f"agents/edit-1-{thread_id}-1"] >= len(made)
    for row in job["variants"]:
        if row["status"] == "success":
            continue
        assert row["verdict"] == "retry", row
        assert count_tries(agent, job, row["k"]) == TRIES
    return VARIANTS - len(made)


def find_output(agent: Agent, thread_id: int) -> dict[str, Any]:
    for one in agent.list_instances():
        if one["name"] == "edit_job":
            status = agent.read_instance(one["instanceId"], showInput="true") or {}
            order = status["input"]
            order = json.loads(order) if isinstance(order, str) else order
            if order["comment"]["thread_id"] == thread_id:
                output: dict[str, Any] = status["output"]
                return output
    raise AssertionError(f"no instance for thread {thread_id}")


def count_tries(agent: Agent, job: dict[str, Any], number: int) -> int:
    """Count how often the step was tried at which a variant, or its whole job, was given up."""
    most = 0
    for instance_id in (f"{job['id']}-v{number}", job["id"]):
        answer = requests.get(
            f"{agent.host.url}/durabletask/instances/{instance_id}",
            params={"showHistory": "true", "showHistoryOutput": "true"},
            timeout=10,
        )
        events = answer.json().get("historyEvents") or [] if answer.status_code == 200 else []
        names = Counter(
            event["FunctionName"] for event in events if event["EventType"] == "TaskCompleted"
        )
        most = max([most, *names.values()])
    return most
