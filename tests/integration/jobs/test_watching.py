"""What is told by the clock: that the app runs, what waits, and how its hooks fare."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from shared.domain.comment_ref import CommentRef
from shared.domain.states import JobStatus
from shared.jobs.heartbeat import beat
from shared.jobs.watch_hooks import watch_hooks
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import jobs
from tests.integration.store.rows import a_job

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ID = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def world(
    azure_devops: RunningAzureDevOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("ADO_PAT", seed.CODE_AGENT.pat)
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
            "CODE_AGENT_DATA_DIR": str(tmp_path / "app"),
        }
    )
    world = World(settings, lambda: NOW)
    yield world
    world.database.dispose()
    world.ado.close()


def admit(world: World, comment: int, status: JobStatus, age: timedelta) -> None:
    ref = CommentRef("contoso", ID, ID, 7, 5, comment)
    at = NOW - age
    job = a_job(id=ref.instance_id, comment=ref, status=status, created_at=at, updated_at=at)
    with world.database.transaction() as connection:
        jobs.insert_job(connection, job)


def test_a_heartbeat_says_what_waits_and_since_when(world: World) -> None:
    idle = beat(world)
    assert (idle.queue_depth, idle.running_jobs, idle.oldest_job_s) == (0, 0, 0.0)
    admit(world, 1, JobStatus.SUCCESS, timedelta(hours=5))
    admit(world, 2, JobStatus.RUNNING, timedelta(minutes=20))
    admit(world, 3, JobStatus.QUEUED, timedelta(minutes=2))
    admit(world, 4, JobStatus.QUEUED, timedelta(minutes=1))
    busy = beat(world)
    assert (busy.queue_depth, busy.running_jobs, busy.oldest_job_s) == (2, 1, 1200.0)
    assert busy.records == "ok"


def test_a_heartbeat_is_told_also_while_the_database_is_away(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
            "CODE_AGENT_DATA_DIR": str(tmp_path),
            "CODE_AGENT_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:9/none",
        }
    )
    event = beat(World(settings, lambda: NOW))
    assert (event.records, event.queue_depth) == ("failed", None)


def test_hooks_are_told_of_as_azure_devops_sees_them(
    world: World, azure_devops: RunningAzureDevOps
) -> None:
    assert [event.status for event in watch_hooks(world)] == ["missing"]
    admin = Person(azure_devops.organisation_url, seed.ADMINISTRATOR.pat)
    admin.subscribe("http://127.0.0.1:9/somebody/else", "secret")
    ours = admin.subscribe("http://127.0.0.1:9/gateway/webhook/ado", "secret")
    (event,) = watch_hooks(world)
    assert (event.subscription, event.status) == (ours, "enabled")
    shown = admin.call("GET", f"_apis/hooks/subscriptions/{ours}")
    admin.call("PUT", f"_apis/hooks/subscriptions/{ours}", {**shown, "status": "disabledBySystem"})
    assert [event.status for event in watch_hooks(world)] == ["disabledBySystem"]


def test_an_agent_that_may_not_look_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADO_PAT", "wrong")
    assert [event.status for event in watch_hooks(world)] == ["unknown"]
