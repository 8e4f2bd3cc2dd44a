"""Azure OpenAI by managed identity, through the real azure-identity and a loopback endpoint."""

import json
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.identity import ManagedIdentityCredential

from local.model.script import ScriptedReply
from local.model.server import ModelStandIn
from shared.llm.chat.build import build_chat_model
from shared.llm.chat.entra import EntraTokens
from shared.llm.chat.spec import ChatProvider, ChatSpec
from shared.llm.provider import ModelCode, ModelError
from tests.integration.llm.chatting import DOORS, ask, say
from tests.loopback import QuietHandler, serve_on_loopback

HEADER = "identity-header"


@pytest.fixture
def asked_for(model: ModelStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What Azure Functions offers an app with an identity; gives the resources asked for."""
    asked: list[str] = []

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - the base class looks for this name
            asked.extend(parse_qs(urlsplit(self.path).query)["resource"])
            is_allowed = self.headers.get("X-IDENTITY-HEADER") == HEADER
            token = {
                "access_token": model.options.entra_token,
                "expires_on": str(int(time.time() + 3600)),
                "resource": asked[-1],
                "token_type": "Bearer",
            }
            self.send_response(200 if is_allowed else 400)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(token if is_allowed else {}).encode())

    with serve_on_loopback(Handler) as url:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        yield asked


@pytest.mark.parametrize("name", ["azure-dated-identity", "azure-v1-identity"])
def test_the_managed_identity_opens_azure_openai(
    model: ModelStandIn, asked_for: list[str], name: str
) -> None:
    model.brain = say(ScriptedReply(text="yes"))
    chat = build_chat_model(
        DOORS[name].specify(model.base_url),
        read_token=EntraTokens(ManagedIdentityCredential),
    )
    assert [chat.reply(ask()).text for _ in range(2)] == ["yes", "yes"]
    chat.close()
    assert asked_for == ["https://cognitiveservices.azure.com"]


def test_without_a_token_nothing_is_sent(
    model: ModelStandIn, asked_for: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    chat = build_chat_model(
        DOORS["azure-v1-identity"].specify(model.base_url),
        read_token=EntraTokens(ManagedIdentityCredential),
    )
    with pytest.raises(ModelError) as failed:
        chat.reply(ask())
    assert failed.value.code == ModelCode.CREDENTIAL_REFUSED
    assert failed.value.__context__ is None
    assert asked_for
    assert model.calls.calls == []


def test_a_token_is_for_azure_only() -> None:
    with pytest.raises(ValueError, match="openai takes no Entra token"):
        build_chat_model(ChatSpec(ChatProvider.OPENAI, "gpt-4.1"), read_token=lambda: "x")
