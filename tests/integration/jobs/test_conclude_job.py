import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.domain.job import Variant
from shared.domain.states import JobStatus, VariantStatus
from shared.jobs.conclude_job import conclude_job
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import effects, jobs, variants
from tests.integration.store.rows import NOW, REF, a_job

ERROR = {
    "code": "app.unexpected",
    "verdict": "bug",
    "message": "It broke.",
    "retry_after_s": None,
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world with one running job: variant 1 made by a model, variant 2 by the stub."""
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
            "CODE_AGENT_DATA_DIR": str(tmp_path),
        }
    )
    world = World(settings, lambda: NOW)
    job = a_job(
        status=JobStatus.RUNNING, intent="make it red", requested_variants=2, created_at=NOW
    )
    rows = [Variant(job.id, k, VariantStatus.DRAFTING, f"agents/x/v{k}", "s", NOW) for k in (1, 2)]
    with world.database.transaction() as connection:
        jobs.insert_job(connection, job)
        variants.insert_variants(connection, rows)
        variants.move_variant(
            connection,
            job.id,
            1,
            VariantStatus.DRAFTING,
            at=NOW,
            llm_provider="openai",
            llm_model="gpt-6-sol",
            tokens_in=1000,
            tokens_cached=600,
            tokens_out=100,
            cost_micro_usd=1500,
        )
        variants.move_variant(
            connection,
            job.id,
            2,
            VariantStatus.DRAFTING,
            at=NOW,
            llm_provider="stub",
            llm_model="stub",
        )
    yield world
    world.database.dispose()


def list_events(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    told = [vars(record) for record in caplog.records]
    return [one for one in told if one.get("microsoft.custom_event.name") == name]


def test_a_variant_tells_operators_what_its_model_took(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="code_agent")
    conclude_job({"job_id": REF.instance_id, "outcomes": [], "error": None}, world)
    by_model, by_stub = list_events(caplog, "variant_completed")
    assert (by_model["llmProvider"], by_model["llm_model"]) == ("openai", "gpt-6-sol")
    taken = json.loads(by_model["microsoft.custom_measurements"])
    assert taken | {"duration_ms": 0.0} == {
        "duration_ms": 0.0,
        "tokens_in": 1000,
        "tokens_cached": 600,
        "tokens_out": 100,
        "cost_usd": 0.0015,
        "repair_rounds": 0,
    }
    assert (by_stub["llmProvider"], by_stub["llm_model"]) == ("stub", "none")
    assert "cost_usd" not in json.loads(by_stub["microsoft.custom_measurements"])


def test_each_end_is_told_once_however_often_the_step_runs(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="code_agent")
    order = {"job_id": REF.instance_id, "outcomes": [], "error": ERROR}
    for _ in range(3):
        conclude_job(order, world)
    assert [one["variant"] for one in list_events(caplog, "variant_completed")] == ["1", "2"]
    (job,) = list_events(caplog, "job_completed")
    assert (job["status"], job["verdict"]) == ("failed", "bug")
    failures = [one for one in map(vars, caplog.records) if "exception.type" in one]
    assert [one["exception.type"] for one in failures] == ["app.unexpected"] * 2
    assert {one["component"] for one in failures} == {"app"}


def test_what_a_killed_process_did_not_tell_is_told_by_the_next(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The ledger says that somebody was about to tell, and not that it was told."""
    caplog.set_level(logging.INFO, logger="code_agent")
    with world.database.transaction() as connection:
        effects.begin(connection, REF.instance_id, "telemetry", at=NOW)
    conclude_job({"job_id": REF.instance_id, "outcomes": [], "error": ERROR}, world)
    assert len(list_events(caplog, "variant_completed")) == 2
