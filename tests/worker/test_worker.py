"""What our host accepts, the real worker accepts: its own library indexes and invokes this app."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.functions_host.app_loader import load_app
from shared.domain.names import ActivityName, EntityName, OrchestratorName
from tests.local.functions_host.hosting import REPOSITORY

WORKER = REPOSITORY / ".venv-worker" / "bin" / "python"


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not WORKER.exists():
        pytest.skip("CPython 3.13 is not here (Makefile: WORKER_PYTHON)")
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": "http://127.0.0.1:9/contoso",
        "CODE_AGENT_DATA_DIR": str(tmp_path_factory.mktemp("worker")),
    }
    done = subprocess.run(
        [str(WORKER), str(Path(__file__).with_name("drive_worker.py"))],
        env={"PATH": os.environ["PATH"], **settings},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    assert "error" not in answer, answer["error"]
    return answer


def test_the_worker_finds_the_functions_that_our_host_finds(
    driven: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKHUB_NAME", "hub")
    app = load_app(REPOSITORY)
    assert set(driven["functions"]) == {function.name for function in app.functions}
    for function in app.functions:
        bindings = driven["functions"][function.name]
        assert function.trigger["type"] in {binding["type"] for binding in bindings}


def test_durable_names_are_those_of_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKHUB_NAME", "hub")
    app = load_app(REPOSITORY)
    assert {f.name for f in app.activities.values()} == set(ActivityName)
    assert {f.name for f in app.orchestrators.values()} == set(OrchestratorName)
    assert {f.name for f in app.entities.values()} == set(EntityName)


def test_http_functions_answer_through_the_worker(driven: dict[str, Any]) -> None:
    health = driven["invocations"]["show_health"]
    assert (health["ok"], health["status"]) == (True, "200")
    assert json.loads(health["body"])["service"] == "gateway"
    refused = driven["invocations"]["receive_webhook"]
    assert (refused["ok"], refused["status"]) == (True, "401")


def test_an_orchestrator_decides_through_the_worker(driven: dict[str, Any]) -> None:
    decided = json.loads(driven["invocations"]["edit_job"]["value"])
    assert decided["isDone"] is False
    assert decided["actions"][0][0]["functionName"] == "admit_command"


def test_an_entity_and_an_activity_answer_through_the_worker(driven: dict[str, Any]) -> None:
    entity = json.loads(driven["invocations"]["job_slots"]["value"])
    assert json.loads(entity["results"][0]["result"]) == {"granted": True, "position": 0}
    activity = json.loads(driven["invocations"]["push_branch"]["value"])
    assert activity["error"]["code"] == "job.unknown"
