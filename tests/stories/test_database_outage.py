"""The database dies in the middle of twenty jobs: they wait, go on, and do nothing twice."""

import json
import time
from collections import Counter
from typing import Any

import psycopg
import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.postgres import PostgresCluster
from tests.conftest import RecordFigure
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent

JOBS = 20
VARIANTS = 2
OUTAGE_S = 3.0
"""Longer than all five tries of a step take together here (1.5 s)."""


def test_twenty_jobs_outlast_an_outage_of_the_database(
    azure_devops: RunningAzureDevOps,
    start_agent: StartAgent,
    postgres_cluster: PostgresCluster,
    postgres_url: str,
    record_property: RecordFigure,
) -> None:
    agent = start_agent(
        CODE_AGENT_DATABASE_URL=postgres_url,
        CODE_AGENT_MAX_RUNNING_JOBS=str(JOBS),
        CODE_AGENT_ALLOWED_USERS=seed.JAMAL.id,
    )
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    comment = f"/edit /{VARIANTS} make all buttons red"
    threads = [jamal.write_comment(PULL_REQUEST, comment) for _ in range(JOBS)]
    wait_until(lambda: count_variants(postgres_url)["success"] >= JOBS // 4, 60)
    postgres_cluster.crash()
    down_at = time.monotonic()
    try:
        readiness = requests.get(f"{agent.host.url}/gateway/ready", timeout=30)
        listed = requests.get(f"{agent.host.url}/gateway/jobs", timeout=30)
        was_waiting = [one for one in list_edit_jobs(agent) if one["runtimeStatus"] == "Running"]
        time.sleep(max(0.0, OUTAGE_S - (time.monotonic() - down_at)))
    finally:
        postgres_cluster.start()
    assert (readiness.status_code, listed.status_code) == (503, 503)
    assert readiness.json()["dependencies"]["database"] == "failed"
    assert len(was_waiting) >= JOBS // 4
    wait_until(lambda: has_ended(agent), 60)
    check_world(azure_devops, agent, threads)
    assert count_variants(postgres_url) == {"success": JOBS * VARIANTS}
    record_property(
        "figure",
        f"database away for {OUTAGE_S:g} s in the middle of {JOBS} jobs"
        f" ({len(was_waiting)} of them running): 0 lost, 0 doubled",
    )


def check_world(azure_devops: RunningAzureDevOps, agent: Agent, threads: list[int]) -> None:
    jobs = {job["thread_id"]: job["status"] for job in agent.list_jobs()}
    assert jobs == dict.fromkeys(threads, "success")
    drafts = [
        draft["sourceRefName"].removeprefix("refs/heads/")
        for draft in azure_devops.organisation.records.all("pull_request")
        if draft["targetRefName"] == f"refs/heads/{seed.TOPIC_BRANCH}"
    ]
    branches = agent.person(seed.JAMAL).list_branches("agents/")
    assert sorted(drafts) == sorted(branches)
    assert Counter(name.rpartition("/")[0] for name in branches) == {
        f"agents/edit-{PULL_REQUEST}-{thread}-1": VARIANTS for thread in threads
    }
    for thread in threads:
        said = agent.own_comments(thread)
        kinds = Counter(one.partition("kind=")[2].partition(" ")[0] for one in said)
        assert set(kinds.values()) == {1}, json.dumps(said)
        assert len(kinds) == 2  # the status, edited in place, and the result


def count_variants(url: str) -> Counter[str]:
    try:
        with psycopg.connect(url) as connection:
            query = "SELECT status, count(*) FROM code_agent.variants GROUP BY status"
            return Counter(dict(connection.execute(query).fetchall()))
    except psycopg.errors.UndefinedTable:  # nothing has asked for the database yet
        return Counter()


def list_edit_jobs(agent: Agent) -> list[dict[str, Any]]:
    return [one for one in agent.list_instances() if one["name"] == "edit_job"]


def has_ended(agent: Agent) -> bool:
    instances = list_edit_jobs(agent)
    return len(instances) == JOBS and all(one["runtimeStatus"] == "Completed" for one in instances)
