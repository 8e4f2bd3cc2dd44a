from collections.abc import Iterator
from pathlib import Path

import pytest

from local.postgres import PostgresCluster
from shared.store.database import Database


@pytest.fixture(scope="session")
def migrated_template(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """Name of a database with the tables in place, to be copied by each test."""
    url = postgres_cluster.create_database()
    database = Database(url)
    database.upgrade()
    database.dispose()
    yield url.rpartition("/")[2]
    postgres_cluster.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, on each kind of server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'records.db'}"
    else:
        yield request.getfixturevalue("postgres_url")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the tables in place, on each kind of server."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'records.db'}")
        database.upgrade()
        yield database
        database.dispose()
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    url = cluster.create_database(request.getfixturevalue("migrated_template"))
    database = Database(url)
    yield database
    database.dispose()
    cluster.drop_database(url)
