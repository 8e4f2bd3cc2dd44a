"""Entra tokens by managed identity, through the real azure-identity and a loopback endpoint."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from shared.ado.credentials import EntraCredential
from shared.ado.errors import AdoError
from shared.ado.identities import check_connection
from shared.ado.session import AdoSession
from tests.loopback import QuietHandler, serve_on_loopback
from tests.stories.agent import PULL_REQUEST, Agent

HEADER = "identity-header"


class IdentityEndpoint:
    """What Azure Functions offers an app with a managed identity.

    Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity
    """

    def __init__(self) -> None:
        self.tokens = [seed.CODE_AGENT.pat]
        self.lasts_s = 3600
        self.asked: list[dict[str, list[str]]] = []
        self.url = ""
        """Where it listens, once it is served."""

    def build_handler(self) -> type[QuietHandler]:
        endpoint = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:  # noqa: N802 - the base class looks for this name
                allowed = self.headers.get("X-IDENTITY-HEADER") == HEADER
                endpoint.asked.append(parse_qs(urlsplit(self.path).query))
                body = endpoint.answer() if allowed else b"{}"
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def answer(self) -> bytes:
        token = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        return json.dumps(
            {
                "access_token": token,
                "expires_on": str(int(time.time() + self.lasts_s)),
                "resource": "499b84ac-1321-427f-aa17-267ca6975798",
                "token_type": "Bearer",
            }
        ).encode()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityEndpoint]:
    made = IdentityEndpoint()
    with serve_on_loopback(made.build_handler()) as url:
        made.url = f"{url}/msi/token"
        monkeypatch.setenv("IDENTITY_ENDPOINT", made.url)
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        yield made


@pytest.fixture
def session(azure_devops: RunningAzureDevOps, endpoint: IdentityEndpoint) -> Iterator[AdoSession]:
    assert endpoint.url
    made = AdoSession(azure_devops.organisation_url, EntraCredential("client-1"))
    yield made
    made.close()


def test_a_token_is_asked_for_once_and_for_azure_devops(
    session: AdoSession, endpoint: IdentityEndpoint
) -> None:
    for _ in range(3):
        assert check_connection(session).id == seed.CODE_AGENT.id
    assert len(endpoint.asked) == 1
    assert endpoint.asked[0]["resource"] == ["499b84ac-1321-427f-aa17-267ca6975798"]
    assert endpoint.asked[0]["client_id"] == ["client-1"]


def test_no_token_is_a_credential_that_is_not_accepted(
    session: AdoSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises(AdoError, match=r"ado\.unauthenticated"):
        check_connection(session)


def test_the_app_works_with_a_managed_identity(
    azure_devops: RunningAzureDevOps, endpoint: IdentityEndpoint, tmp_path: Path
) -> None:
    settings = {
        "AZURE_DEVOPS_AUTHENTICATION": "managed-identity",
        "ADO_PAT": "",
        "IDENTITY_ENDPOINT": endpoint.url,
        "IDENTITY_HEADER": HEADER,
    }
    agent = Agent.start(azure_devops, tmp_path / "agent", settings)
    try:
        agent.subscribe()
        wish = "/edit /1 make all buttons red"
        job = agent.wait_job(agent.person(seed.JAMAL).write_comment(PULL_REQUEST, wish))
    finally:
        agent.host.kill()
    assert job["status"] == "success"
    assert len(endpoint.asked) == 1
