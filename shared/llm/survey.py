"""Looks up once what all variants of a job need, before they are drafted.

Each of them would else look up much the same, and send the whole prompt again to do so: ten
variants with two looks each read it thirty times. What was looked up stands behind what is shown
to all and before each variant's own request, so that a provider reads both from its prompt cache.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from shared.domain.errors import CodeAgentError
from shared.llm.chain import ProviderOutcome
from shared.llm.conversation import ChatReply, Role, StopReason, ToolCall, ToolResult, Turn
from shared.llm.prompt import write_request, write_survey
from shared.llm.provider import DraftRequest
from shared.llm.talk import Talk

MAX_ROUNDS: Final = 3
"""Of looks; each variant still has its own."""
MAX_OUTPUT_TOKENS: Final = 4_000
"""Of one reply: a few calls, and what a model thinks before them."""
PURPOSE: Final = "warm"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was looked up for all variants, and how each provider that was asked did."""

    turns: tuple[Turn, ...]
    """None where nothing had to be looked up."""
    outcomes: tuple[ProviderOutcome, ...]


def open_survey(request: DraftRequest) -> list[Turn]:
    """Write the turn with which a survey begins."""
    return [Turn(Role.USER, write_survey(request))]


def open_draft(request: DraftRequest, edit_format: str) -> list[Turn]:
    """Write the turns with which a draft begins: the survey's, and the variant's own request."""
    asked = write_request(request, edit_format)
    if not request.survey:
        return [Turn(Role.USER, asked)]
    return [*request.survey[:-1], replace(request.survey[-1], text=asked)]


def make_survey(talk: Talk, tool_rounds: int) -> tuple[Turn, ...]:
    """Let the model look; answers the turns so far, none where it found nothing to look up.

    Where nobody may look, what all variants share is read, and one token of an answer. A failure
    after the first look costs the rest of the looks only. The last reply is asked for even where
    it may not look any more: it leaves what was found last in the provider's cache.

    Raises:
        ModelError: nobody answered at all.
        PolicyError: a budget is exhausted.
    """
    most_tokens = MAX_OUTPUT_TOKENS if tool_rounds else 1
    reply = talk.ask(PURPOSE, max_output_tokens=most_tokens)
    while talk.look_rounds < min(MAX_ROUNDS, tool_rounds) and _is_look(talk, reply):
        # the turns are kept, thoughts are not; and what variants find cached has none either
        talk.hear(reply, forgets_thoughts=True)
        talk.answer_looks(reply.calls)
        try:
            reply = talk.ask(PURPOSE, max_output_tokens=most_tokens)
        except CodeAgentError:
            break
    return tuple(talk.turns) if talk.look_rounds else ()


def _is_look(talk: Talk, reply: ChatReply) -> bool:
    return reply.stop is StopReason.CALLS and talk.asks_to_look(reply)


def turns_to_plain(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Write turns as plain JSON, without thoughts."""
    return [
        {
            "role": str(turn.role),
            "text": turn.text,
            "calls": [asdict(call) for call in turn.calls],
            "results": [asdict(result) for result in turn.results],
        }
        for turn in turns
    ]


def turns_from_plain(plain: Sequence[Mapping[str, Any]]) -> tuple[Turn, ...]:
    """Read what `turns_to_plain` wrote."""
    return tuple(
        Turn(
            Role(turn["role"]),
            turn["text"],
            tuple(ToolCall(**call) for call in turn["calls"]),
            tuple(ToolResult(**result) for result in turn["results"]),
        )
        for turn in plain
    )
