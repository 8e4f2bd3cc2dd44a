"""Every way to a model carries text, calls, results, reasons and usage there and back."""

import json
from dataclasses import replace

import pytest

from local.model.script import PlainCall, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.llm.chat.spec import ChatProvider
from shared.llm.conversation import Conversation, Role, StopReason, ToolCall, ToolResult, Turn
from shared.llm.provider import ModelError, Usage
from tests.integration.llm.chatting import DOORS, SHARED, WIRES, Door, ask, say, submit_then_thank
from tests.integration.llm.conftest import OpenChat

every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
every_wire = pytest.mark.parametrize("door", WIRES.values(), ids=WIRES)


@every_door
def test_a_reply_arrives_whole_with_the_usage_that_the_server_counted(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    told = "Red it is: \u201crot\u201d. " * 100
    model.brain = say(ScriptedReply(text=told))
    chat = open_chat(door)
    replies = [chat.reply(ask()) for _ in range(2)]
    assert [reply.text for reply in replies] == [told, told]
    assert {reply.stop for reply in replies} == {StopReason.DONE}
    assert {reply.model for reply in replies} == {door.model}
    assert (chat.provider, chat.model) == (str(door.provider), door.model)
    assert all(call.streamed and call.finished for call in model.calls.calls)
    assert [reply.usage for reply in replies] == [
        Usage(call.tokens_in, call.tokens_cached, call.tokens_cache_written, call.tokens_out)
        for call in model.calls.calls
    ]
    assert replies[0].usage.tokens_in > 2500
    assert replies[0].usage.tokens_out > 400


@every_door
def test_calls_and_their_results_go_round(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    model.brain = submit_then_thank
    chat = open_chat(door)
    first = chat.reply(ask())
    assert first.stop is StopReason.CALLS
    assert first.text == "Two edits:"
    assert [json.loads(call.arguments)["edits"] for call in first.calls] == [
        "/* gr\u00fcn */",
        "x" * 500,
    ]
    results = tuple(
        ToolResult(call.id, f"result {at}", is_error=at == 1) for at, call in enumerate(first.calls)
    )
    second = chat.reply(
        ask(
            "Make all buttons red.",
            Turn(Role.ASSISTANT, first.text, calls=first.calls),
            Turn(Role.USER, "Go on.", results=results),
        )
    )
    assert second.stop is StopReason.DONE
    assert second.text.startswith("result 0 | ")
    assert second.text.endswith("result 1")


@every_wire
def test_what_is_said_arrives_in_order(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    heard: list[PlainConversation] = []

    def listen(said: PlainConversation) -> ScriptedReply:
        heard.append(said)
        return ScriptedReply(text="yes")

    model.brain = listen
    open_chat(door).reply(ask("Make it red.", temperature=0.5, must_call="submit_edits"))
    assert heard[0].system == "You edit files."
    assert [(one.role, one.texts) for one in heard[0].messages] == [
        ("user", (SHARED, "Make it red."))
    ]
    assert heard[0].tools["submit_edits"]["additionalProperties"] is False
    assert (heard[0].must_call, heard[0].temperature) == ("submit_edits", 0.5)
    assert heard[0].max_tokens == 1000


@pytest.mark.parametrize("name", ["anthropic-thinking", "openai-reasoning", "azure-v1"])
def test_a_temperature_that_would_be_refused_is_left_out(
    model: ModelStandIn, open_chat: OpenChat, name: str
) -> None:
    model.brain = say(ScriptedReply(text="yes"))
    assert open_chat(DOORS[name]).reply(ask(temperature=0.3)).text == "yes"
    assert model.calls.calls[-1].temperature is None


@pytest.mark.parametrize(
    ("name", "wished", "demanded"),
    [
        ("anthropic", "any", "any"),
        ("anthropic-thinking", "any", None),
        ("anthropic-thinking", "submit_edits", None),
        ("openai", "any", "any"),
        ("openai-reasoning", "submit_edits", "submit_edits"),
        ("anthropic", None, None),
        ("openai", None, None),
    ],
)
def test_a_call_is_demanded_where_the_model_allows_it(
    model: ModelStandIn, open_chat: OpenChat, name: str, wished: str | None, demanded: str | None
) -> None:
    model.brain = say(ScriptedReply(text="yes"))
    open_chat(DOORS[name]).reply(ask(must_call=wished))
    assert model.calls.calls[-1].must_call == demanded


@pytest.mark.parametrize("name", ["anthropic", "openai-reasoning", "azure-v1-responses", "ollama"])
@pytest.mark.parametrize("effort", ["high", ""])
def test_an_effort_is_sent_where_one_is_set(
    model: ModelStandIn, open_chat: OpenChat, name: str, effort: str
) -> None:
    heard: list[str | None] = []

    def listen(said: PlainConversation) -> ScriptedReply:
        heard.append(said.effort)
        return ScriptedReply(text="yes")

    model.brain = listen
    open_chat(DOORS[name], effort=effort).reply(ask())
    assert heard == [effort or None]


@pytest.mark.parametrize(
    ("name", "effort", "parameter"),
    [
        ("anthropic", "xhigh", "effort"),
        ("openai", "low", "reasoning_effort"),
        ("openai-responses", "low", "reasoning.effort"),
        ("openai-always-reasoning", "none", "reasoning.effort"),
    ],
)
def test_an_effort_that_a_model_does_not_take_is_named(
    model: ModelStandIn, open_chat: OpenChat, name: str, effort: str, parameter: str
) -> None:
    model.brain = say(ScriptedReply(text="yes"))
    with pytest.raises(ModelError, match=f"about `{parameter}`") as caught:
        open_chat(DOORS[name], effort=effort).reply(ask())
    assert caught.value.code == "model.request_refused"
    assert model.calls.calls[-1].tokens_out == 0


def test_a_setting_overrules_the_name(model: ModelStandIn, open_chat: OpenChat) -> None:
    model.brain = say(ScriptedReply(text="yes"))
    chat = open_chat(DOORS["azure-v1"], takes_temperature=True)
    chat.reply(ask(temperature=0.3))
    assert model.calls.calls[-1].temperature == 0.3


@every_wire
@pytest.mark.parametrize(
    ("reply", "stop"),
    [
        (ScriptedReply(text="I may not.", stop="refused"), StopReason.REFUSED),
        (ScriptedReply(stop="refused"), StopReason.REFUSED),
        (ScriptedReply(text="half", stop="length"), StopReason.LENGTH),
        (ScriptedReply(text="long " * 2000), StopReason.LENGTH),
    ],
    ids=["refused", "filtered", "length", "over the limit"],
)
def test_a_reply_says_why_it_ends(
    model: ModelStandIn,
    open_chat: OpenChat,
    door: Door,
    reply: ScriptedReply,
    stop: StopReason,
) -> None:
    model.brain = say(reply)
    answered = open_chat(door).reply(ask())
    assert answered.stop is stop
    assert answered.text == reply.text[:4000]
    assert answered.usage.tokens_out == model.calls.calls[0].tokens_out > 0


@every_wire
def test_arguments_that_are_no_json_come_as_they_are_and_can_be_sent_back(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    model.brain = say(ScriptedReply(calls=(PlainCall("submit_edits", '{"edits": "a'),)))
    chat = open_chat(door)
    calls = chat.reply(ask()).calls
    assert [call.arguments for call in calls] == ['{"edits": "a']
    model.brain = lambda said: ScriptedReply(text=said.messages[1].calls[0].arguments)
    again = chat.reply(
        ask(
            "Make it red.",
            Turn(Role.ASSISTANT, calls=calls),
            Turn(Role.USER, results=(ToolResult(calls[0].id, "no JSON", is_error=True),)),
        )
    )
    assert '{\\"edits\\": \\"a' in again.text or again.text == '{"edits": "a'


def test_a_call_without_arguments_is_an_empty_object(
    model: ModelStandIn, open_chat: OpenChat
) -> None:
    model.brain = say(ScriptedReply(calls=(PlainCall("submit_edits", "", id="toolu_1"),)))
    reply = open_chat(DOORS["anthropic"]).reply(ask())
    assert reply.calls == (ToolCall("toolu_1", "submit_edits", "{}"),)


@every_wire
def test_an_empty_turn_of_the_model_is_not_sent_back(
    model: ModelStandIn, open_chat: OpenChat, door: Door
) -> None:
    model.brain = lambda said: ScriptedReply(text=" ".join(one.role for one in said.messages))
    turns = (Turn(Role.ASSISTANT, ""), Turn(Role.USER, "Do answer."))
    assert open_chat(door).reply(ask("Make it red.", *turns)).text == "user user"


@every_door
def test_a_conversation_may_be_bare(model: ModelStandIn, open_chat: OpenChat, door: Door) -> None:
    model.brain = lambda said: ScriptedReply(
        text=f"{said.system!r} {len(said.tools)} {said.messages[0].texts}"
    )
    bare = Conversation(system="", tools=(), shared="", turns=(Turn(Role.USER, "Hello."),))
    chat = open_chat(door)
    assert chat.reply(ask(conversation=bare, cache_key="")).text == "'' 0 ('Hello.',)"
    system = replace(bare, system="Be brief. " * 1000)
    replies = [chat.reply(ask(conversation=system, cache_key="")) for _ in range(2)]
    assert "Be brief." in replies[0].text
    if door.provider is not ChatProvider.OLLAMA:
        assert replies[1].usage.tokens_cached > 1024


def test_a_smaller_limit_than_responses_takes_is_raised(
    model: ModelStandIn, open_chat: OpenChat
) -> None:
    heard: list[int | None] = []

    def listen(said: PlainConversation) -> ScriptedReply:
        heard.append(said.max_tokens)
        return ScriptedReply(text="long " * 2000)

    model.brain = listen
    reply = open_chat(DOORS["openai-responses"]).reply(ask(max_output_tokens=1))
    assert heard == [16]
    assert (reply.stop, reply.text) == (StopReason.LENGTH, ("long " * 2000)[:64])
