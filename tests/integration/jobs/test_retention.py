import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Integer, LargeBinary, Table, func, insert, select
from sqlalchemy.types import TypeEngine

from shared.domain.comment_ref import CommentRef
from shared.jobs import retention
from shared.jobs.retention import apply_retention
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import tables
from shared.store.tables import METADATA, UtcDateTime

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ID = "11111111-1111-1111-1111-111111111111"
DAY = timedelta(days=1)
SOON = timedelta(seconds=1)


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'r.db'}" if is_sqlite else request.getfixturevalue("postgres_url")
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
            "CODE_AGENT_DATABASE_URL": url,
        }
    )
    world = World(settings, lambda: NOW)
    yield world
    world.database.dispose()


def put(world: World, table: Table, **row: Any) -> None:
    """Insert a row; what a test does not care about has a value of its type."""
    with world.database.transaction() as connection:
        blank = {
            column.name: blank_of(column.type)
            for column in table.columns
            if not column.nullable and column.name != "id" and column.server_default is None
        }
        connection.execute(insert(table).values(blank | row))


def blank_of(kind: TypeEngine[Any]) -> Any:
    match kind:
        case UtcDateTime():
            return NOW
        case Integer():
            return 1
        case JSON():
            return {}
        case LargeBinary():
            return b""
        case _:
            return ""


def put_job(world: World, number: int, **row: Any) -> str:
    ref = CommentRef("contoso", ID, ID, 7, 5, number + 1)
    put(
        world,
        tables.JOBS,
        **{"id": ref.instance_id, "status": "success", **ref.to_plain(), "updated_at": NOW, **row},
    )
    put(world, tables.VARIANTS, job_id=ref.instance_id, number=1, status="success")
    put(world, tables.EFFECTS, job_id=ref.instance_id, key="push/v1", begun_at=row["created_at"])
    return ref.instance_id


def count(world: World) -> dict[str, int]:
    with world.database.read() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in METADATA.tables.items()
        }


def test_each_record_goes_when_its_time_is_over_and_not_before(world: World) -> None:
    def put_around(table: Table, column: str, days: int, **row: Any) -> None:
        for number, at in enumerate((NOW - days * DAY - SOON, NOW - days * DAY)):
            keys = {name: f"{number}" * 3 for name in ("digest", "key", "scope") if name in table.c}
            put(world, table, **{column: at, **keys, **row})

    for number, at in ((1, NOW - 30 * DAY - SOON), (2, NOW - 30 * DAY)):
        put_job(world, number, created_at=at)
    put_around(tables.USAGE, "at", 400, purpose="draft")
    put_around(tables.AUDIT_LOGS, "at", 730)
    put_around(tables.SECURITY_EVENTS, "at", 365, kind="permission_denied")
    put_around(tables.RATE_LIMITS, "updated_at", 2)
    put_around(tables.EFFECTS, "begun_at", 30, job_id="of-an-answer")
    for table in (tables.ARTIFACTS, tables.RESULT_CACHE):
        key = next(iter(table.primary_key)).name
        put(world, table, **{key: "a", "expires_at": NOW})
        put(world, table, **{key: "b", "expires_at": NOW + SOON})
    deleted = apply_retention(world)
    assert deleted == dict.fromkeys(deleted, 1) | {"effects": 2}
    kept = {"effects": 2, "switches": 0, "turns": 0}
    assert count(world) == dict.fromkeys(METADATA.tables, 1) | kept


def test_what_still_runs_stays_until_nothing_has_happened_to_it_for_as_long(world: World) -> None:
    old = NOW - 31 * DAY
    running = put_job(world, 1, status="running", created_at=old, updated_at=NOW - DAY)
    put_job(world, 2, status="queued", created_at=old, updated_at=old)
    apply_retention(world)
    with world.database.read() as connection:
        assert connection.execute(select(tables.JOBS.c.id)).scalars().all() == [running]
        left = connection.execute(select(tables.EFFECTS.c.job_id)).scalars().all()
    assert left == [running]


def test_it_goes_on_batch_by_batch_and_says_how_many(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        put_job(world, number, created_at=NOW - 31 * DAY)
    caplog.set_level(logging.INFO, logger="code_agent")
    assert apply_retention(world)["jobs"] == 5
    event = vars(next(one for one in caplog.records if one.msg == "retention_completed"))
    measured = json.loads(event["microsoft.custom_measurements"])
    assert (measured["jobs"], measured["effects"], event["complete"]) == (5, 5, "True")


def test_a_night_that_is_too_short_is_said_and_the_next_one_goes_on(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "MOST_TIME", timedelta(0))
    for number in range(2):
        put_job(world, number, created_at=NOW - 31 * DAY)
    caplog.set_level(logging.INFO, logger="code_agent")
    deleted = apply_retention(world)
    assert (deleted["jobs"], deleted["effects"]) == (1, 0)
    assert vars(caplog.records[-1])["complete"] == "False"
    monkeypatch.setattr(retention, "MOST_TIME", timedelta(minutes=1))
    assert apply_retention(world)["jobs"] == 1
