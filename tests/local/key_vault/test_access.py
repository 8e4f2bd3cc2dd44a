"""Who gets in: tokens, roles, TLS, the challenge; and what goes wrong on request."""

import subprocess
import sys
from typing import Any

import pytest
import requests
from azure.core.exceptions import AzureError, HttpResponseError

from local.key_vault.server import (
    DEFAULT_CLIENT_ID,
    OPERATOR_CLIENT_ID,
    Faults,
    VaultStandIn,
)
from tests.local.functions_host.hosting import REPOSITORY
from tests.local.key_vault.conftest import OpenClient

API = {"api-version": "7.6"}


def call(vault: VaultStandIn, method: str, path: str, **options: Any) -> requests.Response:
    options.setdefault("params", API)
    verify = str(vault.certificate_file)
    return requests.request(method, f"{vault.url}/{path}", verify=verify, timeout=5, **options)


def fetch_token(vault: VaultStandIn, **changes: str) -> requests.Response:
    params = {"api-version": "2019-08-01", "resource": vault.resource, **changes}
    headers = {"X-IDENTITY-HEADER": vault.identity_header}
    return requests.get(
        f"{vault.identity_url}/msi/token", params=params, headers=headers, timeout=5
    )


def test_whoever_brings_no_token_is_told_where_to_get_one(vault: VaultStandIn) -> None:
    refused = call(vault, "GET", "secrets/a")
    assert refused.status_code == 401
    challenge = refused.headers["WWW-Authenticate"]
    assert f'resource="{vault.resource}"' in challenge
    assert 'authorization="https://login.microsoftonline.com/' in challenge


@pytest.mark.parametrize(
    "changes", [{"resource": "https://management.azure.com"}, {"client_id": DEFAULT_CLIENT_ID}]
)
def test_only_a_token_for_the_vault_opens_it(vault: VaultStandIn, changes: dict[str, str]) -> None:
    token = fetch_token(vault, **changes).json()["access_token"]
    answer = call(vault, "GET", "secrets", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == (401 if "resource" in changes else 200)


def test_an_old_token_opens_nothing(vault: VaultStandIn) -> None:
    vault.directory.lifetime_s = -1
    token = fetch_token(vault, client_id=DEFAULT_CLIENT_ID).json()["access_token"]
    answer = call(vault, "GET", "secrets", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "changes", [{"api-version": "2017-09-01"}, {"resource": ""}, {"client_id": "nobody"}]
)
def test_the_identity_endpoint_refuses(vault: VaultStandIn, changes: dict[str, str]) -> None:
    assert fetch_token(vault, **changes).status_code == 400


def test_the_identity_endpoint_wants_its_header(vault: VaultStandIn) -> None:
    params = {"api-version": "2019-08-01", "resource": vault.resource}
    url = f"{vault.identity_url}/msi/token"
    assert requests.get(url, params=params, timeout=5).status_code == 401


def test_a_token_for_another_stand_in_is_the_one_it_accepts(vault: VaultStandIn) -> None:
    vault.directory.foreign_tokens["499b84ac-1321-427f-aa17-267ca6975798"] = "pat-agent"
    answer = fetch_token(vault, resource="499b84ac-1321-427f-aa17-267ca6975798")
    assert answer.json()["access_token"] == "pat-agent"


def test_roles_say_who_may_do_what(vault: VaultStandIn, open_client: OpenClient) -> None:
    vault.records.write("a", "one")
    nobody, reader = open_client(None), open_client(DEFAULT_CLIENT_ID)
    assert reader.get_secret("a").value == "one"
    assert len(list(reader.list_properties_of_secret_versions("a"))) == 1
    for forbidden in (
        lambda: nobody.get_secret("a"),
        lambda: reader.set_secret("a", "two"),
        lambda: reader.update_secret_properties("a", enabled=False),
        lambda: reader.begin_delete_secret("a"),
    ):
        with pytest.raises(HttpResponseError) as refused:
            forbidden()
        assert refused.value.status_code == 403
        assert refused.value.error is not None
        assert refused.value.error.code == "Forbidden"
    assert vault.records.find("a").versions[-1].value == "one"


@pytest.mark.parametrize(
    ("params", "body", "status"),
    [
        ({}, {"value": "x"}, 400),
        ({"api-version": "9.9"}, {"value": "x"}, 400),
        (API, {}, 400),
        (API, {"value": "x", "attributes": {"exp": "tomorrow"}}, 400),
        (API, {"value": "x", "tags": {str(number): "" for number in range(16)}}, 400),
        (API, {"value": "x"}, 200),
    ],
)
def test_a_request_has_a_version_and_a_body(
    vault: VaultStandIn, params: dict[str, str], body: Any, status: int
) -> None:
    token = fetch_token(vault, client_id=OPERATOR_CLIENT_ID).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = call(vault, "PUT", "secrets/a", params=params, json=body, headers=headers)
    assert answer.status_code == status


def test_nobody_talks_to_it_without_tls_or_trust(
    vault: VaultStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(vault.url, timeout=5)
    with pytest.raises(requests.ConnectionError):
        requests.get(vault.url.replace("https", "http"), timeout=5)


def test_faults_are_set_over_http(vault: VaultStandIn, open_client: OpenClient) -> None:
    vault.records.write("a", "one")
    client = open_client()
    assert client.get_secret("a").value == "one"
    url = f"{vault.identity_url}/_standin/faults"
    requests.put(url, json={"away": True}, timeout=5)
    with pytest.raises(AzureError) as broken:
        client.get_secret("a")
    assert not isinstance(broken.value, HttpResponseError)
    requests.put(url, json={"throttled": True, "retry_after_s": 7}, timeout=5)
    with pytest.raises(HttpResponseError) as throttled:
        client.get_secret("a")
    assert throttled.value.status_code == 429
    wait = call(vault, "GET", "secrets/a").headers["Retry-After"]
    assert wait == "7"
    assert requests.put(url, json={"unknown": 1}, timeout=5).status_code == 400
    assert requests.get(url, timeout=5).json()["throttled"] is True
    requests.delete(url, timeout=5)
    assert vault.faults == Faults()
    assert client.get_secret("a").value == "one"
    calls = requests.get(f"{vault.identity_url}/_standin/calls", timeout=5).json()
    assert [call["status"] for call in calls] == [401, 200, 200, 0, 429, 429, 200]


CHECKED = """
import socket, sys
ask = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: ask(
    "127.0.0.1" if host == "kv.localhost" else host, *rest, **more)
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient
with ManagedIdentityCredential(client_id=sys.argv[2]) as credential:
    with SecretClient(sys.argv[1], credential, retry_total=0) as client:
        print(client.get_secret("a").value)
"""


def test_the_sdk_accepts_the_challenge_with_all_its_checks(vault: VaultStandIn) -> None:
    vault.records.write("a", "one")
    vault.url = vault.url.replace("localhost", "kv.localhost")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHECKED, vault.url, DEFAULT_CLIENT_ID],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("one\n", "")
