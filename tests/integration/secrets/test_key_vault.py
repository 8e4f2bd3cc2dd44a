"""Secrets of a vault through the real azure-identity and azure-keyvault-secrets, over loopback."""

import logging
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from local.key_vault.identities import Role
from local.key_vault.server import DEFAULT_CLIENT_ID, Faults, VaultStandIn
from shared.domain.errors import Verdict
from shared.secrets.azure_vault import AzureVault, SecretVersion, open_identity
from shared.secrets.errors import SecretMissingError, SecretsUnavailableError
from shared.secrets.key_vault import CacheTerms, KeyVaultSecrets
from shared.secrets.source import ALL_NAMES
from tests.integration.secrets.conftest import OVERLAP_S, STALE_S, TTL_S, Opened, OpenSecrets
from tests.local.functions_host.hosting import REPOSITORY, wait_until

AWAY = Faults(away=True)


def test_every_secret_is_read_as_it_is_kept_but_for_blanks_around_it(opened: Opened) -> None:
    for name in ALL_NAMES:
        opened.vault.records.write(name, f" value of {name}\n")
    assert [opened.secrets.read(name) for name in ALL_NAMES] == [
        f"value of {name}" for name in ALL_NAMES
    ]


def test_a_secret_is_read_once_in_its_time_and_anew_before_it_is_over(opened: Opened) -> None:
    opened.vault.records.write("ado-pat", "one")
    for _ in range(50):
        assert opened.secrets.read("ado-pat") == "one"
    assert opened.count_reads() == 2  # the challenge, and the value
    opened.vault.records.write("ado-pat", "two")
    opened.pass_time(TTL_S * 0.7)
    assert opened.secrets.read("ado-pat") == "one"
    opened.pass_time(TTL_S * 0.1)
    assert opened.secrets.read("ado-pat") == "two"
    assert opened.count_reads() == 3


def test_many_threads_make_one_request(opened: Opened) -> None:
    opened.vault.records.write("ado-pat", "one")
    opened.vault.faults = Faults(slow_s=0.05)
    together = threading.Barrier(16)

    def read(_: int) -> str:
        together.wait()
        return opened.secrets.read("ado-pat")

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(read, range(16))) == {"one"}
    assert opened.count_reads() == 2


def test_sixteen_refusals_of_a_credential_make_one_request(opened: Opened) -> None:
    opened.vault.records.write("ado-pat", "one")
    assert opened.secrets.read("ado-pat") == "one"
    opened.vault.records.write("ado-pat", "two")
    before = opened.count_reads()
    opened.seconds += 1
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(opened.secrets.refresh, ["ado-pat"] * 16))
    assert opened.secrets.read("ado-pat") == "two"
    assert opened.count_reads() - before == 1


def test_whoever_guesses_makes_a_request_every_few_seconds_at_most(opened: Opened) -> None:
    opened.vault.records.write("webhook-secret", "one")
    opened.secrets.read("webhook-secret")
    before = opened.count_reads()
    for _ in range(100):
        opened.secrets.refresh("webhook-secret")
        opened.seconds += 0.1
    assert opened.count_reads() - before <= 3 * 2  # the value and the list of versions


def test_a_missing_secret_is_believed_missing_for_seconds_only(opened: Opened) -> None:
    with pytest.raises(SecretMissingError, match="webhook-secret"):
        opened.secrets.read("webhook-secret")
    before = opened.count_reads()
    assert opened.secrets.read_accepted("webhook-secret") == ()
    assert opened.count_reads() == before
    opened.vault.records.write("webhook-secret", "one")
    opened.pass_time(16)
    assert opened.secrets.read("webhook-secret") == "one"


def test_a_secret_that_has_just_been_written_is_found_on_demand(opened: Opened) -> None:
    assert opened.secrets.read_accepted("webhook-secret") == ()
    opened.vault.records.write("webhook-secret", "one")
    opened.seconds += 1
    opened.secrets.refresh("webhook-secret")
    assert opened.secrets.read_accepted("webhook-secret") == ("one",)


