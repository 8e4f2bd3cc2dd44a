"""What is done about a job, by what the records and the task hub say of it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from shared.domain.comment_ref import CommentRef
from shared.domain.job import Job, Variant
from shared.domain.open_question import OpenQuestion
from shared.domain.states import JobStatus, VariantStatus
from shared.gateway.reconcile import reconcile
from shared.jobs.reconcile_jobs import MOST_JOBS, Round
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import audit, jobs, variants

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ID = "11111111-1111-1111-1111-111111111111"


@dataclass
class Known:
    """An instance, as a hub knows it."""

    is_finished: bool
    output: Any = None
    updated_at: datetime | None = None


@dataclass
class Hub:
    """A task hub in memory."""

    known: dict[str, Known] = field(default_factory=dict)
    started: list[tuple[str, str]] = field(default_factory=list)
    """Job and correlation id."""
    terminated: list[str] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)
    asked: int = 0

    async def find(self, instance_id: str) -> Known | None:
        self.asked += 1
        return self.known.get(instance_id)

    async def start(self, name: str, instance_id: str, order: Mapping[str, Any]) -> None:
        assert name == "edit_job"
        self.started.append((instance_id, order["correlation_id"]))
        self.known[instance_id] = Known(is_finished=False)

    async def list_running(self, before: datetime) -> Sequence[str]:
        assert before < NOW
        return [name for name, one in self.known.items() if not one.is_finished]

    async def terminate(self, instance_id: str, reason: str) -> None:
        assert reason
        self.terminated.append(instance_id)
        self.known[instance_id] = Known(is_finished=True)

    async def free_slot(self, key: str, instance_id: str, *, capacity: int, at: datetime) -> None:
        assert (key, capacity, at) == ("contoso", 10, NOW)
        self.freed.append(instance_id)

    async def find_question(self, thread_key: str) -> OpenQuestion:
        raise AssertionError(thread_key)

    async def wake(self, instance_id: str, event: str) -> bool:
        raise AssertionError((instance_id, event))


@pytest.fixture
def world(
    azure_devops: RunningAzureDevOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("ADO_PAT", seed.CODE_AGENT.pat)
    monkeypatch.setenv("WEBHOOK_SECRET", "s")
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
            "CODE_AGENT_DATA_DIR": str(tmp_path / "app"),
            "TASKHUB_NAME": "blue",
        }
    )
    world = World(settings, lambda: NOW)
    yield world
    world.database.dispose()
    world.ado.close()


def admit(world: World, ref: CommentRef, **changes: Any) -> str:
    at = NOW - changes.pop("age", timedelta(minutes=5))
    fields: dict[str, Any] = {
        "status": JobStatus.RUNNING,
        "intent": "make it red",
        "requested_variants": 1,
        "actor_id": "u",
        "correlation_id": "c" * 32,
        "project_name": "P",
        "repository_name": "r",
        "pull_request_title": "t",
        "source_ref": "refs/heads/x",
        "base_commit": "a" * 40,
        "task_hub": "blue",
    }
    job = Job(id=ref.instance_id, comment=ref, created_at=at, updated_at=at, **fields | changes)
    row = Variant(job.id, 1, VariantStatus.PENDING, "agents/x/v1", "plain", at)
    with world.database.transaction() as connection:
        jobs.insert_job(connection, job)
        variants.insert_variants(connection, [row])
    return job.id


def build_ref(comment: int) -> CommentRef:
    return CommentRef("contoso", ID, ID, 7, 5, comment)


def run(world: World, hub: Hub) -> list[tuple[str, str, str]]:
    done = asyncio.run(reconcile(world, hub))
    return [(event.jobId, event.status, event.reason) for event in done]


def read_job(world: World, job_id: str) -> Job:
    with world.database.read() as connection:
        job = jobs.load_job(connection, job_id)
    assert job is not None
    return job


def test_each_difference_is_settled_once_and_what_fits_is_left_alone(world: World) -> None:
    hub = Hub()
    well = admit(world, build_ref(1))
    hub.known[well] = Known(is_finished=False)
    forgotten = admit(world, build_ref(2), status=JobStatus.QUEUED)
    others = admit(world, build_ref(3), task_hub="green")
    lost = admit(world, build_ref(4))
    hub.known[lost] = Known(is_finished=True)
    overdue = admit(world, build_ref(5), age=timedelta(days=2))
    hub.known[overdue] = Known(is_finished=False)
    overdue_elsewhere = admit(world, build_ref(6), age=timedelta(days=2), task_hub="green")
    ended = admit(world, build_ref(7), status=JobStatus.SUCCESS)
    hub.known[ended] = Known(is_finished=False)
    hub.known["edit-" + "0" * 32] = Known(is_finished=False)
    hub.known["edit-" + "0" * 32 + "-v2"] = Known(is_finished=False)
    assert sorted(run(world, hub)) == sorted(
        [
            (forgotten, "restarted", "unknown_to_hub"),
            (lost, "closed", "job.lost"),
            (overdue, "closed", "job.overdue"),
            (overdue_elsewhere, "closed", "job.overdue"),
            (ended, "terminated", "job_ended"),
            ("edit-" + "0" * 32, "terminated", "no_job"),
        ]
    )
    assert hub.started == [(forgotten, "c" * 32)]
    assert len(hub.terminated) == 4
    assert set(hub.freed) == {lost, overdue, overdue_elsewhere, ended, "edit-" + "0" * 32}
    assert {read_job(world, one).status for one in (lost, overdue)} == {JobStatus.FAILED}
    assert read_job(world, lost).error_code == "job.lost"
    assert {read_job(world, one).status for one in (well, others)} == {JobStatus.RUNNING}
    with world.database.read() as connection:
        entries = audit.load(connection, lost)
    assert [str(entry.action) for entry in entries] == ["job_concluded", "job_reconciled"]
    assert entries[-1].facts == {"action": "closed", "reason": "job.lost"}
    assert run(world, hub) == []


def test_words_that_could_not_be_said_are_said_by_a_later_run(
    azure_devops: RunningAzureDevOps, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    jamal = Person(azure_devops.organisation_url, seed.JAMAL.pat)
    repository = jamal.call_repository("GET", "")
    thread = jamal.write_comment(seed.PULL_REQUEST_ID, "/edit /1 make it red")
    place = repository["project"]["id"], repository["id"], seed.PULL_REQUEST_ID
    job_id = admit(world, CommentRef("contoso", *place, thread, 1))
    hub = Hub({job_id: Known(is_finished=True)})
    monkeypatch.setenv("ADO_PAT", "expired")
    assert run(world, hub) == [(job_id, "closed", "job.lost")]
    monkeypatch.setenv("ADO_PAT", seed.CODE_AGENT.pat)
    assert run(world, hub) == []
    run(world, hub)
    comments = jamal.read_thread(seed.PULL_REQUEST_ID, thread)["comments"]
    said = [one["content"] for one in comments if one["author"]["id"] == seed.CODE_AGENT.id]
    assert len(said) == 2  # status comment and final reply
    assert "job.lost" in said[-1]
    assert [one["state"] for one in jamal.list_statuses(seed.PULL_REQUEST_ID)] == ["failed"]


def test_one_run_is_bounded_and_the_next_goes_on_behind_it(world: World) -> None:
    hub = Hub()
    for number in range(1, MOST_JOBS + 4):
        hub.known[admit(world, build_ref(number))] = Known(is_finished=False)
    run(world, hub)
    assert hub.asked == MOST_JOBS
    run(world, hub)
    assert hub.asked == MOST_JOBS + 3


def test_one_instance_reconciles_at_a_time(world: World) -> None:
    job_id = admit(world, build_ref(1))
    turn = Round.begin(world)
    assert turn is not None
    hub = Hub()
    assert run(world, hub) == []
    turn.end()
    assert [one for one, _, _ in run(world, hub)] == [job_id]
