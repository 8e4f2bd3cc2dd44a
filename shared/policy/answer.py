"""Reads the answer to a question: the number of an option, its name in words, or free text."""

import re
from typing import Final

from shared.domain.clarification import ANSWER_LENGTH_MAX, AnswerFault, ClarifyingQuestion
from shared.policy.vagueness import says_deed_only

_NUMBER: Final = re.compile(
    r"(?:(?:i (?:choose|take|want|mean)|ich (?:nehme|meine|will)|take|nimm|go with)\s+)?"
    r"(?:(?:option|number|choice|nr|no|nummer|möglichkeit)\.?\s*)?"
    r"[#(]?(?P<number>\d{1,3})[.):]*(?:\s*,?\s*(?:please|bitte|thanks|danke))?[.!]*",
    re.IGNORECASE,
)
_ORDINAL: Final = re.compile(
    r"(?:(?:the|die|den|das|der)\s+)?(?P<word>\w+)(?:\s+(?:one|option|möglichkeit))?"
    r"(?:\s*,?\s*(?:please|bitte))?[.!]*",
    re.IGNORECASE,
)
_ORDINALS: Final = {
    **dict.fromkeys(("first", "erste", "ersten", "erstes", "erstens"), 1),
    **dict.fromkeys(("second", "zweite", "zweiten", "zweites", "zweitens"), 2),
    **dict.fromkeys(("third", "dritte", "dritten", "drittes", "drittens"), 3),
    **dict.fromkeys(("fourth", "vierte", "vierten", "viertes", "viertens"), 4),
    **dict.fromkeys(("last", "letzte", "letzten", "letztes"), -1),
}
_CONSENT: Final = re.compile(
    r"(?:yes|yep|yeah|sure|ok|okay|go ahead|go on|fine|any|whatever|you (?:choose|decide)|up to you"
    r"|ja|jo|klar|gern|gerne|passt|egal|genau|mach nur|entscheide du)"
    r"(?:\s*,?\s*(?:please|bitte))?[.!]*",
    re.IGNORECASE,
)
_DENIAL: Final = re.compile(
    r"(?:no|nope|none|neither|none of (?:them|these|those)|nein|nö|keine?[sr]?(?: davon)?)[.!]*",
    re.IGNORECASE,
)


def read_answer(text: str, question: ClarifyingQuestion) -> str | AnswerFault:
    """Read a comment as the answer to a question: the chosen option, or the text itself.

    A plain yes takes the likeliest option, which the question has named.
    """
    if len(text) > ANSWER_LENGTH_MAX:
        return AnswerFault.TOO_LONG
    number = _read_number(text.strip(), question)
    if number is None:
        says_nothing = any(words.fullmatch(text.strip()) for words in (_CONSENT, _DENIAL))
        return AnswerFault.UNCLEAR if says_nothing or says_deed_only(text) else text
    if not 1 <= number <= len(question.options):
        return AnswerFault.NO_SUCH_OPTION
    return question.options[number - 1]


def _read_number(text: str, question: ClarifyingQuestion) -> int | None:
    found = _NUMBER.fullmatch(text)
    if found:
        return int(found["number"])
    ordinal = _ORDINAL.fullmatch(text)
    number = _ORDINALS.get(ordinal["word"].lower()) if ordinal else None
    if number is not None:
        return len(question.options) if number < 0 else number
    if _CONSENT.fullmatch(text) and question.options:
        return question.likeliest
    return None
