"""One job through the functions host with the real exporter, and what operators see of it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from local.app_insights.kusto import Kusto
from local.app_insights.running import run_in_thread
from local.app_insights.server import Faults as Outage
from local.app_insights.server import InsightsOptions, InsightsStandIn
from local.azure_devops import running as running_azure_devops
from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.running import RunningAzureDevOps
from local.azure_devops.server import ServerOptions
from local.model import running as running_model
from shared.telemetry.metrics import METRICS
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent
from tests.stories.minds import Mind
from tests.stories.test_models import choose_settings, paint

WISH = "make all buttons red"
MODEL = "claude-sonnet-4-6"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"


@dataclass(frozen=True)
class Told:
    """A job that has ended, and what was told of it."""

    insights: InsightsStandIn
    job: dict[str, Any]
    kusto: Kusto
    scraped: str
    """What Prometheus gets from the instance."""

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return list(self.kusto.query(query).rows)


@pytest.fixture(scope="module")
def told(seeded_organisation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Three variants by a model, while some calls to Azure DevOps are throttled."""
    folder = tmp_path_factory.mktemp("telemetry")
    shutil.copytree(seeded_organisation, folder / "azure-devops")
    options = ServerOptions(folder / "azure-devops", time_scale=0.001)
    with (
        running_azure_devops.run_in_thread(options) as azure_devops,
        running_model.run_in_thread() as model,
        run_in_thread(InsightsOptions(folder=folder / "insights")) as insights,
    ):
        model.brain = Mind(paint)
        settings = {**choose_settings(model), CONNECTION: insights.connection_string}
        agent = Agent.start(azure_devops, folder / "agent", settings)
        try:
            agent.subscribe()
            azure_devops.organisation.faults = Faults(
                rate=0.3, seed=7, kinds=[FaultKind.THROTTLE_429], retry_after_s=0.02
            )
            thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, f"/edit /3 {WISH}")
            job = agent.wait_job(thread_id)
            assert azure_devops.organisation.faults.made
            assert agent.deliver({}, secret="wrong").status_code == 401
            beats = len(insights.rows("customEvents", "heartbeat"))
            answer = requests.post(f"{agent.host.url}/admin/functions/beat", timeout=10)
            assert answer.status_code == 202
            wait_until(lambda: len(insights.rows("customEvents", "heartbeat")) > beats)
            wait_until(lambda: insights.rows("requests"))
            wait_until(lambda: insights.rows("dependencies"))
            scraped = requests.get(f"{agent.host.url}/gateway/metrics", timeout=10)
            assert scraped.headers["Content-Type"].startswith("text/plain; version=")
        finally:
            agent.host.stop()  # the host delivers what it has; then everything has arrived
        kusto = Kusto(insights.collected.all_rows())
        yield Told(insights, job, kusto, scraped.text)
        kusto.close()


def test_one_trace_holds_the_whole_job(told: Told) -> None:
    trace = told.job["correlation_id"]
    rows = told.ask(
        "union requests, dependencies, customEvents, exceptions, traces"
        f"| where operation_Id == '{trace}' | summarize n = count() by itemType"
    )
    kinds = {kind: count for kind, count in rows if count}
    assert kinds["request"] == 1
    assert kinds["event"] >= 5
    assert kinds["remotedependency"] > 30
    names = {name for (name,) in told.ask("dependencies | distinct name")}
    steps = {"admit_command", "load_context", "draft_patch", "push_branch", "conclude_job"}
    assert steps | {"receive delivery", "POST create push", f"chat {MODEL}"} <= names
    others = told.ask(f"dependencies | where operation_Id != '{trace}' | distinct name")
    assert not steps & {name for (name,) in others}


def test_every_span_hangs_below_the_request_that_began_it(told: Told) -> None:
    trace = told.job["correlation_id"]
    spans = told.ask(
        "union requests, dependencies"
        f"| where operation_Id == '{trace}' | project id, operation_ParentId, name"
    )
    known = {span for span, _, _ in spans}
    lost = [name for _, parent, name in spans if parent not in known and name != "receive_webhook"]
    assert lost == []


def test_each_variant_is_told_of_once_whatever_was_repeated(told: Told) -> None:
    rows = told.ask(
        "customEvents | where name == 'variant_completed'"
        "| project tostring(customDimensions.variant), tostring(customDimensions.status),"
        "tostring(customDimensions.llmProvider), todouble(customMeasurements.tokens_out)"
    )
    assert sorted(row[:3] for row in rows) == [
        (str(number), "success", "anthropic") for number in (1, 2, 3)
    ]
    assert all(tokens > 0 for *_, tokens in rows)
    (metric,) = told.ask(
        "customMetrics | where name == 'variant_duration' | summarize sum(valueCount)"
    )
    assert metric == (3,)
    completed = told.ask("customEvents | where name == 'job_completed' | count")
    assert completed == [(1,)]


