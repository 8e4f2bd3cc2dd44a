"""One request and its answer between the wire they came over and the server."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from local.model.prompt_cache import CacheUse, Prompt
from local.model.script import PlainCall, PlainConversation, ScriptedReply
from local.model.tokens import count_text, cut_text

CHUNK_CHARACTERS: Final = 200
"""What one event of a stream carries."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was well put."""

    conversation: PlainConversation
    prompt: Prompt
    is_marked: bool
    """Whether the model's cache goes by marks."""
    is_stream: bool
    wants_usage: bool = True
    """Whether a stream shall tell the usage."""
    wants_thoughts: bool = False
    """Whether what was thought shall be told, sealed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with its price."""

    id: str
    model: str
    text: str
    calls: Sequence[PlainCall]
    stop: str
    use: CacheUse
    tokens_out: int
    tells_thoughts: bool = False


def answer(asked: Asked, reply: ScriptedReply, use: CacheUse, number: int) -> Answered:
    """Make a reply an answer: ids for its calls, and no longer than was asked for."""
    limit = asked.conversation.max_tokens
    text, calls, stop = reply.text, list(reply.calls), reply.to_stop()
    if limit is not None and _count(text, calls) > limit:
        text, calls, stop = *_cut(text, calls, limit), "length"
    named = [
        call if call.id else replace(call, id=f"call_{number:06d}_{at}")
        for at, call in enumerate(calls)
    ]
    return Answered(
        id=f"reply_{number:06d}",
        model=asked.conversation.model,
        text=text,
        calls=named,
        stop=stop,
        use=use,
        tokens_out=max(_count(text, calls), min(1, limit if limit is not None else 1)),
        tells_thoughts=asked.wants_thoughts,
    )


def chunk(text: str) -> list[str]:
    """Split a text as a stream carries it."""
    return [text[at : at + CHUNK_CHARACTERS] for at in range(0, len(text), CHUNK_CHARACTERS)]


def _count(text: str, calls: Sequence[PlainCall]) -> int:
    return count_text(text) + sum(count_text(call.arguments) for call in calls)


def _cut(text: str, calls: Sequence[PlainCall], limit: int) -> tuple[str, list[PlainCall]]:
    text = cut_text(text, limit)
    left = limit - count_text(text)
    kept = []
    for call in calls:
        arguments = cut_text(call.arguments, left)
        left -= count_text(arguments)
        kept.append(replace(call, arguments=arguments))
        if arguments != call.arguments:
            break
    return text, kept
