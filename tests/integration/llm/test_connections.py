"""One client for all requests and threads, with nothing of the environment in it."""

import os
import subprocess
import sys
import threading

import pytest

from local.model.script import ScriptedReply
from local.model.server import ModelStandIn
from tests.integration.llm.chatting import DOORS, SHARED, WIRES, Door, ask, say
from tests.integration.llm.conftest import OpenChat
from tests.local.functions_host.hosting import REPOSITORY

every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)

VARIABLES = {
    "ANTHROPIC_API_KEY": "sk-environment",
    "ANTHROPIC_AUTH_TOKEN": "sk-environment",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer sk-environment\nX-Environment: yes",
    "AZURE_OPENAI_AD_TOKEN": "sk-environment",
    "AZURE_OPENAI_API_KEY": "sk-environment",
    "AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "OPENAI_ADMIN_KEY": "sk-environment",
    "OPENAI_API_KEY": "sk-environment",
    "OPENAI_API_VERSION": "1999-01-01",
    "OPENAI_BASE_URL": "http://127.0.0.1:9",
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-environment\nX-Environment: yes",
    "OPENAI_ORG_ID": "org-environment",
    "OPENAI_PROJECT_ID": "project-environment",
}


@every_door
def test_nothing_is_taken_from_the_environment(
    model: ModelStandIn, open_chat: OpenChat, monkeypatch: pytest.MonkeyPatch, door: Door
) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    model.brain = say(ScriptedReply(text="yes"))
    assert open_chat(door).reply(ask()).text == "yes"
    logged = model.calls.calls[0]
    sent = {name.lower() for name in logged.headers}
    unexpected = {name for name in sent if "environment" in name or name.startswith("openai-")}
    assert unexpected == set()
    assert logged.key_accepted is (str(door.provider) != "ollama")
    assert ("authorization" in sent) is (
        door.has_token or not str(door.provider).startswith(("azure", "ollama"))
    )
    assert ("api-key" in sent) is (str(door.provider) == "azure-openai" and not door.has_token)


@every_door
def test_a_connection_serves_the_next_request_too(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    model.brain = say(ScriptedReply(text="yes"))
    chat = open_chat(door)
    for _ in range(4):
        chat.reply(ask())
    assert len({call.connection for call in model.calls.calls}) == 1
    chat.close()
    assert chat.reply(ask()).text == "yes"
    assert len({call.connection for call in model.calls.calls}) == 2


@pytest.mark.parametrize("door", WIRES.values(), ids=WIRES)
def test_a_model_may_write_what_ends_a_stream(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    told = "data: [DONE]\n\ndata: [DONE]\n\nevent: message_stop\n\n" * 20
    model.brain = say(ScriptedReply(text=told))
    assert open_chat(door).reply(ask()).text == told


@pytest.mark.parametrize("door", WIRES.values(), ids=WIRES)
def test_threads_share_a_model(model: ModelStandIn, open_chat: OpenChat, door: Door) -> None:
    model.brain = lambda said: ScriptedReply(text=said.messages[0].texts[-1])
    chat = open_chat(door)
    together = threading.Barrier(8)
    said: dict[int, str] = {}

    def work(number: int) -> None:
        together.wait()
        said[number] = chat.reply(ask(f"request {number}")).text

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {number: f"request {number}" for number in range(8)}


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_sdks_are_imported_with_the_first_request_only() -> None:
    done = run_python(
        "import sys\n"
        "from shared.llm.chat.build import build_chat_model\n"
        "from shared.llm.chat.spec import ChatProvider, ChatSpec\n"
        "for provider in ('anthropic', 'openai', 'ollama'):\n"
        "    build_chat_model(ChatSpec(ChatProvider(provider), 'm'), read_key=lambda: 'x')\n"
        "print(sorted({'anthropic', 'openai', 'httpx2', 'azure.identity'} & set(sys.modules)))\n"
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_no_variable_makes_the_sdks_log_a_prompt(model: ModelStandIn) -> None:
    model.brain = say(ScriptedReply(text="yes"))
    done = run_python(
        "import logging, sys\n"
        "logging.basicConfig(level=logging.DEBUG)\n"
        "from shared.llm.chat.build import build_chat_model\n"
        "from tests.integration.llm.chatting import WIRES, ask\n"
        "for door in WIRES.values():\n"
        f"    spec = door.specify({model.base_url!r})\n"
        f"    chat = build_chat_model(spec, read_key=lambda: {model.key!r})\n"
        "    for _ in range(2):\n"
        "        print(chat.reply(ask()).text)\n"
        "    chat.close()\n",
        ANTHROPIC_LOG="debug",
        OPENAI_LOG="debug",
    )
    assert done.stdout.split() == ["yes"] * 6, done.stderr[-2000:]
    assert SHARED[:30] not in done.stderr
    assert "buttons" not in done.stderr
    assert model.key not in done.stderr
