"""Lets a model judge whether a command is clear, and word the question where it is not."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.domain.clarification import ClarifyingQuestion
from shared.domain.credentials import mask_credentials
from shared.llm.accounts import Account, CallRecord
from shared.llm.chain import ChainSession
from shared.llm.clarifier import ClarifyRequest
from shared.llm.conversation import (
    ChatModel,
    ChatReply,
    ChatRequest,
    Conversation,
    Role,
    Tool,
    Turn,
)
from shared.llm.model_tools import read_arguments
from shared.llm.prompt import write_data, write_judging
from shared.llm.provider import Usage

JUDGE: Final = "judge_command"
MAX_CONTEXT_CHARS: Final = 40_000
"""Of the context: enough to tell what there is, far less than a draft is shown."""
MAX_OUTPUT_TOKENS: Final = 4_000
MAX_TEXT: Final = 300
"""Characters of a question or an option."""
MAX_OPTIONS: Final = 4

_TOOL: Final = Tool(
    JUDGE,
    "Say whether the command is clear enough to be carried out.",
    {
        "type": "object",
        "properties": {
            "clear": {"type": "boolean"},
            "question": {"type": "string", "description": "Empty when it is clear."},
            "readings": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Two to four; none when it is clear.",
            },
            "likeliest": {
                "type": "integer",
                "description": "Number of the likeliest reading, from 1; 0 when it is clear.",
            },
        },
        "required": ["clear", "question", "readings", "likeliest"],
        "additionalProperties": False,
    },
)


class ModelClarifier:
    """Asks where a model finds a command too vague."""

    def __init__(self, models: Sequence[ChatModel], account: Account) -> None:
        self._models = models
        self._account = account

    def clarify(self, request: ClarifyRequest) -> ClarifyingQuestion | None:
        """Answer the model's question; None where it finds the command clear, or says nothing.

        Raises:
            ModelError: nobody answered; `details` tells the circuit breakers who was asked.
            PolicyError: a budget is exhausted.
        """
        session = ChainSession(self._models, request.admitted)
        number = len(request.rounds) + 1

        def charge(provider: str, model: str, usage: Usage, duration_ms: int) -> None:
            self._account.charge(
                CallRecord("clarify", provider, model, usage, duration_ms, round=number)
            )

        self._account.check()
        with session.telling_outcomes():
            reply = session.reply(
                ChatRequest(
                    _write(request),
                    deadline=request.deadline,
                    max_output_tokens=MAX_OUTPUT_TOKENS,
                    temperature=0.0,
                    must_call=JUDGE,
                ),
                charge,
            )
        return _read(reply)


def _write(request: ClarifyRequest) -> Conversation:
    shared = write_data(
        nonce=request.nonce,
        pull_request=request.pull_request,
        context_text=request.context_text[:MAX_CONTEXT_CHARS],
        thread_path=request.thread_path,
        thread_lines=request.thread_lines,
    )
    lines = ["# The command", request.intent]
    for past in request.rounds:
        lines += [f"Its author was asked: {past.question.question}", f"and said: {past.answer}"]
    told = mask_credentials("\n".join([*lines, "", "Judge the command now."]))
    turn = Turn(Role.USER, told)
    return Conversation(write_judging(request.language), (_TOOL,), shared, (turn,))


def _read(reply: ChatReply) -> ClarifyingQuestion | None:
    """Read the verdict. A model that says it wrongly has not said that the command is vague."""
    call = next((call for call in reply.calls if call.name == JUDGE), None)
    verdict: Any = None if call is None else read_arguments(call)
    if not isinstance(verdict, Mapping) or verdict.get("clear") is not False:
        return None
    question = " ".join(str(verdict.get("question") or "").split())[:MAX_TEXT]
    given = verdict.get("readings")
    readings = [
        " ".join(str(reading).split())[:MAX_TEXT]
        for reading in (given if isinstance(given, list) else [])
        if str(reading).strip()
    ][:MAX_OPTIONS]
    if not question or len(readings) < 2:
        return None
    said = verdict.get("likeliest")
    likeliest = said if isinstance(said, int) and 1 <= said <= len(readings) else 1
    return ClarifyingQuestion(question, tuple(readings), likeliest)