def test_a_throttled_call_is_a_failed_dependency_and_an_event(told: Told) -> None:
    throttled = told.ask("dependencies | where resultCode == '429' | distinct success, target")
    assert throttled == [("False", "Azure DevOps")]
    (spans,), (events,) = (
        told.ask(query)[0]
        for query in (
            "dependencies | where resultCode == '429' | count",
            "customEvents | where name == 'ado_rate_limited' | count",
        )
    )
    assert spans == events > 0


def test_calls_to_the_model_follow_the_conventions_and_hold_no_content(told: Told) -> None:
    calls = [
        row["customDimensions"]
        for row in told.insights.rows("dependencies")
        if row["name"].startswith("chat ")
    ]
    assert len(calls) == 5  # judged, warmed, drafted three times
    for call in calls:
        assert call["gen_ai.operation.name"] == "chat"
        assert call["gen_ai.provider.name"] == "anthropic"
        assert call["gen_ai.request.model"] == MODEL
        assert call["gen_ai.response.model"]
        assert int(call["gen_ai.usage.input_tokens"]) > 0
        assert int(call["gen_ai.usage.output_tokens"]) > 0


def test_nothing_that_was_written_by_people_or_models_is_told(told: Told) -> None:
    rows = json.dumps(told.insights.collected.all_rows())
    for content in (WISH, "--accent", "crimson", "jamal", "@contoso", seed.CODE_AGENT.pat):
        assert content.casefold() not in rows.casefold()


def test_only_what_the_app_itself_measures_and_traces_is_told(told: Told) -> None:
    """A library that instruments itself would tell addresses."""
    described = {metric.name for metric in METRICS}
    assert {name for (name,) in told.ask("customMetrics | distinct name")} <= described
    targets = {target for (target,) in told.ask("dependencies | distinct target")}
    assert targets <= {None, "", "Azure DevOps", "anthropic"}
    rows = json.dumps(told.insights.rows("dependencies"))
    assert "http://" not in rows
    assert "/_apis/" not in rows


def test_requests_tell_their_route_and_their_answer(told: Told) -> None:
    rows = told.ask(
        "requests | where name == 'receive_webhook' | distinct url, resultCode, success"
    )
    assert ("POST /webhook/ado", "202", "True") in rows
    assert ("POST /webhook/ado", "401", "False") in rows


def test_prometheus_gets_the_same_figures_under_the_guides_names(told: Told) -> None:
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(told.scraped)
        for sample in family.samples
    }
    for number in (1, 2, 3):
        labels = {"status": "success", "llm_provider": "anthropic", "variant_number": str(number)}
        place = tuple(sorted(labels.items()))
        assert found["code_agent_variant_duration_seconds_count", place] == 1
        for bound in ("90.0", "240.0", "480.0", "+Inf"):
            bucket = tuple(sorted({**labels, "le": bound}.items()))
            assert found["code_agent_variant_duration_seconds_bucket", bucket] == 1
    requested = {
        "method": "POST",
        "route": "/gateway/webhook/ado",
        "status_code": "202",
        "service": "gateway",
    }
    assert found["code_agent_http_requests_total", tuple(sorted(requested.items()))] == 1
    assert found["code_agent_orchestrator_queue_depth", ()] == 0
    (spans,) = told.ask("dependencies | where target == 'Azure DevOps' | count")[0]
    calls = [
        value
        for (name, _), value in found.items()
        if name == "code_agent_ado_call_duration_seconds_count"
    ]
    assert sum(calls) == spans


def test_a_heartbeat_tells_that_nothing_waits(told: Told) -> None:
    row = told.insights.rows("customEvents", "heartbeat")[-1]
    assert row["customMeasurements"] == {
        "queue_depth": 0.0,
        "running_jobs": 0.0,
        "oldest_job_s": 0.0,
    }


def test_a_job_does_not_care_whether_anybody_listens(
    azure_devops: RunningAzureDevOps, start_agent: StartAgent
) -> None:
    with run_in_thread() as insights:
        insights.faults = Outage(away=True)
        agent = start_agent(**{CONNECTION: insights.connection_string})
        agent.subscribe()
        thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, f"/edit /1 {WISH}")
        job = agent.wait_job(thread_id)
        assert job["status"] == "success"
        assert insights.calls
        stored = agent.host.folder / "app" / "telemetry"
        wait_until(lambda: list(stored.rglob("*.blob*")))
    assert azure_devops.organisation.calls.operations
