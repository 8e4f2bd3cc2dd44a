"""The vault goes away in the middle of twenty jobs: none is lost, none has an effect twice."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.key_vault.server import Faults, VaultStandIn
from tests.conftest import RecordFigure
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST
from tests.stories.vaulted import VaultedAgent, hold

JOBS = 20


@pytest.fixture
def vaulted(
    vault: VaultStandIn, azure_devops: RunningAzureDevOps, tmp_path: Path
) -> Iterator[VaultedAgent]:
    yield from hold(
        VaultedAgent.start(
            vault,
            azure_devops,
            tmp_path / "agent",
            CODE_AGENT_ALLOWED_USERS=seed.JAMAL.id,
            CODE_AGENT_SECRET_TTL_S="1",
        )
    )


def test_twenty_jobs_outlive_the_vault(
    vaulted: VaultedAgent, record_property: RecordFigure
) -> None:
    agent, organisation = vaulted.agent, vaulted.azure_devops.organisation
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    threads = [
        jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red") for _ in range(JOBS // 2)
    ]
    wait_until(lambda: any(job["status"] == "running" for job in agent.list_jobs()))
    vaulted.vault.faults = Faults(away=True)
    threads += [
        jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red") for _ in range(JOBS // 2)
    ]
    statuses = [agent.wait_job(thread, 60)["status"] for thread in threads]
    wait_until(lambda: any(call.status == 0 for call in vaulted.vault.calls))
    wait_until(lambda: "is served from memory" in agent.host.log)
    ready = requests.get(f"{agent.host.url}/gateway/ready", timeout=30)
    assert statuses == ["success"] * JOBS
    drafts = Counter(
        draft["sourceRefName"]
        for draft in organisation.records.all("pull_request")
        if draft["targetRefName"] == f"refs/heads/{seed.TOPIC_BRANCH}"
    )
    assert sorted(drafts.values()) == [1] * JOBS
    for thread in threads:
        assert len(agent.own_comments(thread)) == 2  # the status comment and the final reply
    assert (ready.status_code, ready.json()["dependencies"]["vault"]) == (200, "stale")
    record_property(
        "figure",
        f"vault away in the middle of {JOBS} jobs: 0 lost, {drafts.total() - JOBS} doubled",
    )


def test_an_app_that_starts_while_the_vault_is_away_has_deliveries_sent_again(
    vaulted: VaultedAgent,
) -> None:
    vaulted.vault.faults = Faults(away=True)
    assert vaulted.agent.deliver({}).status_code == 503
    vaulted.vault.faults = Faults()
    wait_until(lambda: vaulted.agent.deliver({}).status_code == 200)
