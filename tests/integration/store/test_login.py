"""Who the app is to Postgres: a password that is rotated under it, a managed identity's token."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from local.key_vault.server import DEFAULT_CLIENT_ID, VaultStandIn
from local.postgres import WITH_PASSWORD, PostgresCluster
from shared.domain.errors import STORE_UNAVAILABLE, StoreError
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store.database import Database
from shared.store.login import ENTRA_SCOPE, Login
from tests.integration.store.rows import NOW


@dataclass
class Role:
    """A role that has to say its password, and a database of its own."""

    cluster: PostgresCluster
    name: str
    database: str

    def change_password(self, password: str) -> None:
        self.cluster.execute(f"ALTER ROLE {self.name} PASSWORD '{password}'")

    def disconnect(self) -> None:
        self.cluster.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608 - a test's name
            f" WHERE usename = '{self.name}'"
        )

    def build_url(self, password: str = "") -> str:
        user = f"{self.name}:{password}" if password else self.name
        return self.cluster.build_url(self.database, user)


@pytest.fixture
def role(postgres_cluster: PostgresCluster) -> Iterator[Role]:
    for statement in (
        f"CREATE ROLE {WITH_PASSWORD}",
        f"CREATE ROLE somebody LOGIN PASSWORD 'first' IN ROLE {WITH_PASSWORD}",
    ):
        postgres_cluster.execute(statement)
    url = postgres_cluster.create_database()
    name = url.rpartition("/")[2]
    postgres_cluster.execute(f'ALTER DATABASE "{name}" OWNER TO somebody')
    yield Role(postgres_cluster, "somebody", name)
    postgres_cluster.drop_database(url)
    postgres_cluster.execute("DROP ROLE somebody")
    postgres_cluster.execute(f"DROP ROLE {WITH_PASSWORD}")


def test_a_rotated_password_is_used_by_the_next_connection(
    role: Role, vault: VaultStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.records.write("database-url", role.build_url("first"))
    world = open_world(vault, CODE_AGENT_DATABASE_URL="keyvault:database-url")
    monkeypatch.setenv("AZURE_CLIENT_ID", DEFAULT_CLIENT_ID)
    world.database.check()
    role.change_password("second")
    world.database.check()  # whoever is connected stays connected
    vault.records.write("database-url", role.build_url("second"))
    role.disconnect()
    world.database.check()
    world.database.dispose()
    world.secrets.close()


def test_an_address_that_stays_wrong_is_read_anew_and_refused(role: Role) -> None:
    read: list[str] = []

    def reread() -> str:
        read.append("again")
        return role.build_url("wrong")

    database = Database(Login(role.build_url("wrong"), reread=reread))
    with pytest.raises(StoreError, match=STORE_UNAVAILABLE) as caught:
        database.check()
    assert read == ["again"] * 2  # once for the connection, once for its one further try
    assert "wrong" not in str(caught.value)
    database.dispose()


def test_a_managed_identity_needs_no_password(
    role: Role, vault: VaultStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", DEFAULT_CLIENT_ID)
    resource = ENTRA_SCOPE.removesuffix("/.default")
    vault.directory.foreign_tokens[resource] = "first"
    world = open_world(
        vault,
        CODE_AGENT_DATABASE_URL=role.build_url(),
        CODE_AGENT_DATABASE_AUTHENTICATION="managed-identity",
    )
    with world.database.read() as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == role.name
    world.database.dispose()


def test_an_identity_that_gets_no_token_makes_the_step_wait(
    role: Role, vault: VaultStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "00000000-0000-0000-0000-00000000dead")
    world = open_world(
        vault,
        CODE_AGENT_DATABASE_URL=role.build_url(),
        CODE_AGENT_DATABASE_AUTHENTICATION="managed-identity",
    )
    with pytest.raises(StoreError, match=STORE_UNAVAILABLE):
        _ = world.database


def open_world(vault: VaultStandIn, **settings: str) -> World:
    environment = {
        "AZURE_DEVOPS_ORGANISATION_URL": "http://127.0.0.1:9/contoso",
        "CODE_AGENT_ALLOWED_USERS": "u",
        "CODE_AGENT_KEY_VAULT_URL": vault.url,
        "AZURE_CLIENT_ID": DEFAULT_CLIENT_ID,
        **settings,
    }
    return World(read_settings(environment), lambda: NOW)
