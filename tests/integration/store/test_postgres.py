"""What is Postgres' own: who may read, how it is connected to, what a pooler must stand."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from local.postgres import PostgresCluster
from shared.domain.errors import StoreError, Verdict
from shared.settings.database import DatabaseSettings
from shared.store import jobs, postgres
from shared.store.database import Database
from shared.store.tables import METADATA
from tests.integration.store.rows import NOW, a_job

SETTINGS = DatabaseSettings()


@pytest.fixture
def rest_roles(postgres_cluster: PostgresCluster) -> Iterator[tuple[str, ...]]:
    """The roles of Supabase's REST side, which are there before the app comes."""
    roles = ("anon", "authenticated", "service_role")
    for role in roles:
        postgres_cluster.execute(f"CREATE ROLE {role} LOGIN")
    yield roles
    for role in roles:
        postgres_cluster.execute(f"DROP ROLE {role}")


def test_nobody_but_its_owner_reads_a_record(
    rest_roles: tuple[str, ...], postgres_cluster: PostgresCluster
) -> None:
    url = postgres_cluster.create_database()
    database = Database(url)
    database.upgrade()
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
    name = url.rpartition("/")[2]
    for role in rest_roles:
        with (
            psycopg.connect(postgres_cluster.build_url(name, role)) as connection_,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection_.execute("SELECT * FROM code_agent.jobs")
    # and if somebody grants what they should not, there are still no rows
    with psycopg.connect(url) as owner:
        owner.execute("GRANT USAGE ON SCHEMA code_agent TO anon")
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA code_agent TO anon")
    with psycopg.connect(postgres_cluster.build_url(name, "anon")) as reader:
        for table in (*METADATA.tables, "job_summary", "alembic_version"):
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier("code_agent", table))
            rows = reader.execute(query).fetchall()
            assert rows == [], table
    database.dispose()
    postgres_cluster.drop_database(url)


def test_every_table_has_row_level_security_and_no_policy(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.upgrade()
    with database.read() as connection:
        unprotected = connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'code_agent'::regnamespace"
                " AND relkind = 'r' AND NOT relrowsecurity"
            )
        ).all()
        policies = connection.execute(text("SELECT * FROM pg_policies")).all()
        elsewhere = connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        ).all()
    database.dispose()
    assert (unprotected, policies, elsewhere) == ([], [], [])


def test_a_role_that_owns_its_schema_alone_can_migrate(postgres_cluster: PostgresCluster) -> None:
    url = postgres_cluster.create_database()
    name = url.rpartition("/")[2]
    postgres_cluster.execute("CREATE ROLE code_agent_app LOGIN")
    with psycopg.connect(url) as owner:
        owner.execute("CREATE SCHEMA code_agent AUTHORIZATION code_agent_app")
    database = Database(postgres_cluster.build_url(name, "code_agent_app"))
    database.upgrade()
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
    database.dispose()
    postgres_cluster.drop_database(url)
    postgres_cluster.execute("DROP ROLE code_agent_app")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_an_address_is_taken_as_supabase_shows_it(postgres_url: str, scheme: str) -> None:
    database = Database(scheme + postgres_url.removeprefix("postgresql"))
    database.check()
    database.dispose()


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("postgres://u:p@db.example.com/x", "require"),
        ("postgres://u:p@db.example.com/x?sslmode=verify-full", "verify-full"),
        ("postgres://u:p@127.0.0.1/x?host=db.example.com", "require"),
        ("postgres://u:p@/x?host=127.0.0.1,db.example.com", "require"),
        ("postgres://u:p@127.0.0.1/x", None),
        ("postgres://u:p@localhost:5433/x", None),
        ("postgres://u:p@[::1]/x", None),
        ("postgres:///x?host=/var/run/postgresql", None),
    ],
)
def test_a_server_elsewhere_is_spoken_to_over_tls_only(address: str, mode: str | None) -> None:
    assert postgres.normalise_url(make_url(address)).query.get("sslmode") == mode


def test_a_token_goes_to_the_server_itself_alone() -> None:
    query = postgres.normalise_url(
        make_url("postgres://app@db.example.com/x"), checks_server=True
    ).query
    assert query["sslmode"] == "verify-full"
    assert str(query["sslrootcert"]).endswith(".pem")
    own = make_url("postgres://app@db.example.com/x?sslmode=verify-full&sslrootcert=/ca.crt")
    assert postgres.normalise_url(own, checks_server=True).query["sslrootcert"] == "/ca.crt"
    here = make_url("postgres://app@127.0.0.1/x")
    assert "sslmode" not in postgres.normalise_url(here, checks_server=True).query


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_an_address_without_tls_is_refused_without_being_named(mode: str) -> None:
    with pytest.raises(StoreError, match=r"store\.insecure") as caught:
        Database(f"postgres://u:hunter2@db.example.com/x?sslmode={mode}")
    assert caught.value.verdict is Verdict.BUG
    assert "hunter2" not in str(caught.value)


