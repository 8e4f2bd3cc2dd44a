"""What a provider does instead of replying has a code and a verdict, and tells no prompt."""

from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from local.model.server import ModelStandIn
from shared.domain.circuit import MAX_RETRY_AFTER_S
from shared.domain.errors import Verdict
from shared.llm.chat.build import build_chat_model
from shared.llm.chat.failures import read_retry_after
from shared.llm.chat.spec import ChatApi, ChatProvider
from shared.llm.provider import ModelCode, ModelError
from tests.integration.llm.chatting import DOORS, SHARED, WIRES, Door, ask, fail
from tests.integration.llm.conftest import OpenChat
from tests.loopback import QuietHandler, serve_on_loopback

every_wire = pytest.mark.parametrize("door", WIRES.values(), ids=WIRES)
ANTHROPIC, OPENAI = DOORS["anthropic"], DOORS["openai"]
RESPONSES = DOORS["openai-responses"]
AZURE = DOORS["azure-dated"]


def find_failure(chat: Any, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as failed:
        chat.reply(ask(**options))
    assert failed.value.__context__ is None  # a chained exception would tell what was said
    return failed.value


@pytest.mark.parametrize(
    ("door", "fault", "code"),
    [
        (ANTHROPIC, {"status": 400}, ModelCode.REQUEST_REFUSED),
        (ANTHROPIC, {"status": 401}, ModelCode.CREDENTIAL_REFUSED),
        (ANTHROPIC, {"status": 402}, ModelCode.QUOTA_EXHAUSTED),
        (ANTHROPIC, {"status": 403}, ModelCode.CREDENTIAL_REFUSED),
        (ANTHROPIC, {"status": 404}, ModelCode.NOT_FOUND),
        (ANTHROPIC, {"status": 413}, ModelCode.CONTEXT_TOO_LONG),
        (ANTHROPIC, {"status": 422, "type": "x"}, ModelCode.REQUEST_REFUSED),
        (ANTHROPIC, {"status": 429}, ModelCode.RATE_LIMITED),
        (ANTHROPIC, {"status": 500}, ModelCode.UNAVAILABLE),
        (ANTHROPIC, {"status": 502, "type": "x"}, ModelCode.UNAVAILABLE),
        (ANTHROPIC, {"status": 503, "type": "x"}, ModelCode.OVERLOADED),
        (ANTHROPIC, {"status": 504}, ModelCode.TIMEOUT),
        (ANTHROPIC, {"status": 529}, ModelCode.OVERLOADED),
        (
            ANTHROPIC,
            {"status": 400, "message": "Your credit balance is too low to access the API."},
            ModelCode.QUOTA_EXHAUSTED,
        ),
        (
            ANTHROPIC,
            {"status": 400, "message": "You have reached your specified API usage limits."},
            ModelCode.QUOTA_EXHAUSTED,
        ),
        (OPENAI, {"status": 400}, ModelCode.REQUEST_REFUSED),
        (OPENAI, {"status": 400, "type": "content_filter"}, ModelCode.DECLINED),
        (OPENAI, {"status": 401}, ModelCode.CREDENTIAL_REFUSED),
        (OPENAI, {"status": 402}, ModelCode.QUOTA_EXHAUSTED),
        (OPENAI, {"status": 403}, ModelCode.CREDENTIAL_REFUSED),
        (OPENAI, {"status": 404}, ModelCode.NOT_FOUND),
        (OPENAI, {"status": 408}, ModelCode.TIMEOUT),
        (OPENAI, {"status": 422}, ModelCode.REQUEST_REFUSED),
        (OPENAI, {"status": 429}, ModelCode.RATE_LIMITED),
        (OPENAI, {"status": 429, "type": "insufficient_quota"}, ModelCode.QUOTA_EXHAUSTED),
        (OPENAI, {"status": 500}, ModelCode.UNAVAILABLE),
        (OPENAI, {"status": 503}, ModelCode.OVERLOADED),
        (RESPONSES, {"status": 400}, ModelCode.REQUEST_REFUSED),
        (RESPONSES, {"status": 400, "type": "invalid_prompt"}, ModelCode.DECLINED),
        (RESPONSES, {"status": 401}, ModelCode.CREDENTIAL_REFUSED),
        (RESPONSES, {"status": 404}, ModelCode.NOT_FOUND),
        (RESPONSES, {"status": 429}, ModelCode.RATE_LIMITED),
        (RESPONSES, {"status": 503}, ModelCode.OVERLOADED),
        (AZURE, {"status": 400, "type": "content_filter"}, ModelCode.DECLINED),
        (AZURE, {"status": 401}, ModelCode.CREDENTIAL_REFUSED),
        (AZURE, {"status": 404}, ModelCode.NOT_FOUND),
        (AZURE, {"status": 429}, ModelCode.RATE_LIMITED),
    ],
)
def test_a_refusal_has_a_code(
    model: ModelStandIn, open_chat: OpenChat, door: Door, fault: dict[str, Any], code: ModelCode
) -> None:
    model.brain = fail(**fault)
    error = find_failure(open_chat(door))
    assert error.code == code
    assert error.facts["status"] == fault["status"]
    assert str(error.facts["request_id"]).startswith("req_")
    assert error.facts["provider"] == str(door.provider)
    assert model.calls.calls[-1].status == fault["status"]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (401, Verdict.BUG),
        (402, Verdict.POLICY),
        (429, Verdict.RETRY),
        (529, Verdict.RETRY),
    ],
)
def test_a_code_brings_its_verdict(
    model: ModelStandIn, open_chat: OpenChat, code: int, verdict: Verdict
) -> None:
    model.brain = fail(status=code)
    assert find_failure(open_chat(ANTHROPIC)).verdict is verdict


