import json

import pytest

from shared.domain.clarification import (
    NOTHING_ASKED,
    AnswerFault,
    Clarification,
    ClarificationEnd,
    ClarifyingQuestion,
    ClarifyingRound,
)

WHERE = ClarifyingQuestion("Where?", ("Only a.css", "Only b.css"), likeliest=2)
WHAT = ClarifyingQuestion("What?")


def test_a_request_that_was_clear_stays_as_it_was_written() -> None:
    assert NOTHING_ASKED.join("make it red") == "make it red"
    assert NOTHING_ASKED.reading is None


def test_a_chosen_option_is_joined_to_the_request() -> None:
    rounds = (ClarifyingRound(WHERE, 3, answer="Only a.css"),)
    answered = Clarification(rounds, ClarificationEnd.ANSWERED)
    assert answered.join("fix it") == (
        "fix it\n\nQuestion to the author: Where?\nAnswer: Only a.css"
    )
    assert answered.reading == "Only a.css"


def test_free_text_is_joined_with_the_options_that_it_may_point_at() -> None:
    rounds = (ClarifyingRound(WHERE, 3, answer="the first, and its twin"),)
    assert Clarification(rounds).join("fix it") == (
        "fix it\n\nQuestion to the author: Where?\nOptions: 1. Only a.css; 2. Only b.css\n"
        "Answer: the first, and its twin"
    )


def test_what_was_assumed_says_so_behind_what_was_answered() -> None:
    rounds = (
        ClarifyingRound(WHAT, 3, answer="the links"),
        ClarifyingRound(WHERE, 4, fault=AnswerFault.UNCLEAR),
    )
    assumed = Clarification(rounds, ClarificationEnd.UNCLEAR)
    assert assumed.join("fix it") == (
        "fix it\n\nQuestion to the author: What?\nAnswer: the links\n\n"
        "Question to the author: Where?\nAssumed: Only b.css"
    )
    assert assumed.reading == "the links · Only b.css"


def test_without_options_the_request_is_taken_as_it_stands() -> None:
    assumed = Clarification((ClarifyingRound(WHAT, 3),), ClarificationEnd.NO_ANSWER)
    assert assumed.join("fix it") == "fix it"
    assert assumed.reading is None


@pytest.mark.parametrize("end", [None, ClarificationEnd.CANCELLED])
def test_nothing_is_assumed_before_the_end_or_after_a_cancellation(
    end: ClarificationEnd | None,
) -> None:
    assert Clarification((ClarifyingRound(WHERE, 3),), end).join("fix it") == "fix it"


@pytest.mark.parametrize(
    ("clarification", "waits"),
    [
        (NOTHING_ASKED, False),
        (Clarification((ClarifyingRound(WHERE),)), False),
        (Clarification((ClarifyingRound(WHERE, 3),)), True),
        (Clarification((ClarifyingRound(WHERE, 3, answer="x"),)), False),
        (Clarification((ClarifyingRound(WHERE, 3, fault=AnswerFault.TOO_LONG),)), False),
        (Clarification((ClarifyingRound(WHERE, 3),), ClarificationEnd.NO_ANSWER), False),
    ],
    ids=["nothing", "not-posted", "asked", "answered", "faulty", "ended"],
)
def test_a_job_waits_from_the_question_to_the_answer(
    clarification: Clarification, *, waits: bool
) -> None:
    assert clarification.is_waiting is waits


def test_plain_json_and_back() -> None:
    rounds = (ClarifyingRound(WHERE, 3, fault=AnswerFault.UNCLEAR), ClarifyingRound(WHAT, 4, "x"))
    for end in (None, ClarificationEnd.ANSWERED):
        known = Clarification(rounds, end)
        plain = json.loads(json.dumps(known.to_plain()))
        assert Clarification.from_plain(plain) == known
    assert Clarification.from_plain(None) == NOTHING_ASKED


@pytest.mark.parametrize(("options", "likeliest"), [((), 1), (("a",), 0), (("a",), 2)])
def test_the_likeliest_option_is_one_of_them(options: tuple[str, ...], likeliest: int) -> None:
    with pytest.raises(ValueError, match="likeliest"):
        ClarifyingQuestion("?", options, likeliest)


def test_every_end_has_an_outcome() -> None:
    outcomes = {str(end): end.outcome for end in ClarificationEnd}
    assert outcomes == {
        "answered": "answered",
        "no_answer": "assumed",
        "unclear": "assumed",
        "thread_busy": "assumed",
        "not_asked": "assumed",
        "cancelled": "cancelled",
    }
