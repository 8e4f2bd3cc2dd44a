"""A question to the author of a request, what became of it, and what the request means by it.

Values only: `shared.policy.vagueness` and a model decide whether to ask, `orchestrators.clarify`
waits for the answer, and `Clarification.join` is what the model is given in the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Self

MAX_ROUNDS: Final = 3
"""Questions to the author of one request (the guide's limit)."""
ANSWER_LENGTH_MAX: Final = 2000
"""Characters of an answer, as many as of an intent."""


@dataclass(frozen=True, slots=True)
class ClarifyingQuestion:
    """A question with the answers that can be named in advance; free text is always possible."""

    question: str
    """In the language of the comments; not neutralised."""
    options: tuple[str, ...] = ()
    """Each a reading of the request that is really possible; not neutralised."""
    likeliest: int = 0
    """Number of the option that is taken without an answer, from 1; 0 where there are none."""

    def __post_init__(self) -> None:
        """Refuse a likeliest option that is not there.

        Raises:
            ValueError: `likeliest` is no number of an option.
        """
        if not min(1, len(self.options)) <= self.likeliest <= len(self.options):
            raise ValueError("likeliest: the number of an option expected")

    @property
    def assumption(self) -> str | None:
        """The option that is taken without an answer; None: the request as it stands."""
        return self.options[self.likeliest - 1] if self.options else None


class AnswerFault(StrEnum):
    """Why an answer does not answer the question."""

    TOO_LONG = "too_long"
    NO_SUCH_OPTION = "no_such_option"
    UNCLEAR = "unclear"
    """It says no more than the request did."""


@dataclass(frozen=True, slots=True)
class ClarifyingRound:
    """One question as it was put, and its answer as far as there is one."""

    question: ClarifyingQuestion
    comment_id: int | None = None
    """The comment that asks; None until it has been posted."""
    answer: str | None = None
    """The option that was chosen, or what the author wrote; None without a usable answer."""
    fault: AnswerFault | None = None
    """What was wrong with the answer that came."""


class ClarificationEnd(StrEnum):
    """How the asking ended. Sits in histories and rows: never rename one."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    UNCLEAR = "unclear"
    """The last answer left it open."""
    THREAD_BUSY = "thread_busy"
    """Another job is waiting for an answer in the same thread."""
    NOT_ASKED = "not_asked"
    """The question could not be posted."""
    CANCELLED = "cancelled"

    @property
    def outcome(self) -> str:
        """The word of audit log and telemetry: answered, assumed or cancelled."""
        if self in (ClarificationEnd.ANSWERED, ClarificationEnd.CANCELLED):
            return str(self)
        return "assumed"


@dataclass(frozen=True, slots=True)
class Clarification:
    """The rounds of one job and how they ended."""

    rounds: tuple[ClarifyingRound, ...] = ()
    end: ClarificationEnd | None = None
    """None while it goes on, and where nothing was asked."""

    @property
    def is_waiting(self) -> bool:
        """Whether somebody has been asked and has not answered yet."""
        if self.end is not None or not self.rounds:
            return False
        last = self.rounds[-1]
        return last.comment_id is not None and last.answer is None and last.fault is None

    @property
    def reading(self) -> str | None:
        """How the request was taken, for people; None: as it stands."""
        parts = [each.answer for each in self.rounds]
        if self.is_assumed:
            parts.append(self.rounds[-1].question.assumption)
        return " · ".join(part for part in parts if part) or None

    @property
    def is_assumed(self) -> bool:
        """Whether the last question is answered by its likeliest option."""
        return self.end is not None and self.end.outcome == "assumed" and bool(self.rounds)

    def change_round(self, number: int, **changes: Any) -> "Clarification":
        """Answer a copy in which one round (from 1) is another."""
        rounds = list(self.rounds)
        rounds[number - 1] = replace(rounds[number - 1], **changes)
        return replace(self, rounds=tuple(rounds))

    def join(self, intent: str) -> str:
        """Write the request as its author made it clear: intent, questions, answers.

        The answers are the author's own words or choices: instructions, as the intent is one.
        """
        parts = [intent]
        parts.extend(
            _write_answer(each.question, "Answer", each.answer)
            for each in self.rounds
            if each.answer is not None
        )
        if self.is_assumed and (assumed := self.rounds[-1].question.assumption) is not None:
            parts.append(_write_answer(self.rounds[-1].question, "Assumed", assumed))
        return "\n\n".join(parts)

    def to_plain(self) -> dict[str, Any]:
        """Write it as plain JSON."""
        return {
            "rounds": [
                {
                    "question": each.question.question,
                    "options": list(each.question.options),
                    "likeliest": each.question.likeliest,
                    "comment_id": each.comment_id,
                    "answer": each.answer,
                    "fault": each.fault,
                }
                for each in self.rounds
            ],
            "end": self.end,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> Self:
        """Read what `to_plain` wrote; None is a job that asked nothing."""
        if plain is None:
            return cls()
        rounds = tuple(
            ClarifyingRound(
                ClarifyingQuestion(each["question"], tuple(each["options"]), each["likeliest"]),
                comment_id=each["comment_id"],
                answer=each["answer"],
                fault=AnswerFault(each["fault"]) if each["fault"] else None,
            )
            for each in plain["rounds"]
        )
        return cls(rounds, ClarificationEnd(plain["end"]) if plain["end"] else None)


NOTHING_ASKED: Final = Clarification()
"""Of a job whose request was clear, or has not been judged yet."""


def _write_answer(question: ClarifyingQuestion, label: str, said: str) -> str:
    lines = [f"Question to the author: {question.question}"]
    if question.options and said not in question.options:  # a free answer may point at them
        numbered = (f"{at}. {option}" for at, option in enumerate(question.options, start=1))
        lines.append(f"Options: {'; '.join(numbered)}")
    return "\n".join((*lines, f"{label}: {said}"))
