"""A backup is made, sealed and restored with the real programs; whatever is wrong is said."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import insert
from sqlalchemy.engine import make_url

from local.app_insights.running import run_in_thread
from local.app_insights.server import Faults
from local.postgres import PostgresCluster
from ops.__main__ import main
from shared.domain.states import JobStatus
from shared.store import jobs, variants
from shared.store.database import Database
from shared.store.tables import RATE_LIMITS
from tests.integration.store.rows import a_job, a_variant
from tests.local.functions_host.hosting import REPOSITORY

SCRIPT = REPOSITORY / "ops" / "backup.sh"


@dataclass(frozen=True)
class Keys:
    """A certificate and its private key."""

    certificate: Path
    key: Path


def make_keys(folder: Path) -> Keys:
    folder.mkdir(exist_ok=True)
    keys = Keys(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=backups", "-keyout", str(keys.key), "-out", str(keys.certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return keys


def back_up(
    url: str, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    target = make_url(url)
    login = {
        "PGHOST": str(target.host),
        "PGPORT": str(target.port),
        "PGUSER": str(target.username),
        "PGDATABASE": str(target.database),
        "PGPASSWORD": "a-password",
    }
    return subprocess.run(
        [SCRIPT, *map(str, arguments)],
        env={**os.environ, **login, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def fill(url: str) -> None:
    database = Database(url)
    database.upgrade()
    with database.transaction() as connection:
        for number in range(1, 4):
            job = a_job(number)
            jobs.insert_job(connection, job)
            variants.insert_variants(connection, [a_variant(1, job), a_variant(2, job)])
        now = datetime.now(UTC)
        taken = {"scope": 'it\'s "quoted" & ünïcode', "takings": [1, 2], "updated_at": now}
        connection.execute(insert(RATE_LIMITS).values(taken))
    database.dispose()


@dataclass(frozen=True)
class Made:
    """A backup, and what it was made of."""

    url: str
    keys: Keys
    folder: Path
    dump: Path
    said: str


@pytest.fixture(scope="module")
def made(postgres_cluster: PostgresCluster, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A backup; the tests copy it and leave it as it is."""
    folder = tmp_path_factory.mktemp("backup")
    keys = make_keys(folder / "keys")
    url = postgres_cluster.create_database()
    fill(url)
    store = folder / "store"
    store.mkdir()
    done = back_up(url, keys.certificate, store)
    assert done.returncode == 0, done.stderr
    yield Made(url, keys, store, Path(done.stdout.strip()), done.stdout + done.stderr)
    postgres_cluster.drop_database(url)


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Made:
    """The backup, to be spoilt."""
    folder = tmp_path / "store"
    shutil.copytree(made.folder, folder)
    return replace(made, folder=folder, dump=folder / made.dump.name)


Restore = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def restore(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Restore:
    """Restores into an empty database."""
    monkeypatch.setenv("RESTORE_DATABASE_URL", postgres_url)

    def run(made: Made, *words: str, keys: Keys | None = None) -> tuple[int, dict[str, Any]]:
        pair = keys or made.keys
        given = ("--key", str(pair.key), "--certificate", str(pair.certificate))
        code = main(["restore", str(made.dump), *given, "--json", *words])
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, report

    return run


def list_tables(url: str) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'code_agent' ORDER BY 1"
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute(query)]


def read_all(url: str) -> dict[str, Any]:
    rows = SQL("SELECT to_jsonb(t) FROM code_agent.{} t ORDER BY to_jsonb(t)::text")
    with psycopg.connect(url) as connection:
        return {
            name: connection.execute(rows.format(Identifier(name))).fetchall()
            for name in list_tables(url)
        }


def test_every_row_comes_back_and_nobody_else_may_see_it(
    made: Made, restore: Restore, postgres_url: str
) -> None:
    code, report = restore(made)
    assert (code, report["outcome"], report["open_jobs"]) == (0, "restored", 3)
    assert read_all(postgres_url) == read_all(made.url)
    assert report["rows"] == sum(len(rows) for rows in read_all(made.url).values())
    assert report["age_s"] > 0
    code, report = restore(made)
    assert code == 3
    assert "new database" in report["message"]


