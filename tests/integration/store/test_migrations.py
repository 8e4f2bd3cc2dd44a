"""Every step of the migrations, on databases with something in them, and by several at once."""

import io
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from local import postgres as server
from shared.domain.errors import StoreError
from shared.settings.database import DatabaseSettings
from shared.store import jobs, postgres, upgrading, variants
from shared.store.database import Database
from shared.store.login import Login
from shared.store.tables import METADATA
from tests.integration.store.rows import a_job, a_variant
from tests.local.functions_host.hosting import wait_until

STEPS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
OLD_JOB = {
    **a_job().comment.to_plain(),
    **{
        name: getattr(a_job(), name)
        for name in (
            *("id", "intent", "requested_variants", "actor_id", "correlation_id", "project_name"),
            *("repository_name", "pull_request_title", "source_ref", "base_commit"),
            *("created_at", "updated_at", "cancel_requested"),
        )
    },
    "status": "queued",
}
OLD_VARIANT = {
    name: getattr(a_variant(1), name)
    for name in ("job_id", "number", "status", "branch", "strategy", "updated_at")
}


def insert_plain(engine: Engine, table: str, row: dict[str, Any]) -> None:
    """Insert a row by the columns that there were, not by those that the app knows now."""
    columns = METADATA.tables[table].columns
    typed = {
        name: columns[name].type.bind_processor(engine.dialect)(value)  # type: ignore[misc]  # None or callable
        if columns[name].type.bind_processor(engine.dialect)
        else value
        for name, value in row.items()
    }
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(f":{name}" for name in row)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), typed)  # noqa: S608 - names of columns


@contextmanager
def open_for_migration(url: str) -> Iterator[tuple[Engine, Callable[[str], None]]]:
    """Open a database as for migrating; gives the engine, and what goes to a step."""
    login = Login(url)
    if postgres.is_postgres(login.url):
        engine = postgres.open_migration_engine(login, DatabaseSettings())
        yield engine, lambda step: upgrading.upgrade_postgres(engine, step)
    else:
        database = Database(url)
        engine = database._engine
        yield engine, lambda step: upgrading.upgrade_sqlite(engine, step)
    engine.dispose()


def test_the_migrations_lead_to_the_tables(database: Database) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_upgrading_again_changes_nothing(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
    database.upgrade()
    with database.read() as connection:
        assert jobs.load_job(connection, a_job().id) == a_job()


def test_what_is_there_stays_at_every_step(url: str) -> None:
    with open_for_migration(url) as (engine, go_to):
        go_to(STEPS[0])
        insert_plain(engine, "jobs", OLD_JOB)
        insert_plain(engine, "variants", OLD_VARIANT)
        for step in STEPS[1:]:
            go_to(step)
            with engine.connect() as connection:
                assert MigrationContext.configure(connection).get_current_revision() == step
                rows = (
                    "SELECT j.id, number, llm_provider FROM jobs j JOIN variants ON job_id = j.id"
                )
                found = connection.execute(text(rows)).all()
                # the guide's backfill of llm_provider would say what nobody knows
                assert found == [(a_job().id, 1, None)]
    database = Database(url)
    database.upgrade()
    with database.read() as connection:
        # a job from then has asked nothing, a variant has used no model
        assert jobs.load_job(connection, a_job().id) == a_job()
        assert variants.load_variants(connection, a_job().id) == [a_variant(1)]
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    database.dispose()


def test_the_steps_of_the_test_are_all_there_are() -> None:
    folder = Path(upgrading.__file__).parent / "migrations" / "versions"
    assert tuple(sorted(path.name[1:5] for path in folder.glob("m*.py"))) == STEPS


def test_a_table_that_somebody_holds_is_left_alone_and_asked_for_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "MIGRATION_LOCK_TIMEOUT_S", 0.1)
    with open_for_migration(postgres_url) as (engine, go_to):
        go_to("0001")
        database = Database(postgres_url)
        with psycopg.connect(postgres_url) as holder:
            holder.execute("LOCK TABLE code_agent.jobs")
            with pytest.raises(StoreError, match=r"store\.unavailable"):
                database.upgrade()
        with engine.connect() as connection:
            assert MigrationContext.configure(connection).get_current_revision() == "0001"
        database.upgrade()
        database.check()
        database.dispose()


def test_who_waits_for_the_others_migration_keeps_no_transaction_open(postgres_url: str) -> None:
    """Building an index waits for the end of every transaction that it has met with a snapshot."""
    begun_at = """SELECT xact_start FROM pg_stat_activity
        WHERE datname = current_database() AND NOT pid = ANY(%s)
        AND backend_type = 'client backend'"""
    database = Database(postgres_url)
    with (
        psycopg.connect(postgres_url) as holder,
        psycopg.connect(postgres_url, autocommit=True) as looking,
        ThreadPoolExecutor() as threads,
    ):
        holder.execute(f"SELECT pg_advisory_xact_lock({postgres.MIGRATION_LOCK})")
        own = [holder.info.backend_pid, looking.info.backend_pid]

        def look() -> list[Any]:
            return [at for (at,) in looking.execute(begun_at, (own,))]

        upgrade = threads.submit(database.upgrade)
        wait_until(lambda: len(look()) == 2)  # one has looked at the tables, one waits
        before = look()
        assert not wait([upgrade], 0.3).done
        assert {*before} & {*look()} <= {None}
        holder.rollback()
        upgrade.result(20)
    database.dispose()


def test_an_index_whose_building_broke_off_is_built_anew(postgres_url: str) -> None:
    with open_for_migration(postgres_url) as (engine, go_to):
        go_to("0005")
        with engine.begin() as connection:
            connection.execute(text("CREATE INDEX ix_usage_at ON usage (at)"))
            connection.execute(
                text(
                    "UPDATE pg_index SET indisvalid = false"
                    " WHERE indexrelid = 'code_agent.ix_usage_at'::regclass"
                )
            )
        go_to("0006")
        with engine.connect() as connection:
            invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
            assert connection.execute(text(invalid)).scalar() == 0


def test_the_script_for_psql_leads_to_the_same_tables(postgres_url: str, tmp_path: Path) -> None:
    script = tmp_path / "migrations.sql"
    with script.open("w") as file, redirect_stdout(file):
        upgrading.print_sql()
    psql = server.PROGRAMS[-1].with_name("psql")
    subprocess.run([psql, "-X", "-q", "-o", "/dev/null", postgres_url, "-f", script], check=True)
    database = Database(postgres_url)
    with database.read() as connection:
        assert upgrading.is_latest(connection)
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert inspect(connection).get_view_names("code_agent") == ["job_summary"]
    database.dispose()


def test_a_script_can_begin_behind_a_step() -> None:
    with redirect_stdout(io.StringIO()) as printed:
        upgrading.print_sql("0005:0006")
    assert "CREATE INDEX CONCURRENTLY ix_usage_at" in printed.getvalue()
    assert "CREATE TABLE jobs" not in printed.getvalue()
    assert "lock_timeout" in printed.getvalue()
