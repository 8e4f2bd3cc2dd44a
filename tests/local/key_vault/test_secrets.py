"""What the real SDK does with the stand-in: versions, attributes, soft delete, pages."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from local.key_vault.server import VaultStandIn

SOON = datetime(2030, 1, 1, tzinfo=UTC)


def read_inner(error: HttpResponseError) -> str:
    inner = getattr(error.error, "innererror", None) or {}
    return str(inner.get("code", ""))


def test_the_newest_version_is_current_and_the_others_stay(client: SecretClient) -> None:
    first = client.set_secret("ado-pat", "one", tags={"by": "test"}, content_type="text/plain")
    second = client.set_secret("ado-pat", "two", expires_on=SOON)
    assert client.get_secret("ado-pat").value == "two"
    assert client.get_secret("ADO-PAT").properties.expires_on == SOON
    version = first.properties.version
    assert version is not None
    kept = client.get_secret("ado-pat", version)
    assert (kept.value, kept.properties.tags) == ("one", {"by": "test"})
    assert kept.properties.content_type == "text/plain"
    known = {one.version for one in client.list_properties_of_secret_versions("ado-pat")}
    assert known == {version, second.properties.version}


def test_lists_come_in_pages_of_25_without_values(client: SecretClient) -> None:
    for number in range(60):
        client.set_secret("many", str(number))
    pages = list(client.list_properties_of_secret_versions("many").by_page())
    assert [len(list(page)) for page in pages] == [25, 25, 10]
    assert [one.name for one in client.list_properties_of_secrets()] == ["many"]


def test_a_disabled_version_is_not_read(client: SecretClient) -> None:
    client.set_secret("a", "one")
    client.update_secret_properties("a", enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret("a")
    assert (refused.value.status_code, read_inner(refused.value)) == (403, "SecretDisabled")
    client.update_secret_properties("a", enabled=True)
    assert client.get_secret("a").value == "one"


def test_an_expired_or_not_yet_valid_secret_is_read_all_the_same(client: SecretClient) -> None:
    now = datetime.now(UTC)
    client.set_secret("old", "x", expires_on=now - timedelta(days=1))
    client.set_secret("young", "y", not_before=now + timedelta(days=1))
    assert [client.get_secret(name).value for name in ("old", "young")] == ["x", "y"]


def test_a_deleted_secret_keeps_its_name_until_it_is_recovered_or_purged(
    client: SecretClient,
) -> None:
    client.set_secret("a", "one")
    deleted = client.begin_delete_secret("a").result()
    assert deleted.recovery_id
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("a")
    with pytest.raises(ResourceExistsError) as refused:
        client.set_secret("a", "two")
    assert read_inner(refused.value) == "ObjectIsDeletedButRecoverable"
    assert [one.name for one in client.list_deleted_secrets()] == ["a"]
    client.begin_recover_deleted_secret("a").wait()
    assert client.get_secret("a").value == "one"
    client.begin_delete_secret("a").wait()
    client.purge_deleted_secret("a")
    assert client.set_secret("a", "three").value == "three"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("under_score", "x", id="name"),
        pytest.param("n" * 128, "x", id="long name"),
        pytest.param("big", "x" * 25_601, id="large value"),
    ],
)
def test_what_cannot_be_a_secret_is_refused(client: SecretClient, name: str, value: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        client.set_secret(name, value)
    assert refused.value.status_code == 400


def test_the_log_tells_no_value(client: SecretClient, vault: VaultStandIn) -> None:
    client.set_secret("ado-pat", "planted-value")
    client.get_secret("ado-pat")
    assert [(call.operation, call.status) for call in vault.calls] == [
        ("PUT secrets/ado-pat", 401),
        ("GET token", 200),
        ("PUT secrets/ado-pat", 200),
        ("GET secrets/ado-pat", 200),
    ]
    assert "planted-value" not in repr(vault.calls)