class TestOverlap:
    """The previous version of what others show to us counts too."""

    def test_current_and_previous_are_accepted_and_nothing_older(self, opened: Opened) -> None:
        for minutes, value in ((30, "one"), (20, "two"), (10, "three")):
            write_at(opened.vault, value, minutes_ago=minutes)
        assert opened.secrets.read_accepted("webhook-secret") == ("three", "two")
        assert opened.secrets.read("webhook-secret") == "three"

    @pytest.mark.parametrize("name", ["pages-key", "link-signing-key"])
    def test_keys_that_others_show_to_us_overlap_too(self, opened: Opened, name: str) -> None:
        for minutes, value in ((30, "one"), (20, "two"), (10, "three")):
            write_at(opened.vault, value, minutes_ago=minutes, name=name)
        assert opened.secrets.read_accepted(name) == ("three", "two")

    def test_other_secrets_have_one_value(self, opened: Opened) -> None:
        for value in ("one", "two"):
            opened.vault.records.write("ado-pat", value)
        assert opened.secrets.read_accepted("ado-pat") == ("two",)

    def test_a_disabled_version_counts_no_longer(self, opened: Opened) -> None:
        write_at(opened.vault, "one", minutes_ago=9)
        write_at(opened.vault, "two", minutes_ago=5)
        assert opened.secrets.read_accepted("webhook-secret") == ("two", "one")
        opened.vault.records.find("webhook-secret").versions[0].enabled = False
        opened.pass_time(TTL_S)
        assert opened.secrets.read_accepted("webhook-secret") == ("two",)

    def test_disabling_the_new_version_takes_a_rotation_back(self, opened: Opened) -> None:
        write_at(opened.vault, "zero", minutes_ago=12)
        write_at(opened.vault, "one", minutes_ago=9)
        write_at(opened.vault, "two", minutes_ago=5)
        opened.vault.records.find("webhook-secret").versions[-1].enabled = False
        assert opened.secrets.read_accepted("webhook-secret") == ("one", "zero")

    def test_the_overlap_ends(self, opened: Opened) -> None:
        write_at(opened.vault, "one", minutes_ago=OVERLAP_S / 60 + 20)
        write_at(opened.vault, "two", minutes_ago=OVERLAP_S / 60 + 1)
        assert opened.secrets.read_accepted("webhook-secret") == ("two",)

    def test_an_expired_previous_counts_no_longer_but_an_expired_current_does(
        self, opened: Opened
    ) -> None:
        write_at(opened.vault, "one", minutes_ago=9)
        write_at(opened.vault, "two", minutes_ago=5)
        for version in opened.vault.records.find("webhook-secret").versions:
            version.expires = version.created + 60
        assert opened.secrets.read_accepted("webhook-secret") == ("two",)
        assert opened.secrets.find_expiry("webhook-secret") is not None

    def test_a_secret_with_many_versions_is_read_to_its_last_page(self, opened: Opened) -> None:
        for number in range(60):
            write_at(opened.vault, str(number), minutes_ago=100 - number)
        assert opened.secrets.read_accepted("webhook-secret") == ("59", "58")


class TestOutage:
    """The vault does not answer."""

    @pytest.mark.parametrize(
        ("faults", "reason"),
        [
            (AWAY, "unreachable"),
            (Faults(throttled=True), "throttled"),
            (Faults(identity_away=True, away=True), "unreachable"),
        ],
    )
    def test_what_is_kept_is_served_for_an_hour_and_said_so(
        self, opened: Opened, faults: Faults, reason: str
    ) -> None:
        opened.vault.records.write("ado-pat", "one")
        assert opened.secrets.read("ado-pat") == "one"
        opened.vault.faults = faults
        for _ in range(360):
            opened.pass_time(10)
            assert opened.secrets.read("ado-pat") == "one"
        assert opened.secrets.is_stale("ado-pat")
        assert {told[:2] for told in opened.stale} == {("ado-pat", reason)}
        assert 10 <= len(opened.stale) <= 13
        opened.vault.faults = Faults()
        opened.vault.records.write("ado-pat", "two")
        opened.pass_time(61)
        assert opened.secrets.read("ado-pat") == "two"
        assert not opened.secrets.is_stale("ado-pat")

    def test_a_vault_that_is_away_is_left_alone(self, opened: Opened) -> None:
        opened.vault.records.write("ado-pat", "one")
        opened.secrets.read("ado-pat")
        opened.vault.faults = AWAY
        before = opened.count_reads()
        for _ in range(3600):
            opened.pass_time(1)
        assert opened.count_reads() - before <= 65  # once a minute after the first few

    def test_the_vaults_wish_to_wait_is_heard(self, opened: Opened) -> None:
        opened.vault.records.write("ado-pat", "one")
        opened.secrets.read("ado-pat")
        opened.vault.faults = Faults(throttled=True, retry_after_s=100)
        opened.pass_time(TTL_S)
        before = opened.count_reads()
        opened.pass_time(99)
        opened.secrets.refresh("ado-pat")
        assert opened.count_reads() == before
        opened.pass_time(2)
        assert opened.count_reads() == before + 1

    def test_nothing_is_served_for_ever(self, opened: Opened) -> None:
        opened.vault.records.write("ado-pat", "one")
        opened.secrets.read("ado-pat")
        opened.vault.faults = AWAY
        opened.pass_time(STALE_S + 1)
        with pytest.raises(SecretsUnavailableError):
            opened.secrets.read("ado-pat")

    def test_without_anything_kept_the_step_is_tried_again(self, opened: Opened) -> None:
        opened.vault.records.write("ado-pat", "one")
        opened.vault.faults = AWAY
        with pytest.raises(SecretsUnavailableError) as failed:
            opened.secrets.read("ado-pat")
        assert failed.value.verdict is Verdict.RETRY
        opened.vault.faults = Faults()
        opened.pass_time(failed.value.retry_after_s or 0)
        assert opened.secrets.read("ado-pat") == "one"

    def test_a_role_that_was_taken_away_is_an_outage_and_not_a_missing_secret(
        self, opened: Opened
    ) -> None:
        opened.vault.records.write("ado-pat", "one")
        opened.secrets.read("ado-pat")
        identity = opened.vault.directory.find(DEFAULT_CLIENT_ID)
        assert identity is not None
        identity.roles = {Role.READER}
        opened.pass_time(TTL_S)
        assert opened.secrets.read("ado-pat") == "one"
        assert [told[:2] for told in opened.stale] == [("ado-pat", "forbidden")]

    def test_a_deleted_secret_is_gone(self, opened: Opened) -> None:
        opened.vault.records.write("ado-pat", "one")
        opened.secrets.read("ado-pat")
        opened.vault.records.delete("ado-pat")
        opened.pass_time(TTL_S)
        with pytest.raises(SecretMissingError):
            opened.secrets.read("ado-pat")


