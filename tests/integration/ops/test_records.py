import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from ops.__main__ import main
from shared.domain.clarification import Clarification, ClarifyingQuestion, ClarifyingRound
from shared.domain.comment_ref import CommentRef
from shared.domain.job import Job, Variant
from shared.domain.limits import Limit
from shared.domain.model_use import UsagePurpose
from shared.domain.security_event import SecurityEventKind
from shared.domain.states import JobStatus, VariantStatus
from shared.store import audit, effects, jobs, rate_limits, security_events, usage, variants
from shared.store.audit import AuditAction
from shared.store.database import Database
from shared.store.security_events import SecurityEvent
from shared.store.tables import METADATA
from shared.store.usage import UsageEntry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GUID = "11111111-1111-1111-1111-111111111111"
JAMAL, OTHER = seed.JAMAL.id.lower(), "22222222-2222-2222-2222-222222222222"
WORDS = "planted words of the author"


@pytest.fixture(params=["sqlite", "postgres"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'r.db'}" if is_sqlite else request.getfixturevalue("postgres_url")
    monkeypatch.setenv("CODE_AGENT_DATABASE_URL", url)
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "https://dev.azure.com/contoso")
    database = Database(url)
    database.upgrade()
    for number, actor_id in enumerate((JAMAL, OTHER), 1):
        fill(database, number, actor_id)
    yield database
    database.dispose()


def fill(database: Database, number: int, actor_id: str) -> None:
    """Leave one job's traces in every table."""
    ref = CommentRef("contoso", GUID, GUID, 7, 5, number)
    question = ClarifyingQuestion("Where?", ("a.css",), likeliest=1)
    job = Job(
        id=ref.instance_id,
        comment=ref,
        status=JobStatus.SUCCESS,
        intent=WORDS,
        requested_variants=1,
        actor_id=actor_id,
        correlation_id="c",
        project_name="P",
        repository_name="r",
        pull_request_title="t",
        source_ref="refs/heads/x",
        base_commit="a" * 40,
        created_at=NOW,
        updated_at=NOW,
        clarification=Clarification((ClarifyingRound(question, 3, answer=WORDS),)),
    )
    with database.transaction() as connection:
        jobs.insert_job(connection, job)
        variants.insert_variants(
            connection, [Variant(job.id, 1, VariantStatus.SUCCESS, "b", "s", NOW, note=WORDS)]
        )
        effects.begin(connection, job.id, "push/v1", at=NOW)
        action = AuditAction.JOB_ADMITTED
        audit.record(
            connection, job_id=job.id, actor_id=actor_id, action=action, at=NOW, facts={"n": 1}
        )
        usage.record(
            connection,
            UsageEntry(
                job_id=job.id,
                number=1,
                organisation="contoso",
                actor_id=actor_id,
                purpose=UsagePurpose.DRAFT,
                provider="stub",
                model="m",
                tokens_in=1,
                tokens_cached=0,
                tokens_cache_written=0,
                tokens_out=1,
                cost_micro_usd=None,
                duration_ms=1,
                round=1,
                at=NOW,
            ),
        )
        security_events.record(
            connection,
            SecurityEvent(
                at=NOW,
                kind=SecurityEventKind.PERMISSION_DENIED,
                organisation="contoso",
                job_id=job.id,
                actor_id=actor_id,
                facts={},
            ),
        )
        limit = Limit("user_jobs", f"user/contoso/{actor_id}", 9, timedelta(days=1))
        rate_limits.take(connection, [(limit, 1)], key=job.id, at=NOW)


def read_all(database: Database) -> dict[str, list[Any]]:
    with database.read() as connection:
        return {
            name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for name, table in METADATA.tables.items()
        }


def test_an_export_holds_everything_about_one_person_and_nothing_about_others(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["records", "export", "--actor", JAMAL.upper()]) == 0
    told = capsys.readouterr().out
    exported = json.loads(told)
    kept = {name for name, rows in read_all(database).items() if rows}
    assert {name for name, rows in exported.items() if isinstance(rows, list)} == kept
    assert all(len(exported[name]) == 1 for name in kept)
    assert exported["jobs"][0]["intent"] == WORDS
    assert exported["actor"] == JAMAL
    assert OTHER not in told


