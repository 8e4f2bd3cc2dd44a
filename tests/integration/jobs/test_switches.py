"""What admission makes of the switches, for jobs that are opened and for one that is already."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from shared.ado.errors import AdoError
from shared.ado.threads import edit_comment, post_reply
from shared.domain.clock import format_instant
from shared.domain.comment_ref import CommentRef
from shared.domain.pull_request import RepositoryRef
from shared.domain.switches import SetSwitch, SwitchName
from shared.jobs.admit_command import admit_command
from shared.jobs.run_canary import run_canary
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import jobs, switches

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def world(
    azure_devops: RunningAzureDevOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("ADO_PAT", seed.CODE_AGENT.pat)
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
            "CODE_AGENT_DATA_DIR": str(tmp_path / "app"),
            "CODE_AGENT_ALLOWED_USERS": seed.JAMAL.id,
            "CODE_AGENT_SWITCH_TTL_S": "0",
            "CODE_AGENT_CANARY_PULL_REQUEST": f"{'0' * 36}/{'0' * 36}/1",
        }
    )
    world = World(settings, lambda: NOW)
    yield world
    world.database.dispose()
    world.ado.close()


def turn(world: World, name: SwitchName, value: Any) -> None:
    with world.database.transaction() as connection:
        switches.turn(connection, SetSwitch(name, value, "", NOW), by="somebody")


def comment(world: World) -> dict[str, Any]:
    """Write a command; answers what the webhook orders for it."""
    jamal = Person(world.settings.organisation_url, seed.JAMAL.pat)
    repository = jamal.call_repository("GET", "")
    thread = jamal.write_comment(seed.PULL_REQUEST_ID, "/edit /1 make all buttons red")
    place = repository["project"]["id"], repository["id"], seed.PULL_REQUEST_ID
    ref = CommentRef(world.settings.organisation, *place, thread, 1)
    received_at = format_instant(NOW)
    return {"comment": ref.to_plain(), "correlation_id": "c", "received_at": received_at}


def test_a_job_that_is_open_stays_open_whatever_is_turned_behind_it(world: World) -> None:
    order = comment(world)
    turn(world, SwitchName.BRAKE, 2)
    first = admit_command(order, world)
    assert first["job"]["slots"]["capacity"] == 2
    for mode in ("paused", "read-only"):
        turn(world, SwitchName.MODE, mode)
        assert admit_command(order, world)["job"]["id"] == first["job"]["id"]


def test_a_job_that_is_not_open_is_refused_or_waits_and_leaves_no_row(world: World) -> None:
    order = comment(world)
    turn(world, SwitchName.MODE, "paused")
    refused = admit_command(order, world)
    assert (refused["next"], refused["accepted"]) == ("answer", False)
    assert refused["answer"]["code"] == "agent.paused"
    turn(world, SwitchName.MODE, "read-only")
    with pytest.raises(AdoError, match=r"ado\.read_only"):
        admit_command(order, world)
    assert run_canary(world) is None
    with world.database.read() as connection:
        assert jobs.load_jobs(connection, limit=9) == []
        switches_set = switches.load(connection)
    assert [one.value for one in switches_set] == ["read-only"]


def test_read_only_lets_nothing_be_written_and_everything_be_read(
    world: World, azure_devops: RunningAzureDevOps
) -> None:
    order = comment(world)
    ref = CommentRef.from_plain(order["comment"])
    repository = RepositoryRef.of_comment(ref)
    turn(world, SwitchName.MODE, "read-only")
    azure_devops.organisation.calls.clear()
    for write in (
        lambda: post_reply(
            world.ado, repository, ref.pull_request_id, ref.thread_id, "x", parent_id=1
        ),
        lambda: edit_comment(
            world.ado, repository, ref.pull_request_id, ref.thread_id, 1, content="x"
        ),
    ):
        with pytest.raises(AdoError) as caught:
            write()
        assert caught.value.code == "ado.read_only"
        assert caught.value.had_no_effect
    assert azure_devops.organisation.calls.operations == []
    world.check_ado()
    assert azure_devops.organisation.calls.operations == ["get connection data"]