def test_a_server_that_will_not_speak_tls_is_not_spoken_to(postgres_url: str) -> None:
    database = Database(f"{postgres_url}?sslmode=require")
    with pytest.raises(StoreError, match=r"store\.unavailable"):
        database.check()
    database.dispose()


def show(database: Database, name: str) -> str:
    with database.read() as connection:
        return str(connection.execute(text(f"SHOW {name}")).scalar())


def test_every_transaction_has_its_limits_and_the_session_keeps_none(postgres_url: str) -> None:
    settings = DatabaseSettings(
        pool_size=1, statement_timeout_s=7, lock_timeout_s=3, idle_timeout_s=9
    )
    database = Database(postgres_url, settings)
    assert show(database, "statement_timeout") == "7s"
    assert show(database, "lock_timeout") == "3s"
    assert show(database, "idle_in_transaction_session_timeout") == "9s"
    assert show(database, "search_path") == "code_agent"
    assert show(database, "application_name") == "code-agent"
    # behind a pooler, the next transaction of the session may be another client's
    session = database._engine.raw_connection()
    cursor = session.cursor()
    cursor.execute("SELECT current_setting('search_path'), current_setting('statement_timeout')")
    assert cursor.fetchall() == [('"$user", public', "0")]
    cursor.execute("SELECT count(*) FROM pg_prepared_statements")
    assert cursor.fetchall() == [(0,)]
    session.close()
    database.dispose()


def test_whoever_reads_cannot_write(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.upgrade()
    with (
        pytest.raises(StoreError, match=r"store\.unavailable|store\.refused"),
        database.read() as c,
    ):
        jobs.insert_job(c, a_job())
    database.dispose()


def run_into(database: Database, statement: str) -> StoreError:
    with pytest.raises(StoreError) as caught, database.transaction() as connection:
        connection.execute(text(statement))
    return caught.value


def test_a_statement_that_takes_too_long_is_a_reason_to_try_again(postgres_url: str) -> None:
    database = Database(postgres_url, replace(SETTINGS, statement_timeout_s=0.1))
    error = run_into(database, "SELECT pg_sleep(30)")
    assert (error.code, error.verdict) == ("store.unavailable", Verdict.RETRY)
    assert error.facts["sqlstate"] == "57014"
    database.dispose()


def test_a_row_that_somebody_holds_is_a_reason_to_try_again(postgres_url: str) -> None:
    database = Database(postgres_url, replace(SETTINGS, lock_timeout_s=0.1))
    database.upgrade()
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
    with psycopg.connect(postgres_url) as holder:
        holder.execute("SELECT * FROM code_agent.jobs FOR UPDATE")
        error = run_into(database, "UPDATE jobs SET intent = 'x'")
    assert (error.code, error.facts["sqlstate"]) == ("store.unavailable", "55P03")
    database.dispose()


def test_a_pool_that_is_used_up_is_a_reason_to_try_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_POOL_WAIT_S", 0.1)
    database = Database(postgres_url, replace(SETTINGS, pool_size=1))
    with database.read() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(StoreError, match=r"store\.unavailable"):
            database.check()
    database.check()
    database.dispose()


def test_an_error_tells_no_value(database: Database) -> None:
    job = a_job(intent="planted-value-in-the-intent", id="x" * 40)
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
    with pytest.raises(StoreError) as caught, database.transaction() as connection:
        connection.execute(METADATA.tables["jobs"].insert().values(jobs._to_row(job)))
    told = caught.value
    assert (told.code, told.verdict) == ("store.conflict", Verdict.RETRY)
    assert told.__suppress_context__
    assert "planted" not in f"{told} {told.facts}"
    assert told.facts["kind"] in {"IntegrityError", "UniqueViolation"}


def test_a_connection_that_died_while_idle_is_replaced(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.check()
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'code-agent' AND datname = current_database()"
        )
    database.check()
    database.dispose()


def test_a_server_that_refuses_once_is_asked_once_more(postgres_url: str) -> None:
    """A failover: the first connection is closed at once, the second finds the new server."""
    target = make_url(postgres_url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        served = threading.Thread(target=close_first_then_relay, args=(listener, target.port))
        served.start()
        database = Database(
            target.set(port=port)
            .update_query_dict({"sslmode": "disable"})
            .render_as_string(hide_password=False)
        )
        database.check()
        database.dispose()
        served.join()


def close_first_then_relay(listener: socket.socket, port: int | None) -> None:
    listener.accept()[0].close()
    client = listener.accept()[0]
    server = socket.create_connection(("127.0.0.1", port or 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    back: Any = threading.Thread(target=pump, args=(server, client))
    back.start()
    pump(client, server)
    back.join()
    client.close()
    server.close()


def test_what_a_step_writes_says_when(database: Database) -> None:
    with database.transaction() as connection:
        jobs.insert_job(connection, a_job())
        later = a_job(9).created_at
        jobs.update_job(connection, a_job().id, at=later, error_code="x")
        job = jobs.load_job(connection, a_job().id)
    assert job is not None
    assert (job.updated_at, job.created_at) == (later, a_job().created_at)
    assert later > NOW
