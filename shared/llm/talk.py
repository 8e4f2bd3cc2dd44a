"""One conversation with the models of a chain about a change: it asks, charges, and answers looks.

Each call is checked against the budgets before and charged after. What the model asks to see is
answered for as many rounds and tokens as the terms allow.
"""

from collections.abc import Sequence
from typing import Final

from shared.context.pack import estimate_tokens
from shared.context.tools import SnapshotTools
from shared.llm.accounts import Account, CallRecord
from shared.llm.chain import ChainSession
from shared.llm.conversation import (
    ChatReply,
    ChatRequest,
    Conversation,
    Role,
    ToolCall,
    ToolResult,
    Turn,
)
from shared.llm.model_tools import list_tools, run_look
from shared.llm.prompt import mark_data, write_shared, write_system
from shared.llm.provider import DraftRequest, Usage
from shared.llm.terms import DraftingTerms

LOWEST_TEMPERATURE: Final = 0.2
HIGHEST_TEMPERATURE: Final = 0.9
"""Of the first and the last variant: the later ones dare more."""


class Talk:
    """What was said so far, and what it took."""

    def __init__(
        self,
        request: DraftRequest,
        session: ChainSession,
        account: Account,
        terms: DraftingTerms,
        opening: Sequence[Turn],
    ) -> None:
        """Begin with turns of which the last one is ours."""
        self._request = request
        self._session = session
        self._account = account
        self._terms = terms
        self._system = write_system(terms.edit_format, terms.tool_rounds)
        self._shared = write_shared(request)
        self._tools = SnapshotTools(request.files)
        self._offered = list_tools(self._tools, terms.edit_format, terms.tool_rounds)
        self._look_names = frozenset(spec.name for spec in self._tools.specs())
        self._look_tokens = sum(
            estimate_tokens(result.text) for turn in opening for result in turn.results
        )
        self.turns: list[Turn] = list(opening)
        self.usage = Usage()
        """Of all calls so far."""
        self.calls = 0
        self.look_rounds = 0
        """Rounds of looks that were answered here."""

    def ask(self, purpose: str, *, max_output_tokens: int | None = None) -> ChatReply:
        """Send everything that was said; the reply is not yet a part of it.

        Raises:
            ModelError: nobody answered.
            PolicyError: a budget is exhausted.
        """
        self._account.check()
        request = self._request

        def charge(provider: str, model: str, usage: Usage, duration_ms: int) -> None:
            self._account.charge(
                CallRecord(purpose, provider, model, usage, duration_ms, round=self.calls + 1)
            )
            self.usage += usage

        reply = self._session.reply(
            ChatRequest(
                Conversation(self._system, self._offered, self._shared, tuple(self.turns)),
                deadline=request.deadline,
                max_output_tokens=max_output_tokens or self._terms.max_output_tokens,
                temperature=choose_temperature(request.variant, request.variants),
                cache_key=request.nonce,
            ),
            charge,
        )
        self.calls += 1
        return reply

    def hear(self, reply: ChatReply, *, forgets_thoughts: bool = False) -> None:
        """Take a reply into the conversation."""
        thoughts = () if forgets_thoughts else reply.thoughts
        self.turns.append(Turn(Role.ASSISTANT, reply.text, reply.calls, thoughts=thoughts))

    def asks_to_look(self, reply: ChatReply) -> bool:
        """Tell whether a reply calls tools for looking, and nothing else."""
        return bool(reply.calls) and all(call.name in self._look_names for call in reply.calls)

    def answer_looks(self, calls: Sequence[ToolCall]) -> None:
        """Answer the model's looks as long as it has rounds and room for them."""
        self.look_rounds += 1
        results: list[ToolResult] = []
        for call in calls:
            is_over = self.look_rounds > self._terms.tool_rounds
            if is_over or self._look_tokens > self._terms.tool_tokens:
                text, failed = "You have looked enough: make the change with what you know.", True
            else:
                text, failed = mark_data(run_look(self._tools, call), self._request.nonce), False
            self._look_tokens += estimate_tokens(text)
            results.append(ToolResult(call.id, text, is_error=failed))
        self.turns.append(Turn(Role.USER, results=tuple(results)))


def choose_temperature(variant: int, variants: int) -> float:
    """Choose how freely a variant (1-based) is drafted: the first least, the last most."""
    if variants == 1:
        return LOWEST_TEMPERATURE
    step = (HIGHEST_TEMPERATURE - LOWEST_TEMPERATURE) / (variants - 1)
    return round(LOWEST_TEMPERATURE + step * (variant - 1), 3)
