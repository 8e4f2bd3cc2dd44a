"""What the parts of the app do with a vault's secrets, over the real SDKs."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.key_vault.server import DEFAULT_CLIENT_ID, Faults, VaultStandIn
from local.model.server import ModelStandIn
from shared.domain.clock import read_utc_clock
from shared.gateway.sender import verify_sender
from shared.jobs.watch_secrets import watch_secrets
from shared.jobs.world import World
from shared.llm.conversation import ChatRequest, Conversation, Role, Turn
from shared.secrets.errors import SecretsUnavailableError
from shared.settings import read_settings
from shared.webhook.verify import VerificationError
from tests.integration.secrets.conftest import Opened

HEADER = "X-Code-Agent-Secret"


@pytest.fixture
def environment(
    vault: VaultStandIn, azure_devops: RunningAzureDevOps, model: ModelStandIn, tmp_path: Path
) -> dict[str, str]:
    vault.records.write("webhook-secret", "hook")
    vault.records.write("ado-pat", seed.CODE_AGENT.pat)
    vault.records.write("anthropic-api-key", model.key)
    return {
        "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
        "CODE_AGENT_KEY_VAULT_URL": vault.url,
        "AZURE_CLIENT_ID": DEFAULT_CLIENT_ID,
        "CODE_AGENT_DATA_DIR": str(tmp_path / "app"),
        "CODE_AGENT_PROVIDER": "anthropic",
        "CODE_AGENT_ANTHROPIC_URL": model.base_url,
    }


@pytest.fixture
def world(environment: dict[str, str]) -> Iterator[World]:
    made = World(read_settings(environment), read_utc_clock)
    yield made
    made.secrets.close()


def test_azure_devops_is_called_again_with_the_token_of_the_vault(
    world: World, vault: VaultStandIn
) -> None:
    vault.records.write("ado-pat", "expired")
    assert world.secrets.read("ado-pat") == "expired"
    vault.records.write("ado-pat", seed.CODE_AGENT.pat)
    world.check_ado()
    world.ado.close()


def test_a_model_is_asked_again_with_the_key_of_the_vault(
    world: World, vault: VaultStandIn, model: ModelStandIn
) -> None:
    vault.records.write("anthropic-api-key", "old")
    assert world.secrets.read("anthropic-api-key") == "old"
    vault.records.write("anthropic-api-key", model.key)
    chat = world.models[0]
    said = Conversation("system", (), "shared", (Turn(Role.USER, "x"),))
    request = ChatRequest(said, datetime.now(UTC) + timedelta(seconds=20), 100)
    assert chat.reply(request).text
    assert [call.key_accepted for call in model.calls.calls] == [False, True]
    chat.close()  # type: ignore[attr-defined]  # an SDK's


def test_the_databases_url_is_a_secret_where_the_settings_say_so(
    environment: dict[str, str], vault: VaultStandIn, tmp_path: Path
) -> None:
    path = tmp_path / "elsewhere.db"
    vault.records.write("database-url", f"sqlite:///{path}")
    settings = read_settings({**environment, "CODE_AGENT_DATABASE_URL": "keyvault:database-url"})
    world = World(settings, read_utc_clock)
    vault.faults = Faults(away=True)
    with pytest.raises(SecretsUnavailableError):
        _ = world.database
    vault.faults = Faults()
    world.secrets.close()
    world = World(settings, read_utc_clock)
    world.database.check()
    assert path.exists()
    assert str(path) not in repr(settings)
    world.database.dispose()
    world.secrets.close()


def test_readiness_tells_a_vault_that_is_away(world: World, vault: VaultStandIn) -> None:
    assert world.check_secrets() == "ok"
    vault.faults = Faults(away=True)
    world.secrets.refresh("ado-pat")
    assert world.check_secrets() == "stale"


def test_secrets_that_expire_soon_are_told_of(
    world: World, vault: VaultStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "code_agent")
    vault.records.write("pages-key", "for scripts")  # and no link-signing-key
    lasting = {"webhook-secret": 13, "ado-pat": -1, "anthropic-api-key": 15, "pages-key": 2}
    for name, days in lasting.items():
        ends = datetime.now(UTC) + timedelta(days=days, minutes=1)
        vault.records.find(name).versions[-1].expires = int(ends.timestamp())
    assert watch_secrets(world) == 3
    told = [record for record in caplog.records if record.msg == "secret_expires_soon"]
    assert [record.__dict__["secret"] for record in told] == [
        "webhook-secret",
        "ado-pat",
        "pages-key",
    ]
    assert [record.__dict__["microsoft.custom_measurements"] for record in told] == [
        '{"days_left": 13.0}',
        '{"days_left": -1.0}',
        '{"days_left": 2.0}',
    ]


def test_a_secret_that_cannot_be_looked_at_hides_no_other(
    world: World, vault: VaultStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "code_agent")
    vault.records.find("ado-pat").versions[-1].expires = 1
    world.secrets.read("ado-pat")
    vault.faults = Faults(away=True)
    with pytest.raises(SecretsUnavailableError):
        watch_secrets(world)
    assert not [one for one in caplog.records if seed.CODE_AGENT.pat in repr(one.__dict__)]
    assert [one.__dict__["secret"] for one in caplog.records if one.msg == "secret_expires_soon"]


class TestSender:
    """A delivery that does not carry what is kept."""

    def test_a_new_secret_is_accepted_at_once_and_so_is_the_old(self, opened: Opened) -> None:
        opened.vault.records.write("webhook-secret", "old")
        asyncio.run(verify_sender(opened.secrets, {HEADER: "old"}, b""))
        opened.vault.records.write("webhook-secret", "new")
        opened.seconds += 1
        for secret in ("new", "old", "new"):
            asyncio.run(verify_sender(opened.secrets, {HEADER: secret}, b""))

    def test_a_wrong_one_stays_wrong(self, opened: Opened) -> None:
        opened.vault.records.write("webhook-secret", "old")
        with pytest.raises(VerificationError, match="credential_wrong"):
            asyncio.run(verify_sender(opened.secrets, {HEADER: "guess"}, b""))

    def test_none_is_refused_without_a_request(self, opened: Opened) -> None:
        opened.vault.records.write("webhook-secret", "old")
        opened.secrets.read("webhook-secret")
        before = opened.count_reads()
        opened.seconds += 60
        with pytest.raises(VerificationError, match="credential_missing"):
            asyncio.run(verify_sender(opened.secrets, {}, b""))
        assert opened.count_reads() == before

    def test_while_the_vault_is_away_at_the_start_nobody_is_judged(self, opened: Opened) -> None:
        opened.vault.records.write("webhook-secret", "old")
        opened.vault.faults = Faults(away=True)
        with pytest.raises(SecretsUnavailableError):
            asyncio.run(verify_sender(opened.secrets, {HEADER: "old"}, b""))
