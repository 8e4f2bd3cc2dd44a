"""The canary: a command from end to end on a clock, by the stub, and nothing left of it."""

from typing import Any

import pytest
import requests

from local.app_insights.running import run_in_thread
from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from local.model.server import ModelStandIn
from shared.settings import SettingsError, read_settings
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent
from tests.stories.test_models import choose_settings


def find_place(person: Person) -> str:
    repository = person.call_repository("GET", "")
    return f"{repository['project']['id']}/{repository['id']}/{PULL_REQUEST}"


def run_canary(agent: Agent, insights: Any, times: int) -> dict[str, Any]:
    url = f"{agent.host.url}/admin/functions/run_canary"
    assert requests.post(url, timeout=10).status_code == 202
    rows = wait_until(
        lambda: (
            found
            if len(found := insights.rows("customEvents", "canary_completed")) == times
            else None
        ),
        30,
    )
    told: dict[str, Any] = rows[-1]
    return told


def test_the_canary_goes_the_whole_way_without_a_model_and_leaves_nothing(
    azure_devops: RunningAzureDevOps, model: ModelStandIn, start_agent: StartAgent
) -> None:
    jamal = Person(azure_devops.organisation_url, seed.JAMAL.pat)
    before = jamal.list_drafts(seed.TOPIC_BRANCH), jamal.list_branches("")
    with run_in_thread() as insights:
        agent = start_agent(
            **choose_settings(model),
            APPLICATIONINSIGHTS_CONNECTION_STRING=insights.connection_string,
            CODE_AGENT_CANARY_PULL_REQUEST=find_place(jamal),
            CODE_AGENT_CANARY_LIMIT_S="10",
            CANARY_PAT=seed.JAMAL.pat,
        )
        agent.besides = frozenset({"delete comment"})  # its own, on the canary's pull request
        agent.subscribe()
        told = run_canary(agent, insights, 1)
        assert (told["customDimensions"]["status"], told["customDimensions"]["reason"]) == (
            "success",
            "none",
        )
        assert told["customMeasurements"]["duration_ms"] > 0
        (job,) = agent.list_jobs()
        assert told["customDimensions"]["jobId"] == job["id"]
        assert model.calls.calls == []
        assert (jamal.list_drafts(seed.TOPIC_BRANCH), jamal.list_branches("")) == before
        thread = jamal.read_thread(PULL_REQUEST, job["thread_id"])
        assert thread["status"] == "closed"
        wait_until(lambda: agent.has_ended(job["id"]))
        subscriptions = agent.person(seed.ADMINISTRATOR).call("GET", "_apis/hooks/subscriptions")
        for one in subscriptions["value"]:  # nobody calls the agent any more
            disabled = {**one, "status": "disabledBySystem"}
            path = f"_apis/hooks/subscriptions/{one['id']}"
            agent.person(seed.ADMINISTRATOR).call("PUT", path, disabled)
        told = run_canary(agent, insights, 2)
        assert told["customDimensions"]["reason"] == "no_final_reply"
        assert told["customDimensions"]["status"] == "failed"
    asked = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "hello")
    assert jamal.read_thread(PULL_REQUEST, asked)["status"] == "active"


@pytest.mark.parametrize("place", ["1", "a/b/1", "Storefront/storefront/1"])
def test_a_place_that_cannot_be_meant_is_named(place: str) -> None:
    environment = {
        "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
        "CODE_AGENT_CANARY_PULL_REQUEST": place,
    }
    with pytest.raises(SettingsError, match="CODE_AGENT_CANARY_PULL_REQUEST"):
        read_settings(environment)
