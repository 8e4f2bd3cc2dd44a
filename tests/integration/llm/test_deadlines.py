"""A reply that would come too late is given up, wherever it hangs, and the connection is closed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from local.model.script import Fault, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.llm.chat.build import build_chat_model
from shared.llm.provider import ModelCode, ModelError
from tests.integration.llm.chatting import WIRES, Door, ask, fail, say
from tests.integration.llm.conftest import OpenChat

every_wire = pytest.mark.parametrize("door", WIRES.values(), ids=WIRES)


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(200):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to it")


def find_failure(chat: object, within_s: float) -> tuple[ModelError, float]:
    began = time.monotonic()
    with pytest.raises(ModelError) as failed:
        chat.reply(ask(within_s=within_s))  # type: ignore[attr-defined]
    return failed.value, time.monotonic() - began


@every_wire
@pytest.mark.parametrize(
    "fault",
    [
        {"slow_s": 0.05},
        {"break_after_events": 2, "how": "silence", "slow_s": 0.05},
        {"break_after_events": 2, "how": "silence"},
    ],
    ids=["slow events", "nothing but pings", "nothing at all"],
)
def test_a_stream_is_hung_up_when_the_time_is_over(
    model: ModelStandIn, open_chat: OpenChat, door: Door, fault: dict[str, object]
) -> None:
    chat = open_chat(door)
    model.brain = say(ScriptedReply(text="warm"))
    chat.reply(ask())  # imports are not what is measured
    model.brain = fail(text="red " * 20_000, **fault)
    error, took_s = find_failure(chat, 0.5)
    assert error.code == ModelCode.OUT_OF_TIME
    assert took_s < 3
    # only Anthropic tells of tokens before the end
    assert (error.told is not None and error.told.tokens_in > 0) == (door is WIRES["anthropic"])
    slow_s = fault.get("slow_s")
    if slow_s:
        wait_until(lambda: model.calls.calls[-1].hung_up)


@every_wire
def test_a_slow_stream_that_ends_in_time_is_a_reply(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    model.brain = say(ScriptedReply(text="red " * 200, fault=Fault(slow_s=0.02)))
    assert open_chat(door).reply(ask()).text == "red " * 200


@every_wire
def test_an_answer_that_never_begins_is_given_up(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    chat = open_chat(door)
    model.brain = say(ScriptedReply(text="warm"))
    chat.reply(ask())

    def hesitate(_: PlainConversation) -> ScriptedReply:
        time.sleep(1.0)
        return ScriptedReply(text="late")

    model.brain = hesitate
    error, took_s = find_failure(chat, 0.3)
    assert error.code == ModelCode.OUT_OF_TIME
    assert took_s < 0.9


@every_wire
def test_silence_is_a_timeout_while_there_is_time(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    model.brain = fail(text="red " * 500, break_after_events=2, how="silence")
    error, _ = find_failure(open_chat(door, silence_s=0.3), 20)
    assert error.code == ModelCode.TIMEOUT


@every_wire
def test_when_the_time_is_over_nothing_is_sent(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    error, _ = find_failure(open_chat(door), -1)
    assert error.code == ModelCode.OUT_OF_TIME
    assert model.calls.calls == []


def test_the_deadline_is_by_the_clock_that_was_given(model: ModelStandIn) -> None:
    door = WIRES["anthropic"]
    late = datetime(2100, 1, 1, tzinfo=UTC)
    chat = build_chat_model(
        door.specify(model.base_url), read_key=lambda: model.key, clock=lambda: late
    )
    assert find_failure(chat, 20)[0].code == ModelCode.OUT_OF_TIME
