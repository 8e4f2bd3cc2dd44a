"""A chain of providers: who is asked, who serves, and what the circuit breakers are told."""

from typing import Any

import pytest

from local.model.script import Fault, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.domain.errors import Verdict
from shared.llm.chat.build import build_chat_model
from shared.llm.drafting import ModelDrafter
from shared.llm.model_clarifier import ModelClarifier
from shared.llm.provider import ModelError
from shared.llm.terms import DraftingTerms
from tests.integration.llm.chatting import DOORS, WIRES
from tests.integration.llm.conftest import OpenChat, OpenDrafter
from tests.integration.llm.desk import (
    RED,
    WRONG,
    Ledger,
    Talk,
    build_question,
    build_request,
    call,
    talk,
)

ANTHROPIC, OPENAI = WIRES["anthropic"], WIRES["openai"]


def refuse(status: int, **headers: str) -> ScriptedReply:
    return ScriptedReply(fault=Fault(status=status, headers=headers))


def by_wire(**answers: ScriptedReply) -> Talk:
    return talk(lambda said: answers[said.wire])


def outcome(provider: str, code: str | None = None, after: float | None = None) -> dict[str, Any]:
    return {"provider": provider, "ok": code is None, "code": code, "retry_after_s": after}


FAULTS = {
    429: ("model.rate_limited", Verdict.RETRY),
    401: ("model.credential_refused", Verdict.BUG),
    402: ("model.quota_exhausted", Verdict.POLICY),
    404: ("model.not_found", Verdict.BUG),
    500: ("model.unavailable", Verdict.RETRY),
    529: ("model.overloaded", Verdict.RETRY),
}


@pytest.mark.parametrize("status", FAULTS)
@pytest.mark.parametrize(("first", "second"), [(ANTHROPIC, OPENAI), (OPENAI, ANTHROPIC)])
def test_the_second_serves_where_the_first_is_out(
    model: ModelStandIn, open_drafter: OpenDrafter, first: Any, second: Any, status: int
) -> None:
    model.brain = by_wire(**{first.provider: refuse(status), second.provider: RED})
    draft = open_drafter(first, second).draft(build_request())
    assert (draft.provider, draft.model) == (str(second.provider), second.model)
    code, _ = FAULTS[status]
    assert draft.outcomes == (outcome(first.provider, code), outcome(second.provider))


def test_a_key_that_is_not_there_is_the_first_ones_fault(
    model: ModelStandIn, open_chat: OpenChat
) -> None:
    model.brain = talk(RED)
    chats = [open_chat(ANTHROPIC, read_key=lambda: ""), open_chat(OPENAI)]
    draft = ModelDrafter(chats, Ledger(), DraftingTerms()).draft(build_request())
    assert draft.provider == "openai"
    assert draft.outcomes[0] == outcome("anthropic", "model.credential_refused")


def test_who_served_last_is_asked_first(model: ModelStandIn, open_drafter: OpenDrafter) -> None:
    model.brain = by_wire(anthropic=refuse(529), openai=call("list_files", folder=""))
    with pytest.raises(ModelError):
        open_drafter(ANTHROPIC, OPENAI, tool_rounds=1, repair_rounds=0).draft(build_request())
    assert [one.wire for one in model.calls.calls] == ["anthropic", "openai", "openai", "openai"]


def test_a_draft_goes_on_with_the_second_in_the_middle(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    def decide(said: PlainConversation) -> ScriptedReply:
        if said.wire == "openai":
            assert any(message.calls for message in said.messages), "it is told what was said"
            return RED
        return WRONG if len(said.messages) == 1 else refuse(500)

    model.brain = decide
    ledger = Ledger()
    draft = open_drafter(ANTHROPIC, OPENAI, account=ledger).draft(build_request())
    assert (draft.provider, draft.repair_rounds) == ("openai", 1)
    assert [call.provider for call in ledger.charged] == ["anthropic", "openai"]
    assert draft.outcomes == (outcome("anthropic", "model.unavailable"), outcome("openai"))


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_fault_of_the_request_is_nobody_elses(
    model: ModelStandIn, open_drafter: OpenDrafter, status: int
) -> None:
    model.brain = by_wire(anthropic=refuse(status), openai=RED)
    with pytest.raises(ModelError) as caught:
        open_drafter(ANTHROPIC, OPENAI).draft(build_request())
    assert caught.value.verdict is Verdict.BUG
    assert caught.value.details == {"calls": []}
    assert [one.wire for one in model.calls.calls] == ["anthropic"]


def test_all_out_is_tried_again_as_late_as_was_asked(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    model.brain = by_wire(anthropic=refuse(401), openai=refuse(429, **{"retry-after": "7"}))
    with pytest.raises(ModelError) as caught:
        open_drafter(ANTHROPIC, OPENAI).draft(build_request())
    assert (caught.value.code, caught.value.verdict) == ("model.rate_limited", Verdict.RETRY)
    assert caught.value.retry_after_s == 7
    assert caught.value.details["calls"] == [
        outcome("anthropic", "model.credential_refused"),
        outcome("openai", "model.rate_limited", 7.0),
    ]


def test_no_try_follows_where_none_can_help(model: ModelStandIn, open_drafter: OpenDrafter) -> None:
    model.brain = by_wire(anthropic=refuse(401), openai=refuse(404))
    with pytest.raises(ModelError) as caught:
        open_drafter(ANTHROPIC, OPENAI).draft(build_request())
    assert (caught.value.code, caught.value.verdict) == ("model.credential_refused", Verdict.BUG)


def test_only_who_is_admitted_is_asked(model: ModelStandIn, open_drafter: OpenDrafter) -> None:
    model.brain = talk(RED)
    drafter = open_drafter(ANTHROPIC, OPENAI)
    assert drafter.draft(build_request(admitted=("openai",))).provider == "openai"
    assert drafter.name == "anthropic"
    with pytest.raises(ModelError) as caught:
        drafter.draft(build_request(admitted=()))
    assert (caught.value.code, caught.value.verdict) == ("model.none_available", Verdict.RETRY)
    assert [one.wire for one in model.calls.calls] == ["openai"]


CLEAR = call("judge_command", clear=True, question="", readings=[], likeliest=0)


def test_a_command_is_judged_by_those_who_are_admitted(
    model: ModelStandIn, open_chat: OpenChat
) -> None:
    model.brain = by_wire(anthropic=CLEAR, openai=refuse(529))
    clarifier = ModelClarifier([open_chat(OPENAI), open_chat(ANTHROPIC)], Ledger())
    assert clarifier.clarify(build_question(admitted=("anthropic",))) is None
    assert [one.wire for one in model.calls.calls] == ["anthropic"]
    with pytest.raises(ModelError) as caught:
        clarifier.clarify(build_question(admitted=("openai",)))
    assert caught.value.details == {"calls": [outcome("openai", "model.overloaded")]}


def test_nobody_listens() -> None:
    chat = build_chat_model(DOORS["compatible"].specify("http://127.0.0.1:1"))
    try:
        with pytest.raises(ModelError) as caught:
            ModelDrafter([chat], Ledger(), DraftingTerms()).draft(build_request())
    finally:
        chat.close()
    assert caught.value.code == "model.unavailable"
    assert caught.value.details["calls"] == [outcome("openai-compatible", "model.unavailable")]
