"""Signing in to Postgres with a token of the identity's endpoint, on a server that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import certifi
import psycopg
import pytest
from sqlalchemy.engine import make_url

from local.key_vault.server import DEFAULT_CLIENT_ID, Faults, VaultStandIn
from shared.domain.errors import StoreError
from shared.settings.database import DatabaseSettings
from shared.store.database import Database
from shared.store.postgres import normalise_url
from tests.postgres import PostgresCluster

RESOURCE = "https://ossrdbms-aad.database.windows.net"
TOKEN = "a-token-of-the-identity"
SETTINGS = DatabaseSettings(authentication="managed-identity", client_id=DEFAULT_CLIENT_ID)


@pytest.fixture
def guarded_url(postgres_cluster: PostgresCluster, postgres_url: str) -> Iterator[str]:
    """A database whose owner gets in with the token alone."""
    name = postgres_url.rpartition("/")[2]
    with psycopg.connect(postgres_url) as connection:
        found = connection.execute("SHOW hba_file").fetchone()
    assert found is not None
    rules = Path(found[0])
    before = rules.read_text()
    rules.write_text("host all entra_app 127.0.0.1/32 scram-sha-256\n" + before)
    postgres_cluster.execute("SELECT pg_reload_conf()")
    postgres_cluster.execute(f"CREATE ROLE entra_app LOGIN PASSWORD '{TOKEN}'")
    postgres_cluster.execute(f'ALTER DATABASE "{name}" OWNER TO entra_app')
    yield postgres_cluster.build_url(name, "entra_app")
    postgres_cluster.execute(f'ALTER DATABASE "{name}" OWNER TO postgres')
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP OWNED BY entra_app CASCADE")
    postgres_cluster.execute("DROP ROLE entra_app")
    rules.write_text(before)
    postgres_cluster.execute("SELECT pg_reload_conf()")


def test_tables_are_made_with_a_token(guarded_url: str, vault: VaultStandIn) -> None:
    vault.directory.foreign_tokens[RESOURCE] = TOKEN
    database = Database(guarded_url, SETTINGS)
    database.upgrade()
    database.check()
    database.dispose()
    assert {call.client_id for call in vault.calls} == {DEFAULT_CLIENT_ID}


def test_a_token_that_is_refused_is_an_outage(guarded_url: str, vault: VaultStandIn) -> None:
    vault.directory.foreign_tokens[RESOURCE] = "another"
    database = Database(guarded_url, SETTINGS)
    with pytest.raises(StoreError, match="did not answer"):
        database.check()
    database.dispose()


def test_no_token_is_an_outage(guarded_url: str, vault: VaultStandIn) -> None:
    vault.faults = Faults(identity_away=True)
    database = Database(guarded_url, SETTINGS)
    with pytest.raises(StoreError, match="did not answer"):
        database.check()
    database.dispose()


def test_the_token_goes_to_a_server_with_a_certificate_only() -> None:
    url = make_url("postgres://app@server.postgres.database.azure.com/code_agent")
    query = normalise_url(url, "managed-identity").query
    assert query == {"sslmode": "verify-full", "sslrootcert": certifi.where()}
    assert "sslrootcert" not in normalise_url(url).query