def test_the_backup_tells_no_secret_and_cannot_be_read_without_the_key(made: Made) -> None:
    assert "a-password" not in made.said
    files = sorted(path.name for path in made.folder.iterdir())
    stem = made.dump.name.removesuffix(".dump.cms")
    assert files == [f"{stem}.dump.cms", f"{stem}.manifest.json", f"{stem}.sha256"]
    for path in made.folder.iterdir():
        assert b"code_agent.jobs" not in path.read_bytes()
        assert a_job(1).intent.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    checked = subprocess.run(["sha256sum", "-c", f"{stem}.sha256"], cwd=made.folder, check=False)
    assert checked.returncode == 0


def test_a_dry_run_reads_the_whole_dump_and_changes_nothing(
    made: Made, restore: Restore, postgres_url: str
) -> None:
    code, report = restore(made, "--dry-run")
    assert (code, report["outcome"]) == (0, "planned")
    assert list_tables(postgres_url) == []


def cut_short(made: Made, _: Path) -> None:
    content = made.dump.read_bytes()
    made.dump.write_bytes(content[: len(content) // 2])


def change_a_byte(made: Made, _: Path) -> None:
    content = bytearray(made.dump.read_bytes())
    content[-40] ^= 1
    made.dump.write_bytes(bytes(content))
    sign_again(made)


def lose_the_checksums(made: Made, _: Path) -> None:
    made.dump.with_name(made.dump.name.replace(".dump.cms", ".sha256")).unlink()


def seal_a_dump_that_was_cut_short(made: Made, folder: Path) -> None:
    plain, keys = folder / "plain", made.keys
    cms = ["openssl", "cms", "-binary"]
    opened = [*cms, "-decrypt", "-inform", "DER", "-in", str(made.dump), "-out", str(plain)]
    subprocess.run([*opened, "-inkey", keys.key, "-recip", keys.certificate], check=True)
    content = plain.read_bytes()
    plain.write_bytes(content[: len(content) - 2000])
    sealed = [*cms, "-encrypt", "-outform", "DER", "-aes-256-gcm", "-in", str(plain)]
    subprocess.run([*sealed, "-out", str(made.dump), keys.certificate], check=True)
    sign_again(made)


def change_the_manifest(made: Made, _: Path) -> None:
    path = made.dump.with_name(made.dump.name.replace(".dump.cms", ".manifest.json"))
    plain = json.loads(path.read_text())
    path.write_text(json.dumps(plain | {"rows": plain["rows"] | {"jobs": 4}}))
    sign_again(made)


def sign_again(made: Made) -> None:
    stem = made.dump.name.removesuffix(".dump.cms")
    names = [f"{stem}.dump.cms", f"{stem}.manifest.json"]
    done = subprocess.run(["sha256sum", *names], cwd=made.folder, check=True, capture_output=True)
    (made.folder / f"{stem}.sha256").write_bytes(done.stdout)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut_short, "its checksum differs"),
        (change_a_byte, "does not open with this key"),
        (lose_the_checksums, "is missing"),
        (seal_a_dump_that_was_cut_short, "cannot be read to its end"),
        (change_the_manifest, "not those of the manifest"),
    ],
)
def test_a_spoilt_backup_is_refused(
    copied: Made, restore: Restore, tmp_path: Path, spoil: Callable[[Made, Path], None], says: str
) -> None:
    spoil(copied, tmp_path)
    code, report = restore(copied)
    assert code == 3
    assert says in report["message"]


def test_another_key_does_not_open_it(
    made: Made, restore: Restore, tmp_path: Path, postgres_url: str
) -> None:
    code, report = restore(made, keys=make_keys(tmp_path / "other"))
    assert code == 3
    assert "does not open" in report["message"]
    assert list_tables(postgres_url) == []


