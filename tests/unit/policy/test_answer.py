import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.clarification import AnswerFault, ClarifyingQuestion
from shared.policy.answer import read_answer

QUESTION = ClarifyingQuestion("Which?", ("one", "two", "three"), likeliest=1)
OPEN = ClarifyingQuestion("What?")


@pytest.mark.parametrize(
    "text",
    [
        "2", " 2. ", "#2", "(2)", "option 2", "Option 2!", "number 2", "2 please", "2, please",
        "I take 2", "go with option 2", "the second", "second one", "The second option.",
        "die zweite", "die zweite Möglichkeit", "zweitens", "Nummer 2", "Nr. 2",
        "ich nehme 2 bitte",
    ],
)  # fmt: skip
def test_a_number_or_its_word_chooses_an_option(text: str) -> None:
    assert read_answer(text, QUESTION) == "two"


@pytest.mark.parametrize("text", ["the last one", "letzte"])
def test_the_last_option_can_be_named_so(text: str) -> None:
    assert read_answer(text, QUESTION) == "three"


@pytest.mark.parametrize("text", ["yes", "Yes, please!", "ok", "go ahead", "ja", "passt.", "egal"])
def test_consent_takes_the_option_that_the_question_names(text: str) -> None:
    assert read_answer(text, QUESTION) == "one"


@pytest.mark.parametrize("text", ["0", "4", "option 12", "vierte"])
def test_an_option_that_is_not_there_is_a_fault(text: str) -> None:
    assert read_answer(text, QUESTION) is AnswerFault.NO_SUCH_OPTION


@pytest.mark.parametrize(
    "text", ["no", "none of them", "nein", "just fix it", "make it nicer", "???", "mach es besser"]
)
def test_an_answer_that_says_nothing_new_is_a_fault(text: str) -> None:
    assert read_answer(text, QUESTION) is AnswerFault.UNCLEAR


@pytest.mark.parametrize(
    "text",
    ["the header", "2, but in blue", "everything", "all of them", "css/site.css", "make it red",
     "the second paragraph", "Nur der Kopf", "1 and 3", "first the header, then the rest"],
)  # fmt: skip
def test_anything_else_is_the_answer_in_the_authors_own_words(text: str) -> None:
    assert read_answer(text, QUESTION) == text


def test_an_answer_has_a_length() -> None:
    assert read_answer("a b" * 666 + "cd", QUESTION) == "a b" * 666 + "cd"
    assert read_answer("x" * 2001, QUESTION) is AnswerFault.TOO_LONG


def test_a_question_without_options_has_none_to_choose() -> None:
    assert read_answer("2", OPEN) is AnswerFault.NO_SUCH_OPTION
    assert read_answer("the last one", OPEN) is AnswerFault.NO_SUCH_OPTION
    assert read_answer("yes", OPEN) is AnswerFault.UNCLEAR


@given(st.text(max_size=2100))
def test_every_text_is_read(text: str) -> None:
    answer = read_answer(text, QUESTION)
    assert answer in (*QUESTION.options, *AnswerFault, text)
