"""Every call is allowed before it is made and charged when it is answered, as the server counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.model.script import Fault, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.domain.errors import PolicyError
from shared.llm.chat.build import build_chat_model
from shared.llm.drafting import ModelDrafter
from shared.llm.model_clarifier import ModelClarifier
from shared.llm.provider import ModelError, Usage
from shared.llm.terms import DraftingTerms
from tests.integration.llm.chatting import DOORS, WIRES, Door
from tests.integration.llm.conftest import OpenChat, OpenDrafter
from tests.integration.llm.desk import (
    RED,
    WRONG,
    Ledger,
    build_question,
    build_request,
    call,
    talk,
)

both_wires = pytest.mark.parametrize("door", WIRES.values(), ids=WIRES)
LONG = "The file styles.css holds: button { color: blue; }\n" * 200


def count(model: ModelStandIn) -> list[Usage]:
    return [
        Usage(one.tokens_in, one.tokens_cached, one.tokens_cache_written, one.tokens_out)
        for one in model.calls.calls
    ]


@pytest.mark.parametrize("name", ["anthropic", "openai", "openai-reasoning"])
def test_usage_is_what_the_server_counted(
    model: ModelStandIn, open_drafter: OpenDrafter, name: str
) -> None:
    ledger = Ledger()
    model.brain = talk(call("list_files", folder=""), WRONG, RED)
    draft = open_drafter(DOORS[name], account=ledger).draft(build_request(context_text=LONG))
    counted = count(model)
    assert len(counted) == 3
    assert [one.usage for one in ledger.charged] == counted
    assert draft.usage == sum(counted[1:], counted[0])
    assert draft.usage.tokens_cached > 2000
    assert [(one.purpose, one.round) for one in ledger.charged] == [
        ("draft", 1),
        ("draft", 2),
        ("repair", 3),
    ]
    assert {one.model for one in ledger.charged} == {DOORS[name].model}


@both_wires
def test_a_budget_that_ends_in_the_middle_stops_the_draft(
    model: ModelStandIn, open_drafter: OpenDrafter, door: Door
) -> None:
    ledger = Ledger(allowed=2)
    model.brain = talk(WRONG)
    with pytest.raises(PolicyError) as caught:
        open_drafter(door, account=ledger).draft(build_request())
    assert caught.value.code == "budget.job_exhausted"
    assert (len(ledger.charged), len(model.calls.calls)) == (2, 2)


def test_nothing_is_asked_where_nothing_is_left(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    drafter = open_drafter(WIRES["openai"], account=Ledger(allowed=0))
    with pytest.raises(PolicyError):
        drafter.draft(build_request())
    with pytest.raises(PolicyError):
        drafter.survey(build_request())
    assert model.calls.calls == []


def test_a_call_that_nobody_answered_is_not_charged(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    ledger = Ledger()
    model.brain = talk(ScriptedReply(fault=Fault(status=529)))
    with pytest.raises(ModelError):
        open_drafter(WIRES["anthropic"], account=ledger).draft(build_request())
    assert (ledger.checks, ledger.charged) == (1, [])


@pytest.mark.parametrize("how", ["reset", "end", "error"])
def test_what_is_known_of_a_reply_that_broke_off_is_charged(
    model: ModelStandIn, open_drafter: OpenDrafter, how: str
) -> None:
    ledger = Ledger()

    def answer(said: PlainConversation) -> ScriptedReply:
        if said.wire == "anthropic":
            return replace(RED, fault=Fault(break_after_events=3, how=how))
        return RED

    model.brain = answer
    draft = open_drafter(WIRES["anthropic"], WIRES["openai"], account=ledger).draft(build_request())
    broken, whole = ledger.charged
    assert (broken.provider, broken.model) == ("anthropic", WIRES["anthropic"].model)
    assert (whole.provider, draft.provider) == ("openai", "openai")
    assert (broken.usage.tokens_in, whole.usage) == (count(model)[0].tokens_in, count(model)[1])
    assert broken.usage.tokens_in > 500
    assert broken.usage.tokens_out < whole.usage.tokens_out
    assert draft.usage == broken.usage + whole.usage


def test_nothing_is_charged_where_nothing_was_told(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    ledger = Ledger()
    model.brain = talk(replace(RED, fault=Fault(break_after_events=3)))
    with pytest.raises(ModelError):
        open_drafter(WIRES["openai"], account=ledger).draft(build_request())
    assert ledger.charged == []


def test_behind_the_deadline_nothing_is_asked(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    over = datetime.now(UTC) - timedelta(seconds=1)
    drafter = open_drafter(WIRES["anthropic"], WIRES["openai"])
    with pytest.raises(ModelError) as caught:
        drafter.draft(build_request(deadline=over))
    assert caught.value.code == "model.out_of_time"
    assert caught.value.details == {"calls": []}
    assert model.calls.calls == []


def test_a_deadline_ends_a_draft_in_the_middle(model: ModelStandIn) -> None:
    ledger = Ledger()
    model.brain = talk(WRONG)
    request = build_request()

    def tell_time() -> datetime:
        return request.deadline - timedelta(seconds=-1 if ledger.charged else 20)

    spec = WIRES["openai"].specify(model.base_url)
    chat = build_chat_model(spec, read_key=lambda: model.key, clock=tell_time)
    try:
        with pytest.raises(ModelError) as caught:
            ModelDrafter([chat], ledger, DraftingTerms()).draft(request)
    finally:
        chat.close()
    assert caught.value.code == "model.out_of_time"
    assert (len(ledger.charged), len(model.calls.calls)) == (1, 1)


@pytest.mark.parametrize("name", ["anthropic", "anthropic-thinking", "openai", "openai-reasoning"])
def test_a_warm_prompt_serves_every_variant(
    model: ModelStandIn, open_drafter: OpenDrafter, name: str
) -> None:
    ledger = Ledger()
    model.brain = talk(ScriptedReply(text="Ready."), RED)
    drafter = open_drafter(DOORS[name], account=ledger)
    requests = [
        build_request(context_text=LONG, variant=number, variants=3) for number in (1, 2, 3)
    ]
    assert drafter.survey(requests[0]).turns == ()
    for request in requests:
        drafter.draft(request)
    assert [one.purpose for one in ledger.charged] == ["warm", "draft", "draft", "draft"]
    warm, *drafts = count(model)
    assert warm.tokens_cached == 0
    assert [one.tokens_cached > 2500 for one in drafts] == [True] * 3


@both_wires
def test_judging_is_charged_too(model: ModelStandIn, open_chat: OpenChat, door: Door) -> None:
    ledger = Ledger()
    model.brain = talk(call("judge_command", clear=True, question="", readings=[], likeliest=0))
    assert ModelClarifier([open_chat(door)], ledger).clarify(build_question()) is None
    assert [(one.purpose, one.usage) for one in ledger.charged] == [("clarify", count(model)[0])]
    with pytest.raises(PolicyError):
        ModelClarifier([open_chat(door)], Ledger(allowed=0)).clarify(build_question())