def test_a_key_that_is_encrypted_opens_with_its_passphrase_only(
    made: Made, restore: Restore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = replace(made.keys, key=tmp_path / "sealed.pem")
    subprocess.run(
        [
            *("openssl", "pkey", "-aes256", "-passout", "pass:of the test"),
            *("-in", str(made.keys.key), "-out", str(sealed.key)),
        ],
        check=True,
    )
    monkeypatch.setenv("RESTORE_KEY_PASSPHRASE", "another")
    code, report = restore(made, "--dry-run", keys=sealed)
    assert (code, "RESTORE_KEY_PASSPHRASE" in report["message"]) == (3, True)
    monkeypatch.setenv("RESTORE_KEY_PASSPHRASE", "of the test")
    assert restore(made, "--dry-run", keys=sealed)[0] == 0
    code, report = restore(made, keys=replace(sealed, key=tmp_path / "none.pem"))
    assert (code, "none.pem" in report["message"]) == (3, True)


def test_an_older_backup_is_brought_up_to_date(
    postgres_cluster: PostgresCluster, made: Made, restore: Restore, tmp_path: Path
) -> None:
    older = postgres_cluster.create_database(make_url(made.url).database or "")
    with psycopg.connect(older, autocommit=True) as connection:
        connection.execute("DROP TABLE code_agent.switches")
        connection.execute("UPDATE code_agent.alembic_version SET version_num = '0008'")
    done = back_up(older, made.keys.certificate, tmp_path)
    postgres_cluster.drop_database(older)
    assert done.returncode == 0, done.stderr
    code, report = restore(replace(made, dump=Path(done.stdout.strip())))
    assert (code, report["migrations"]) == (0, ["0009"])


def test_never_over_the_live_database_and_never_through_a_transaction_pooler(
    made: Made, restore: Restore, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("CODE_AGENT_DATABASE_URL", postgres_url)
    code, report = restore(made)
    assert code == 2
    assert "live" in report["message"]
    pooled = make_url(postgres_url).set(port=6543)
    monkeypatch.setenv("RESTORE_DATABASE_URL", pooled.render_as_string(hide_password=False))
    code, report = restore(made)
    assert code == 3
    assert "transaction mode" in report["message"]


def test_a_schema_that_an_administrator_has_made_is_filled(
    made: Made, restore: Restore, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA code_agent")
    assert restore(made)[0] == 0
    assert read_all(postgres_url) == read_all(made.url)


def test_a_backup_that_cannot_be_made_says_so_and_leaves_nothing(
    made: Made, postgres_url: str, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    certificate = made.keys.certificate
    attempts = [
        (back_up(postgres_url, certificate, store), 1, "does not exist"),
        (back_up(made.url, made.keys.key, store), 2, "no certificate"),
        (back_up(made.url, certificate, tmp_path / "nowhere"), 2, "no directory"),
        (back_up(made.url, certificate, "https://example.org/x"), 2, "DESTINATION"),
        (back_up(made.url, certificate), 2, "expected"),
        (back_up(made.url, certificate, store, PGPORT="1"), 1, "does not answer"),
    ]
    for done, code, says in attempts:
        assert (done.returncode, says in done.stderr) == (code, True), done.stderr
        assert "a-password" not in done.stderr
    assert list(store.iterdir()) == []


def test_a_transaction_pooler_is_refused_by_the_port_that_was_reached(
    made: Made, tmp_path: Path
) -> None:
    shim = tmp_path / "bin"
    shim.mkdir()
    (shim / "psql").write_text("#!/bin/sh\necho 6543\n")
    (shim / "psql").chmod(0o755)
    path = f"{shim}:{os.environ['PATH']}"
    done = back_up(made.url, made.keys.certificate, tmp_path, PATH=path)
    assert done.returncode == 2
    assert "transaction mode" in done.stderr


AZ = """#!/usr/bin/env python3
import json, pathlib, shutil, sys
words = sys.argv[1:]
given = dict(zip(words[3:], words[4:]))
store = pathlib.Path(__file__).parent.parent / given["--account-name"] / given["--container-name"]
blob = store / given["--name"]
assert given["--auth-mode"] == "login"
if words[:3] == ["storage", "blob", "upload"]:
    blob.parent.mkdir(parents=True, exist_ok=True)
    assert not blob.exists() and given["--overwrite"] == "false"
    shutil.copyfile(given["--file"], blob)
elif words[:3] == ["storage", "blob", "download"]:
    shutil.copyfile(blob, given["--file"])
else:
    print(blob.stat().st_size)
"""


def test_a_backup_travels_through_a_storage_account_and_is_told_of(
    made: Made, restore: Restore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`az` is a stand-in that takes the arguments of the real one and keeps blobs in a folder."""
    shim = tmp_path / "bin"
    shim.mkdir()
    (shim / "az").write_text(AZ)
    (shim / "az").chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim}:{os.environ['PATH']}")
    address = "https://backups.blob.core.windows.net/database/production"
    with run_in_thread() as insights:
        string = insights.connection_string
        done = back_up(
            made.url,
            made.keys.certificate,
            address,
            APPLICATIONINSIGHTS_CONNECTION_STRING=string,
            CODE_AGENT_DATA_DIR=str(tmp_path / "data"),
        )
        [told] = insights.rows("customEvents", "backup_completed")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith(f"{address}/code-agent-")
    measured = json.loads(json.dumps(told["customMeasurements"]))
    assert measured["jobs"] == 3
    assert measured["size_bytes"] > 1000
    code, report = restore(replace(made, dump=done.stdout.strip()))  # type: ignore[arg-type]  # an address is said as it is
    assert (code, report["outcome"]) == (0, "restored")


def test_a_backup_that_nobody_could_be_told_of_has_failed(made: Made, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    with run_in_thread() as insights:
        string = insights.connection_string
    told = {"APPLICATIONINSIGHTS_CONNECTION_STRING": string}
    done = back_up(made.url, made.keys.certificate, store, **told)
    assert done.returncode == 1
    assert "not delivered" in done.stderr
    assert len(list(store.iterdir())) == 3  # it is there all the same


def test_an_event_that_the_service_refuses_was_not_delivered(made: Made) -> None:
    manifest = made.dump.with_name(made.dump.name.replace(".dump.cms", ".manifest.json"))
    words = ("backup-sent", str(manifest), "--size-bytes", "1", "--took-s", "1")
    with run_in_thread() as insights:
        insights.faults = Faults(status=403)
        told = {"APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string}
        done = subprocess.run(
            [sys.executable, "-m", "ops", *words],
            cwd=REPOSITORY,
            env={**os.environ, **told},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, "not delivered" in done.stderr) == (1, True), done.stderr


def test_a_role_that_only_reads_can_dump_and_one_that_sees_no_rows_fails(
    made: Made, restore: Restore, tmp_path: Path
) -> None:
    """The statements are those of docs/recovery.md."""
    grants = re.findall(
        r"^    (GRANT|ALTER)(.*);$", (REPOSITORY / "docs/recovery.md").read_text(), re.MULTILINE
    )
    assert len(grants) >= 4
    with psycopg.connect(made.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE backup LOGIN")
        for word, rest in grants:
            statement = f"{word}{rest}".replace('"{the app}"', "postgres")
            if "BYPASSRLS" not in statement:
                connection.execute(statement.encode())
        blind = back_up(made.url, made.keys.certificate, tmp_path, PGUSER="backup")
        connection.execute("ALTER ROLE backup BYPASSRLS")
        reading = back_up(made.url, made.keys.certificate, tmp_path, PGUSER="backup")
        connection.execute("DROP OWNED BY backup")
        connection.execute("DROP ROLE backup")
    assert blind.returncode == 1
    assert "row-level security" in blind.stderr
    assert reading.returncode == 0, reading.stderr
    assert restore(replace(made, dump=Path(reading.stdout.strip())))[0] == 0


def test_the_states_that_count_as_at_work_are_those_of_the_domain() -> None:
    query = (REPOSITORY / "ops" / "queries" / "backup_manifest.sql").read_text()
    at_work = ", ".join(repr(str(one)) for one in JobStatus if not one.is_final)
    assert f"status IN ({at_work})" in query
