"""The code of the previous release works on the tables of this one: they are there before the code.

While a deployment moves from one side to the other, both use one database, and a rollback goes back
to the code, never to the tables. Which commit is meant stands in tests/histories/releases.toml.
"""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import text

from ops.__main__ import main
from shared.store import jobs
from shared.store.database import Database
from shared.store.upgrading import list_missing
from tests.histories.record import read_releases
from tests.integration.store.rows import a_job
from tests.local.functions_host.hosting import REPOSITORY

WORK = """
import os
from tests.integration.store.rows import NOW, a_job, a_variant
from shared.domain.states import JobStatus
from shared.store import artifacts, jobs, variants
from shared.store.database import Database

database = Database(os.environ["CODE_AGENT_DATABASE_URL"])
database.upgrade()  # as the app does when it first opens it
with database.transaction() as connection:
    jobs.insert_job(connection, a_job())
    variants.insert_variants(connection, [a_variant(1), a_variant(2)])
    artifacts.put(
        connection, b"{}", media_type="application/json", at=NOW, expires_at=NOW.replace(year=2027)
    )
with database.read() as connection:
    job = jobs.load_job(connection, a_job().id)
    assert job is not None and job.status is JobStatus.QUEUED, job
    assert [one.number for one in variants.load_variants(connection, job.id)] == [1, 2]
with database.transaction() as connection:
    jobs.request_cancel(connection, [job.id], at=NOW)
with database.read() as connection:
    assert jobs.load_job(connection, job.id).cancel_requested
database.dispose()
print("works")
"""
"""What every job does with the store, in the words that the previous release knows."""


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The previous release's own code, and its own rows for tests."""
    commit = read_releases()["previous_release"]
    packed = subprocess.run(
        ["git", "-C", str(REPOSITORY), "archive", commit, "shared", "tests/integration/store"],
        capture_output=True,
        check=False,
    )
    if packed.returncode != 0:
        pytest.skip(f"commit {commit} is not in this clone: fetch the whole history")
    folder = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def test_the_previous_release_runs_on_the_tables_of_today(
    previous: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE_AGENT_DATABASE_URL", url)
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "https://dev.azure.com/contoso")
    assert main(["records", "migrate"]) == 0
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        cwd=previous,
        env={**os.environ, "PYTHONPATH": str(previous), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "works\n", done.stderr


def test_code_runs_on_tables_that_are_ahead_of_it(database: Database) -> None:
    with database.transaction() as connection:
        assert list_missing(connection) == []
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("ALTER TABLE jobs ADD COLUMN of_a_later_release TEXT"))
    database.upgrade()
    with database.transaction() as connection:
        assert list_missing(connection) == []
        jobs.insert_job(connection, a_job())
    with database.read() as connection:
        assert jobs.load_job(connection, a_job().id) is not None
        (version,) = connection.execute(text("SELECT version_num FROM alembic_version")).one()
    assert version == "9999"
