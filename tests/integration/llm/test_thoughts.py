"""What a model thought goes back to who sealed it, in its place, and nowhere else."""

import json
from dataclasses import replace

import pytest

from local.model.script import ScriptedReply
from local.model.server import ModelStandIn
from shared.llm.conversation import ChatReply, Role, Thought, ToolResult, Turn
from shared.llm.provider import ModelError
from shared.llm.survey import turns_to_plain
from tests.integration.llm.chatting import DOORS, ask
from tests.integration.llm.conftest import OpenChat, OpenDrafter
from tests.integration.llm.desk import RED, WRONG, build_request, call, call_all, talk

LOOK = call("read_file", path="docs/guide.md", first_line=None, last_line=None)
TWO = call_all(LOOK, LOOK)
READY = ScriptedReply(text="Ready.")
REASONING = DOORS["openai-reasoning"]


def answer(reply: ChatReply, *thoughts: Thought) -> tuple[Turn, Turn]:
    """Take a reply into a conversation, with these thoughts, and answer its calls."""
    results = tuple(ToolResult(one.id, "seen") for one in reply.calls)
    return (
        Turn(Role.ASSISTANT, reply.text, reply.calls, thoughts=thoughts),
        Turn(Role.USER, results=results),
    )


def test_each_round_of_a_draft_carries_what_was_thought_before(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    brain = model.brain = talk(TWO, WRONG, RED)
    open_drafter(REASONING).draft(build_request())
    assert [len(said.thoughts) for said in brain.heard] == [0, 1, 2]
    assert brain.heard[2].thoughts[:1] == brain.heard[1].thoughts
    assert len(set(brain.heard[2].thoughts)) == 2


@pytest.mark.parametrize("name", ["openai", "openai-responses", "anthropic"])
def test_no_thoughts_are_asked_for_where_none_are_sealed(
    model: ModelStandIn, open_drafter: OpenDrafter, name: str
) -> None:
    brain = model.brain = talk(LOOK, RED)
    open_drafter(DOORS[name]).draft(build_request())
    assert [said.thoughts for said in brain.heard] == [(), ()]


def test_thoughts_between_calls_keep_their_places(model: ModelStandIn, open_chat: OpenChat) -> None:
    brain = model.brain = talk(TWO, TWO, READY)
    chat = open_chat(REASONING)
    first = chat.reply(ask())
    other = chat.reply(ask()).thoughts[0]
    placed = [replace(other, calls_before=1), first.thoughts[0], replace(other, calls_before=2)]
    chat.reply(ask("Make it red.", *answer(first, *placed)))
    # the last one has nothing behind it, and would be refused
    assert brain.heard[2].thoughts == (first.thoughts[0].id, other.id)


def test_nobody_is_sent_what_somebody_else_sealed(model: ModelStandIn, open_chat: OpenChat) -> None:
    brain = model.brain = talk(LOOK, READY)
    first = open_chat(REASONING).reply(ask())
    open_chat(DOORS["azure-v1-responses"]).reply(ask("Red.", *answer(first, *first.thoughts)))
    open_chat(DOORS["anthropic"]).reply(ask("Red.", *answer(first, *first.thoughts)))
    assert [said.thoughts for said in brain.heard[1:]] == [(), ()]


def test_a_seal_that_the_provider_cannot_open_is_its_own_fault(
    model: ModelStandIn, open_chat: OpenChat
) -> None:
    model.brain = talk(LOOK, READY)
    chat = open_chat(REASONING)
    first = chat.reply(ask())
    broken = replace(first.thoughts[0], sealed="broken")
    with pytest.raises(ModelError) as caught:
        chat.reply(ask("Red.", *answer(first, broken)))
    assert (caught.value.code, "broken" in str(caught.value)) == ("model.unavailable", False)


def test_thoughts_are_neither_shown_nor_kept(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    brain = model.brain = talk(LOOK, READY, RED)
    drafter = open_drafter(REASONING)
    survey = drafter.survey(build_request()).turns
    drafter.draft(build_request(survey=survey))
    assert [said.thoughts for said in brain.heard] == [(), (), ()]
    thought = Thought("rs_1", "sealed-content", "openai")
    turn = Turn(Role.ASSISTANT, "Well.", thoughts=(thought,))
    assert "sealed-content" not in repr(turn) + json.dumps(turns_to_plain([turn]))