@pytest.mark.usefixtures("database")
def test_a_name_is_looked_up_in_azure_devops(
    azure_devops: RunningAzureDevOps,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", azure_devops.organisation_url)
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", seed.ADMINISTRATOR.pat)
    assert main(["records", "export", "--actor-name", seed.JAMAL.address]) == 0
    assert json.loads(capsys.readouterr().out)["actor"] == JAMAL
    assert main(["records", "export", "--actor-name", "nobody@example.com"]) == 3
    assert "0 people" in capsys.readouterr().err


def test_a_dry_run_counts_and_changes_nothing(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_all(database)
    assert main(["records", "erase", "--actor", JAMAL, "--dry-run", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["outcome"] == "planned"
    assert answer["rows"] == dict.fromkeys(answer["rows"], 1)
    assert read_all(database) == before


def test_erasing_leaves_no_word_and_no_id_and_every_trail(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_all(database)
    assert main(["records", "erase", "--actor", JAMAL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "done"
    after = read_all(database)
    assert JAMAL not in str(after)
    assert str(after).count(WORDS) == 3  # the other person's intent, answer and note
    pseudonyms = {
        row["actor_id"]
        for name in ("jobs", "usage", "audit_logs", "security_events")
        for row in after[name]
    } - {OTHER}
    assert len(pseudonyms) == 1  # still one person's, who is nobody
    assert len(after["audit_logs"]) == len(before["audit_logs"]) + 1
    assert after["audit_logs"][-1]["action"] == "records_erased"
    for name in ("jobs", "variants", "effects", "usage", "security_events"):
        assert len(after[name]) == len(before[name])
    assert len(after["rate_limits"]) == 1
    assert main(["records", "erase", "--actor", JAMAL]) == 0
    assert read_all(database) == after


def test_whoever_has_a_job_at_work_is_not_erased(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = CommentRef("contoso", GUID, GUID, 7, 5, 1).instance_id
    with database.transaction() as connection:
        jobs.update_job(connection, job_id, at=NOW, status="running")
    before = read_all(database)
    assert main(["records", "erase", "--actor", JAMAL]) == 3
    assert job_id in capsys.readouterr().err
    assert read_all(database) == before


def test_reports_name_indexes_and_tables_on_postgres_only(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["records", "indexes", "--json"])
    told = capsys.readouterr()
    if not database.is_postgres:
        assert code == 3
        assert "Postgres only" in told.err
        return
    report = json.loads(told.out)
    assert {row["table_name"] for row in report["table_scans"]} >= set(METADATA.tables)
    verdicts = {row["index_name"]: row["verdict"] for row in report["indexes"]}
    assert verdicts["pk_jobs"] == "keeps rows unique"
    assert verdicts["ix_usage_at"] == "never used"
    assert main(["records", "indexes"]) == 0
    assert "ix_usage_at" in capsys.readouterr().out


def test_slow_queries_need_their_extension_and_show_no_value(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["records", "slow-queries", "--min-ms", "0", "--limit", "500", "--json"]
    assert main(command) == 3
    if not database.is_postgres:
        assert "Postgres only" in capsys.readouterr().err
        return
    assert "CREATE EXTENSION" in capsys.readouterr().err
    with psycopg.connect(os.environ["CODE_AGENT_DATABASE_URL"]) as owner:
        owner.execute("CREATE SCHEMA extensions")
        owner.execute("CREATE EXTENSION pg_stat_statements SCHEMA extensions")
        owner.execute("SELECT 'planted' AS seen_in_the_report")
    assert main(command) == 0
    told = capsys.readouterr().out
    queries = [row["query"] for row in json.loads(told)["slow_queries"]]
    assert any("seen_in_the_report" in query for query in queries)
    assert "planted" not in told


def test_a_database_that_is_away_is_said_without_its_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODE_AGENT_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:9/x")
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "https://dev.azure.com/contoso")
    assert main(["records", "export", "--actor", JAMAL]) == 1
    told = capsys.readouterr()
    assert "store.unavailable" in told.err
    assert "hunter2" not in told.out + told.err


def test_wrong_settings_and_wrong_usage_are_told_apart_from_failures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AZURE_DEVOPS_ORGANISATION_URL", raising=False)
    assert main(["records", "indexes"]) == 2
    with pytest.raises(SystemExit, match="2"):
        main(["records", "erase"])
    assert "--actor" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["records", "--help"])


def test_migrations_are_printed_without_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AZURE_DEVOPS_ORGANISATION_URL", raising=False)
    assert main(["records", "migration-sql", "--behind", "0005"]) == 0
    assert "CREATE INDEX CONCURRENTLY" in capsys.readouterr().out


def test_the_pipeline_migrates_before_the_code_and_may_do_so_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODE_AGENT_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "https://dev.azure.com/contoso")
    told = []
    for more in (["--dry-run"], [], []):
        assert main(["records", "migrate", "--json", *more]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert [one["outcome"] for one in told] == ["planned", "done", "done"]
    assert told[0]["migrations"] == told[1]["migrations"] != "none"
    assert told[0]["migrations"].startswith("0001")
    assert told[2]["migrations"] == "none"