@every_wire
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e9"}, MAX_RETRY_AFTER_S),
    ],
)
def test_the_wish_to_wait_is_told_and_nothing_is_tried_twice(
    model: ModelStandIn,
    open_chat: OpenChat,
    door: Door,
    status: int,
    headers: dict[str, str],
    wait_s: float | None,
) -> None:
    model.brain = fail(status=status, headers=headers)
    assert find_failure(open_chat(door)).retry_after_s == wait_s
    assert len(model.calls.calls) == 1


def test_a_wish_to_wait_may_be_a_date() -> None:
    assert read_retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert read_retry_after({"retry-after": "nan"}) is None


@every_wire
def test_a_prompt_that_is_too_long_is_named(open_chat: OpenChat, door: Door) -> None:
    assert find_failure(open_chat(door), text="x" * 1_000_000).code == ModelCode.CONTEXT_TOO_LONG


@pytest.mark.parametrize("name", ["anthropic-thinking", "openai-reasoning"])
def test_a_refused_parameter_is_named(open_chat: OpenChat, name: str) -> None:
    error = find_failure(open_chat(DOORS[name], takes_temperature=True), temperature=0.5)
    assert error.code == ModelCode.REQUEST_REFUSED
    assert "about `temperature`" in error.message


@every_wire
@pytest.mark.parametrize("events", [0, 1, 4])
@pytest.mark.parametrize("how", ["reset", "end", "error"])
def test_a_stream_that_breaks_off_is_no_reply(
    model: ModelStandIn, open_chat: OpenChat, door: Door, events: int, how: str
) -> None:
    model.brain = fail(text="red " * 500, break_after_events=events, how=how)
    assert find_failure(open_chat(door)).code == ModelCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("door", "name", "code"),
    [
        (ANTHROPIC, "overloaded_error", ModelCode.OVERLOADED),
        (ANTHROPIC, "rate_limit_error", ModelCode.RATE_LIMITED),
        (OPENAI, "content_filter", ModelCode.DECLINED),
        (OPENAI, "rate_limit_exceeded", ModelCode.RATE_LIMITED),
        (RESPONSES, "server_error", ModelCode.UNAVAILABLE),
        (RESPONSES, "rate_limit_exceeded", ModelCode.RATE_LIMITED),
        (RESPONSES, "invalid_prompt", ModelCode.DECLINED),
        (RESPONSES, "insufficient_quota", ModelCode.QUOTA_EXHAUSTED),
    ],
)
def test_an_error_in_the_middle_of_a_stream_is_named(
    model: ModelStandIn, open_chat: OpenChat, door: Door, name: str, code: ModelCode
) -> None:
    model.brain = fail(text="red " * 500, break_after_events=3, how="error", type=name)
    assert find_failure(open_chat(door)).code == code


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_errors_tell_neither_key_nor_prompt(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    for status in (400, 401, 403, 404, 429, 500):
        model.brain = fail(status=status, message=f"sk-very-secret said: {SHARED}")
        error = find_failure(open_chat(door))
        told = f"{error} {error.message} {error.facts}"
        assert "sk-very-secret" not in told
        assert "styles.css" not in told
        assert "127.0.0.1" not in told


@pytest.mark.parametrize(
    "name", ["anthropic", "openai", "azure-dated", "azure-v1", "azure-dated-identity"]
)
def test_a_rotated_key_is_read_again_once(
    model: ModelStandIn, open_chat: OpenChat, name: str
) -> None:
    model.brain = fail(text="yes")
    door = DOORS[name]
    good = model.options.entra_token if door.has_token else model.key
    keys = iter(["expired", good, good])
    chat = open_chat(door, read_key=lambda: next(keys))
    assert chat.reply(ask()).text == "yes"
    assert chat.reply(ask()).text == "yes"
    assert [call.key_accepted for call in model.calls.calls] == [False, True, True]


@every_wire
def test_a_key_may_be_stored_with_a_line_break(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    model.brain = fail(text="yes")
    assert open_chat(door, read_key=lambda: f"{model.key}\n").reply(ask()).text == "yes"


def test_a_key_that_stays_wrong_is_sent_once_and_not_told(
    model: ModelStandIn, open_chat: OpenChat
) -> None:
    read: list[str] = []

    def read_key() -> str:
        read.append("sk-very-secret")
        return read[-1]

    error = find_failure(open_chat(ANTHROPIC, read_key=read_key))
    assert error.code == ModelCode.CREDENTIAL_REFUSED
    assert "sk-very-secret" not in f"{error} {error.facts}"
    assert (len(read), len(model.calls.calls)) == (2, 1)


@every_wire
@pytest.mark.parametrize("key", ["", " \n", "sk-\u00fc", "sk-1\r\nX-Other: 1"])
def test_without_a_key_nothing_is_sent(
    model: ModelStandIn, open_chat: OpenChat, door: Door, key: str
) -> None:
    error = find_failure(open_chat(door, read_key=lambda: key))
    assert error.code == ModelCode.CREDENTIAL_REFUSED
    assert model.calls.calls == []


@every_wire
def test_nobody_at_the_other_end_is_an_outage(door: Door) -> None:
    chat = build_chat_model(door.specify("http://127.0.0.1:9"), read_key=lambda: "x")
    assert find_failure(chat).code == ModelCode.UNAVAILABLE
    chat.close()


class _Page(QuietHandler):
    """Answers any request with a page, or sends it elsewhere."""

    @override
    def do_POST(self) -> None:  # type: ignore[misc, unused-ignore]
        self.rfile.read(int(self.headers["Content-Length"]))
        moved = self.path.startswith("/moved")
        self.send_response(307 if moved else 200)
        self.send_header("Content-Type", "text/event-stream" if "sse" in self.path else "text/html")
        self.send_header("Location", "/elsewhere")
        body = b'data: {"hello": "there"\n\n' if "sse" in self.path else b"<html>Sign in</html>"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@every_wire
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/page", ModelCode.UNAVAILABLE),
        ("/sse", ModelCode.UNAVAILABLE),
        ("/moved", ModelCode.NOT_FOUND),
    ],
)
def test_somebody_else_at_the_other_end_is_no_model(door: Door, path: str, code: ModelCode) -> None:
    with serve_on_loopback(_Page) as url:
        chat = build_chat_model(door.specify(f"{url}{path}"), read_key=lambda: "x")
        assert find_failure(chat).code == code
        chat.close()


@pytest.mark.parametrize("model_name", ["gpt-5.5", "gpt-5.6", "gpt-6.1-sol"])
def test_tools_are_refused_over_the_other_api(
    model: ModelStandIn, open_chat: OpenChat, model_name: str
) -> None:
    door = Door(ChatProvider.OPENAI, model_name, "/v1", api=ChatApi.COMPLETIONS)
    assert find_failure(open_chat(door)).code == ModelCode.REQUEST_REFUSED
    model.brain = fail(text="yes")
    assert open_chat(replace(door, api=ChatApi.AUTO)).reply(ask()).text == "yes"
