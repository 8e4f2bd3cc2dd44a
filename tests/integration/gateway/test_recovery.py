"""Sweeps over the stand-in's pull requests: bounded, resumed, and by one instance at a time."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from shared.comments.marker import CommentKind, write_marker
from shared.domain.open_question import OpenQuestion
from shared.gateway.recovery import recover_commands
from shared.gateway.starting import Instance
from shared.jobs.recover_commands import Calls, Sweep
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import turns
from shared.telemetry.events import CommandsSwept

ONE_RUN = 20
"""Calls of one run, the least that the settings allow."""


@dataclass
class Ended:
    """An instance that has ended."""

    output: Any
    updated_at: datetime | None
    is_finished: bool = True


@dataclass
class Hub:
    """A task hub in memory, whose jobs end at once and refuse what they are told to."""

    started: list[str] = field(default_factory=list)
    known: dict[str, Instance] = field(default_factory=dict)
    is_away: bool = False

    async def find(self, instance_id: str) -> Instance | None:
        return self.known.get(instance_id)

    async def start(self, name: str, instance_id: str, order: Mapping[str, Any]) -> None:
        assert (name, order["addressed"]) == ("edit_job", True)
        if self.is_away:
            raise RuntimeError("the host does not answer")
        self.started.append(instance_id)
        self.known[instance_id] = Ended({"accepted": True}, datetime.now(UTC))

    async def find_question(self, thread_key: str) -> OpenQuestion:
        raise AssertionError(thread_key)

    async def wake(self, instance_id: str, event: str) -> bool:
        raise AssertionError((instance_id, event))


@dataclass
class Time:
    """A clock that is ahead of the world's by as much as the test says."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def world(
    azure_devops: RunningAzureDevOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time: Time
) -> Iterator[World]:
    monkeypatch.setenv("ADO_PAT", seed.CODE_AGENT.pat)
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
            "CODE_AGENT_DATA_DIR": str(tmp_path / "app"),
            "CODE_AGENT_RECOVERY_PLACES": f"{seed.PROJECT}/{seed.REPOSITORY}",
            "CODE_AGENT_RECOVERY_CALLS": str(ONE_RUN),
        }
    )
    world = World(settings, time)
    yield world
    world.database.dispose()
    world.ado.close()


@pytest.fixture
def jamal(azure_devops: RunningAzureDevOps) -> Person:
    return Person(azure_devops.organisation_url, seed.JAMAL.pat)


def run(world: World, hub: Hub) -> CommandsSwept:
    [swept] = asyncio.run(recover_commands(world, hub))
    return swept


def open_pull_requests(jamal: Person, count: int) -> list[int]:
    """Open pull requests, each of a branch of its own."""
    [main] = jamal.call_repository("GET", "refs", filter="heads/main")["value"]
    zeros = "0" * 40
    names = [f"refs/heads/many/{number}" for number in range(count)]
    refs = [{"name": name, "oldObjectId": zeros, "newObjectId": main["objectId"]} for name in names]
    jamal.call_repository("POST", "refs", refs)
    return [
        jamal.call_repository(
            "POST",
            "pullrequests",
            {"sourceRefName": name, "targetRefName": "refs/heads/main", "title": name},
        )["pullRequestId"]
        for name in names
    ]


def test_a_sweep_that_is_longer_than_one_run_goes_on_and_passes_nothing_over(
    azure_devops: RunningAzureDevOps, world: World, jamal: Person
) -> None:
    hub = Hub()
    assert run(world, hub).status == "complete"
    numbers = [*open_pull_requests(jamal, 30), seed.PULL_REQUEST_ID]
    jamal.write_comment(numbers[0], "/edit /1 the oldest but one")
    jamal.write_comment(numbers[-1], "/edit /1 the oldest")
    jamal.write_comment(numbers[-2], "/edit /1 the newest")
    azure_devops.organisation.calls.clear()
    first = run(world, hub)
    assert (first.status, first.started, first.pull_requests) == ("partial", 1, ONE_RUN - 1)
    assert len(azure_devops.organisation.calls.operations) <= ONE_RUN
    late = jamal.write_comment(numbers[-2], "/edit /1 behind the sweep's back")
    second = run(world, hub)
    assert (second.status, second.started, second.pull_requests) == ("complete", 2, 31 - 19)
    third = run(world, hub)
    assert (third.status, third.started) == ("partial", 1), late
    assert len(set(hub.started)) == len(hub.started) == 4