def test_another_identity_is_used_when_the_settings_name_it(open_secrets: OpenSecrets) -> None:
    made = open_secrets(client_id="")
    made.vault.records.write("ado-pat", "one")
    with pytest.raises(SecretsUnavailableError):
        made.secrets.read("ado-pat")
    assert made.vault.calls[-1].status == 403


def test_a_thread_reads_anew_and_ends_when_it_is_closed(vault: VaultStandIn) -> None:
    vault.records.write("ado-pat", "one")
    source = AzureVault(vault.url, lambda: open_identity(DEFAULT_CLIENT_ID))
    secrets = KeyVaultSecrets(source, CacheTerms(0.1, STALE_S, OVERLAP_S))
    assert secrets.read("ado-pat") == "one"
    vault.records.write("ado-pat", "two")
    wait_until(lambda: secrets.read("ado-pat") == "two")
    secrets.close()
    assert not [one for one in threading.enumerate() if one.name == "code-agent-secrets"]


def test_no_error_and_no_log_holds_a_value(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    opened.vault.records.write("ado-pat", "planted-value")
    opened.secrets.read("ado-pat")
    opened.vault.faults = Faults(throttled=True)
    told = []
    opened.pass_time(STALE_S + 1)
    try:
        opened.secrets.read("ado-pat")
    except SecretsUnavailableError as error:
        told = traceback.format_exception(error)
    assert told
    version = SecretVersion("planted-value", datetime.now(UTC), None)
    shown = "".join([*told, caplog.text, repr(opened.secrets), repr(version)])
    assert "is served from memory" in caplog.text
    assert "planted-value" not in shown
    assert opened.vault.identity_header not in shown
    assert "Bearer ey" not in shown


def test_a_start_without_a_vault_imports_none_of_its_libraries() -> None:
    code = (
        "import sys, function_app, os\n"
        "from shared.composition import compose\n"
        "compose().secrets.read('webhook-secret')\n"
        "print([n for n in sys.modules if n.startswith(('azure.identity', 'azure.keyvault'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={"AZURE_DEVOPS_ORGANISATION_URL": "http://127.0.0.1:9/contoso", "WEBHOOK_SECRET": "x"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def write_at(
    vault: VaultStandIn, value: str, *, minutes_ago: float, name: str = "webhook-secret"
) -> None:
    version = vault.records.write(name, value)
    version.created -= int(timedelta(minutes=minutes_ago).total_seconds())


STRANGE = """
import socket, sys
ask = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: ask(
    "127.0.0.1" if host == "kv.localhost" else host, *rest, **more)
from shared.secrets.azure_vault import AzureVault, VaultError, open_identity
vault = AzureVault(sys.argv[1], lambda: open_identity(sys.argv[2]))
try:
    print(vault.fetch("ado-pat", with_previous=False)[0].value)
except VaultError as error:
    print(error)
vault.close()
"""


@pytest.mark.parametrize(("own", "said"), [(True, "one"), (False, "unreachable")])
def test_a_token_is_shown_to_no_vault_that_asks_for_another_hosts(
    vault: VaultStandIn, *, own: bool, said: str
) -> None:
    vault.records.write("ado-pat", "one")
    vault.resource = vault.resource if own else "https://elsewhere.example"
    url = vault.url.replace("localhost", "kv.localhost")
    command = [sys.executable, "-c", STRANGE, url, DEFAULT_CLIENT_ID]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == f"{said}\n"
