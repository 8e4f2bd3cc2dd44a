"""How far a server has archived its log, as the heartbeat tells it."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local import postgres
from local.postgres import PostgresCluster
from shared.doctor.own import check_database
from shared.domain.clock import read_utc_clock
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store.archiving import find_restore_point_age_s
from shared.store.database import Database
from tests.local.functions_host.hosting import wait_until


def read_age(url: str) -> float | None:
    database = Database(url)
    try:
        with database.read() as connection:
            return find_restore_point_age_s(connection)
    finally:
        database.dispose()


@pytest.fixture(scope="module")
def archiving() -> Iterator[PostgresCluster]:
    if not postgres.PROGRAMS:
        pytest.skip(postgres.MISSING)
    cluster = PostgresCluster("archive_mode=on", "archive_command=true")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def test_a_server_that_archives_says_how_long_ago(archiving: PostgresCluster) -> None:
    url = archiving.build_url("postgres")

    def count() -> int:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT archived_count FROM pg_stat_archiver").fetchone()
        return int(row[0]) if row else 0

    before = read_age(url)
    assert before is not None  # nothing yet: since its counters began
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE written (n int)")
        connection.execute("SELECT pg_switch_wal()")
    wait_until(lambda: count() > 0)
    with psycopg.connect(url) as connection:
        told = connection.execute("SELECT now() - last_archived_time FROM pg_stat_archiver")
        row = told.fetchone()
    age = read_age(url)
    assert row is not None
    assert age is not None
    assert row[0].total_seconds() <= age < before + 60
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": "http://127.0.0.1:9/contoso",
        "CODE_AGENT_DATABASE_URL": url,
    }
    told_by_doctor = check_database(World(read_settings(settings), read_utc_clock))
    assert re.search(r"; its log was archived \d+ s ago$", told_by_doctor)


def test_one_that_archives_nothing_says_nothing(postgres_url: str, tmp_path: Path) -> None:
    assert read_age(postgres_url) is None
    assert read_age(f"sqlite:///{tmp_path / 'records.db'}") is None
