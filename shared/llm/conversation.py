"""A conversation with a model in no vendor's words: what is said, what comes back, what it cost.

A `ChatModel` sends one request and answers one reply: it keeps nothing, tries nothing twice, and
knows nothing of edits. Who talks, for how many rounds and on what budget, is `shared.llm.drafting`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from shared.llm.provider import Usage

BROKEN_CHARACTER: Final = "\ufffd"
"""Stands in a reply where the model wrote half of a surrogate pair."""


class Role(StrEnum):
    """Whose turn it was."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that the model may call. It is offered, never run, by a `ChatModel`."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """JSON schema of the arguments in the strict subset: every property required, no others."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it: not parsed, not trusted."""

    id: str
    name: str
    arguments: str
    """JSON, or what the model took for it."""


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model thought, sealed by its provider: good for nothing but to be sent back there.

    It lives as long as its conversation: it is neither logged nor kept.
    """

    id: str
    sealed: str = field(repr=False)
    origin: str
    """Who sealed it; nobody else can open it."""
    calls_before: int = 0
    """How many calls of its turn stand before it."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What is answered to a call."""

    call_id: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said: text, calls (the model's), results of calls (ours)."""

    role: Role
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    thoughts: tuple[Thought, ...] = ()
    """The model's, before or between its calls."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything that a request sends, ordered so that the equal part comes first.

    `system`, `tools` and `shared` are the same for every variant of a job, so a provider can read
    them from its prompt cache: mark the end of `shared` as a cache breakpoint where the wire has
    such marks, and the end of the last turn too, for the rounds that follow.
    """

    system: str
    tools: tuple[Tool, ...]
    shared: str
    """The job's context: what every variant is shown. The beginning of the first user turn."""
    turns: tuple[Turn, ...]
    """First the variant's own request; user and assistant by turns, the user last."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request to a model."""

    conversation: Conversation
    deadline: datetime
    """When the reply is of no use any more (UTC): the request is given up then."""
    max_output_tokens: int
    temperature: float | None = None
    """0 to 1, whatever the provider's own range is; None: the model's default."""
    must_call: str | None = None
    """Name of the tool that the model has to call, if any; `any` for whichever it likes."""
    cache_key: str = ""
    """Equal for requests that begin alike; a hint for routing, without personal data."""


class StopReason(StrEnum):
    """Why a reply ended."""

    DONE = "done"
    CALLS = "calls"
    """It waits for the results of its calls."""
    LENGTH = "length"
    """Cut off at `max_output_tokens`: what it holds is not whole."""
    REFUSED = "refused"
    """The model declined, or the provider's filter did."""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a model answered."""

    text: str
    calls: tuple[ToolCall, ...]
    stop: StopReason
    usage: Usage
    model: str
    """As the provider names what served, which may be more exact than what was asked for."""
    thoughts: tuple[Thought, ...] = ()


class ChatModel(Protocol):
    """One model at one provider."""

    @property
    def provider(self) -> str:
        """`anthropic`, `openai`, `azure-openai`, `ollama`, `openai-compatible`."""

    @property
    def model(self) -> str:
        """The model or deployment that is asked for."""

    def reply(self, request: ChatRequest) -> ChatReply:
        """Send one request and wait for the whole reply, streaming where that keeps it alive.

        Raises:
            ModelError: with a code that says whether another provider may do better.
        """