def test_no_more_jobs_are_started_at_once_than_a_person_may_have(
    world: World, jamal: Person
) -> None:
    hub = Hub()
    run(world, hub)
    most = world.settings.limits.user_jobs
    for number in range(most + 3):
        jamal.write_comment(seed.PULL_REQUEST_ID, f"/edit /1 wish {number}")
    first, second, third = (run(world, hub) for _ in range(3))
    assert (first.status, first.started) == ("partial", most)
    assert (second.status, second.started) == ("complete", 3)
    assert third.started == 0


def test_only_an_edit_behind_its_refusal_is_started_again(world: World, jamal: Person) -> None:
    hub = Hub()
    run(world, hub)
    jamal.write_comment(seed.PULL_REQUEST_ID, "/edit /99 red")
    run(world, hub)
    [job] = hub.started
    refused = Ended({"accepted": False, "status": "rejected"}, datetime.now(UTC))
    hub.known[job] = refused
    assert run(world, hub).started == 0
    refused.updated_at = datetime.now(UTC) - timedelta(minutes=1)  # the last words came later
    assert run(world, hub).started == 1
    hub.known[job] = Ended(None, None, is_finished=False)
    assert run(world, hub).started == 0


def test_what_has_had_its_last_word_is_not_missed_though_nobody_remembers_it(
    world: World, jamal: Person, azure_devops: RunningAzureDevOps
) -> None:
    hub = Hub()
    run(world, hub)
    agent = Person(azure_devops.organisation_url, seed.CODE_AGENT.pat)
    threads = [jamal.write_comment(seed.PULL_REQUEST_ID, "/cancel") for _ in range(3)]
    run(world, hub)
    answered, forged, edited = hub.started
    hub.known.clear()
    speakers = ((answered, agent), (forged, jamal), (edited, agent))
    for thread, (job, person) in zip(threads, speakers, strict=True):
        said = write_marker(job, CommentKind.ANSWER)
        path = f"pullRequests/{seed.PULL_REQUEST_ID}/threads/{thread}/comments"
        person.call_repository("POST", path, {"content": said, "commentType": 1})
    path = f"pullRequests/{seed.PULL_REQUEST_ID}/threads/{threads[2]}/comments/1"
    jamal.call_repository("PATCH", path, {"content": "/edit /1 make it red after all"})
    hub.started.clear()
    run(world, hub)
    assert sorted(hub.started) == sorted([forged, edited])


def test_what_could_not_be_started_or_read_is_looked_at_again(
    world: World, jamal: Person, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    hub = Hub()
    run(world, hub)
    jamal.write_comment(seed.PULL_REQUEST_ID, "/edit /1 make it red")
    hub.is_away = True
    assert (run(world, hub).reason, hub.started) == ("app.not_started", [])
    hub.is_away = False
    monkeypatch.setenv("ADO_PAT", "wrong")
    assert (run(world, hub).reason, hub.started) == ("ado.unauthenticated", [])
    monkeypatch.setenv("ADO_PAT", seed.CODE_AGENT.pat)
    time.ahead = timedelta(days=6)
    swept = run(world, hub)
    assert (swept.status, swept.started) == ("complete", 1)
    assert swept.behind_s > timedelta(days=6).total_seconds()


def test_what_is_older_than_the_setting_is_not_carried_out_any_more(
    world: World, jamal: Person, time: Time
) -> None:
    hub = Hub()
    run(world, hub)
    jamal.write_comment(seed.PULL_REQUEST_ID, "/edit /1 make it red")
    time.ahead = timedelta(days=world.settings.recovery.days, minutes=1)
    assert (run(world, hub).started, hub.started) == (0, [])


def test_one_instance_sweeps_at_a_time_and_a_dead_one_loses_its_turn(
    world: World, jamal: Person, time: Time
) -> None:
    hub = Hub()
    run(world, hub)
    jamal.write_comment(seed.PULL_REQUEST_ID, "/edit /1 make it red")
    [place] = world.settings.recovery.places
    killed = Sweep.begin(world, place, Calls(ONE_RUN))
    assert killed is not None
    assert asyncio.run(recover_commands(world, hub)) == []
    time.ahead = timedelta(minutes=15)
    assert run(world, hub).started == 1
    with world.database.transaction() as connection:  # it wakes up again, and has no say any more
        assert not turns.end_turn(connection, killed.name, killed.holder, {}, at=time())
    assert run(world, hub).started == 0
