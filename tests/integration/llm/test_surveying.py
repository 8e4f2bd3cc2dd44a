"""What is looked up once serves every variant, and is paid for once."""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.model.script import Fault, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.llm.conversation import Turn
from shared.llm.drafting import ModelDrafter
from shared.llm.provider import DraftRequest, ModelError
from shared.llm.survey import MAX_ROUNDS, turns_from_plain, turns_to_plain
from tests.conftest import RecordFigure
from tests.integration.llm.chatting import DOORS, WIRES
from tests.integration.llm.conftest import OpenDrafter
from tests.integration.llm.desk import RED, Ledger, build_request, call, talk

LONG = "The file styles.css holds: button { color: blue; }\n" * 2000
READY = ScriptedReply(text="Ready.")
LOOK = call("read_file", path="docs/guide.md", first_line=None, last_line=None)
SEEN = "Buttons are blue."
DEAREST = {"anthropic": (0.1, 1.25), "openai": (0.1, 1.0), "openai-reasoning": (0.1, 1.25)}
"""Prices of a token read from a cache and written into it, against a plain one. Over OpenAI's older
wire those of GPT-5.4: GPT-4.1, which is asked here, has a cached token cost a quarter, and ten
readings alone are 2.5 times the prompt."""


def build_requests(
    count: int, survey: tuple[Turn, ...] = (), context: str = LONG
) -> list[DraftRequest]:
    return [
        build_request(context_text=context, variant=number, variants=count, survey=survey)
        for number in range(1, count + 1)
    ]


def draft_all(drafter: ModelDrafter, requests: Sequence[DraftRequest]) -> None:
    with ThreadPoolExecutor(len(requests)) as pool:
        list(pool.map(drafter.draft, requests))


def look_before(said: PlainConversation, looks: int) -> ScriptedReply:
    """Look so many times, wherever it is; then make the change, or leave it to the drafts."""
    if sum(bool(message.calls) for message in said.messages) < looks:
        return LOOK
    return RED if "# Your variant" in said.to_text() else READY


@pytest.mark.parametrize("name", ["anthropic", "openai", "openai-reasoning"])
@pytest.mark.parametrize("looks", [0, 2])
def test_ten_variants_cost_at_most_two_and_a_half_times_one_that_looks_as_often(
    model: ModelStandIn,
    open_drafter: OpenDrafter,
    record_property: RecordFigure,
    name: str,
    looks: int,
) -> None:
    read, write = DEAREST[name]

    def weigh() -> float:
        calls = model.calls.calls
        sums = (
            (one.tokens_in - one.tokens_cached - one.tokens_cache_written)
            + read * one.tokens_cached
            + write * one.tokens_cache_written
            for one in calls
        )
        return sum(sums)

    model.brain = lambda said: look_before(said, looks)
    drafter = open_drafter(DOORS[name])
    drafter.draft(build_requests(1)[0])
    one = weigh()
    model.cache.clear()
    model.calls.clear()

    survey = drafter.survey(build_requests(10)[0]).turns
    draft_all(drafter, build_requests(10, survey))
    assert len(model.calls.calls) == 1 + looks + 10
    assert weigh() <= 2.5 * one
    record_property(
        "figure", f"ten variants over {name}, {looks} looks: {weigh() / one:.2f} times one"
    )


@pytest.mark.parametrize("name", WIRES)
def test_each_variant_sees_what_was_looked_up_before_its_own_request(
    model: ModelStandIn, open_drafter: OpenDrafter, name: str
) -> None:
    ledger = Ledger()
    brain = model.brain = talk(LOOK, READY, RED)
    drafter = open_drafter(WIRES[name], account=ledger)
    turns = drafter.survey(build_requests(2)[0]).turns
    kept = turns_from_plain(turns_to_plain(turns))
    assert kept == turns
    for request in build_requests(2, kept):
        drafter.draft(request)
    assert [one.purpose for one in ledger.charged] == ["warm", "warm", "draft", "draft"]
    surveyed = model.calls.calls[1]
    for heard, counted in zip(brain.heard[2:], model.calls.calls[2:], strict=True):
        told = "\n".join(
            text
            for message in heard.messages
            if message.role == "user"
            for text in (*(text for _, text, _ in message.results), *message.texts)
        )
        assert told.index("# Before it is") < told.index(SEEN) < told.index("# Your variant")
        assert counted.tokens_cached >= surveyed.tokens_in - 128


def test_a_survey_ends_after_its_rounds_and_keeps_what_it_has(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    model.brain = talk(LOOK)
    survey = open_drafter(WIRES["anthropic"]).survey(build_request())
    assert len(model.calls.calls) == MAX_ROUNDS + 1
    assert [bool(turn.results) for turn in survey.turns] == [False, *(False, True) * MAX_ROUNDS]


@pytest.mark.parametrize("second", [ScriptedReply(fault=Fault(status=529)), RED, READY])
def test_whatever_ends_a_survey_leaves_what_was_looked_up(
    model: ModelStandIn, open_drafter: OpenDrafter, second: ScriptedReply
) -> None:
    model.brain = talk(LOOK, second)
    survey = open_drafter(WIRES["openai"]).survey(build_request())
    assert [SEEN in str(turn) for turn in survey.turns] == [False, False, True]
    assert [outcome.ok for outcome in survey.outcomes] == [second.fault is None]


@pytest.mark.parametrize("first", [READY, RED, dataclasses.replace(LOOK, stop="length")])
def test_a_survey_without_a_look_leaves_nothing(
    model: ModelStandIn, open_drafter: OpenDrafter, first: ScriptedReply
) -> None:
    model.brain = talk(first)
    assert open_drafter(WIRES["anthropic"]).survey(build_request()).turns == ()
    assert len(model.calls.calls) == 1


def test_a_survey_that_nobody_answers_fails(model: ModelStandIn, open_drafter: OpenDrafter) -> None:
    model.brain = talk(ScriptedReply(fault=Fault(status=529)))
    with pytest.raises(ModelError) as caught:
        open_drafter(WIRES["anthropic"]).survey(build_request())
    assert [one["ok"] for one in caught.value.details["calls"]] == [False]


def test_where_nobody_may_look_the_shared_part_is_read_and_no_more(
    model: ModelStandIn, open_drafter: OpenDrafter
) -> None:
    brain = model.brain = talk(READY)
    open_drafter(WIRES["anthropic"], tool_rounds=0).survey(build_request())
    assert [said.max_tokens for said in brain.heard] == [1]
