"""OpenAI's Responses over its SDK: the models that reason, which take tools nowhere else.

Nothing is stored at the service: each request carries the whole conversation, and what a model
thought goes back sealed, in its place before the calls that came of it. A call goes back by its
`call_id` and without the id of its item, so that the service does not ask for reasoning that
another provider, or nobody, has kept.
Sources: `openai/types/responses` (`response_create_params.py`, `response_stream_event.py`,
`response_reasoning_item_param.py`); https://github.com/laravel/ai/pull/1052 about ids;
https://cookbook.openai.com/examples/responses_api/reasoning_items
https://developers.openai.com/api/docs/guides/prompt-caching
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from typing_extensions import override

from shared.llm.chat.failures import fail_by_refusal
from shared.llm.chat.model_facts import (
    seals_thoughts,
    takes_cache_marks,
    takes_forced_calls,
    takes_temperature,
)
from shared.llm.chat.openai_sdk import MARK, OpenAiSdkChat
from shared.llm.chat.sdk_chat import Meter
from shared.llm.conversation import (
    ChatReply,
    ChatRequest,
    Role,
    StopReason,
    Thought,
    ToolCall,
    Turn,
)
from shared.llm.provider import Usage

LEAST_OUTPUT_TOKENS: Final = 16
"""A smaller `max_output_tokens` is refused (`integer_below_min_value`).
Source: https://github.com/earendil-works/pi/issues/6265"""


class ResponsesChat(OpenAiSdkChat):
    """A model behind Responses."""

    @override
    def _send(
        self, client: Any, request: ChatRequest, headers: Mapping[str, Any], timeout: Any
    ) -> Any:
        spec, said = self._spec, request.conversation
        body: dict[str, Any] = {
            "model": spec.model,
            "input": list(self._build_input(request)),
            "max_output_tokens": max(request.max_output_tokens, LEAST_OUTPUT_TOKENS),
        }
        if said.system:
            body["instructions"] = said.system
        if said.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                    "strict": self._is_full,
                }
                for tool in said.tools
            ]
            body["tool_choice"] = self._choose_tool(request.must_call)
        if request.temperature is not None and takes_temperature(spec):
            body["temperature"] = request.temperature
        if seals_thoughts(spec):
            body["include"] = ["reasoning.encrypted_content"]
        if spec.effort:
            body["reasoning"] = {"effort": spec.effort}
        body |= self._choose_cache_key(request.cache_key)
        return client.responses.create(
            **body, store=False, stream=True, extra_headers=headers, timeout=timeout
        )

    def _choose_tool(self, must_call: str | None) -> Any:
        if must_call is None or not takes_forced_calls(self._spec):
            return "auto"
        return "required" if must_call == "any" else {"type": "function", "name": must_call}

    def _build_input(self, request: ChatRequest) -> Iterator[dict[str, Any]]:
        said = request.conversation
        for at, turn in enumerate(said.turns):
            parts = [self._build_shared(said.shared)] if at == 0 and said.shared else []
            yield from self._build_turn(turn, parts)

    @property
    def _origin(self) -> str:
        return f"{self.provider} {self._spec.url} {self._spec.model}"

    def _build_turn(self, turn: Turn, parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        own = [thought for thought in turn.thoughts if thought.origin == self._origin]
        # one at the very end has nothing that came of it, and would be refused
        own = [one for one in own if turn.text or one.calls_before < len(turn.calls)]
        yield from (_build_thought(one) for one in own if not one.calls_before)
        yield from _build_said(turn, parts)
        for at, call in enumerate(turn.calls):
            yield from (_build_thought(one) for one in own if at and one.calls_before == at)
            yield _build_call(call)

    def _build_shared(self, text: str) -> dict[str, Any]:
        mark = {"prompt_cache_breakpoint": MARK} if takes_cache_marks(self._spec) else {}
        return {"type": "input_text", "text": text, **mark}

    @override
    def _read(self, events: Iterable[Any], meter: Meter) -> ChatReply | None:
        ended: Any = None
        is_refused = False
        texts: dict[int, str] = {}
        calls: dict[int, ToolCall] = {}
        done: list[Any] = []
        for event in events:
            match event.type:
                case "response.output_item.done":
                    done.append(event.item)
                case "response.output_text.delta" | "response.refusal.delta":
                    is_refused = is_refused or event.type == "response.refusal.delta"
                    texts[event.output_index] = texts.get(event.output_index, "") + event.delta
                case "response.output_item.added" if event.item.type == "function_call":
                    calls[event.output_index] = ToolCall(event.item.call_id, event.item.name, "")
                case "response.function_call_arguments.delta":
                    call = calls[event.output_index]
                    arguments = call.arguments + event.delta
                    calls[event.output_index] = ToolCall(call.id, call.name, arguments)
                case "response.completed" | "response.incomplete":
                    ended = event.response
                case "response.failed":
                    raise self._fail(event.response.error)
                case "error":
                    raise self._fail(event)
                case _:
                    pass  # beginnings and ends of parts, and what may be added
        if ended is None:
            return None
        return ChatReply(
            text="\n\n".join(texts.values()),  # one for each message
            calls=tuple(calls.values()),
            stop=_choose_stop(ended, is_refused=is_refused, has_calls=bool(calls)),
            usage=_count(ended.usage),
            model=ended.model,
            thoughts=tuple(self._find_thoughts(done)),
        )

    def _find_thoughts(self, items: Iterable[Any]) -> Iterator[Thought]:
        calls = 0
        for item in items:
            calls += item.type == "function_call"
            if item.type == "reasoning" and item.encrypted_content:
                yield Thought(item.id, item.encrypted_content, self._origin, calls)

    def _fail(self, told: Any) -> Exception:
        body = {"code": told.code, "message": told.message} if told is not None else {}
        return fail_by_refusal(self.provider, 200, body, {})


def _build_thought(thought: Thought) -> dict[str, Any]:
    return {
        "type": "reasoning",
        "id": thought.id,
        "summary": [],
        "encrypted_content": thought.sealed,
    }


def _build_call(call: ToolCall) -> dict[str, Any]:
    return {
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
    }


def _build_said(turn: Turn, parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for result in turn.results:
        # the wire has no mark for a result that is an error
        text = f"Error: {result.text}" if result.is_error else result.text
        yield {"type": "function_call_output", "call_id": result.call_id, "output": text}
    if turn.role is Role.ASSISTANT:
        if turn.text:
            yield {"role": "assistant", "content": turn.text}
    else:
        if turn.text:
            parts = [*parts, {"type": "input_text", "text": turn.text}]
        if parts:
            yield {"role": "user", "content": parts}


def _choose_stop(ended: Any, *, is_refused: bool, has_calls: bool) -> StopReason:
    """Choose a reason; the status says nothing of calls and refusals.

    Source: `openai/types/responses/response.py`, `IncompleteDetails`.
    """
    details = ended.incomplete_details
    if is_refused or (details is not None and details.reason == "content_filter"):
        return StopReason.REFUSED
    if details is not None:
        return StopReason.LENGTH
    return StopReason.CALLS if has_calls else StopReason.DONE


def _count(usage: Any) -> Usage:
    if usage is None:
        return Usage()
    details = usage.input_tokens_details
    return Usage(
        tokens_in=usage.input_tokens,
        tokens_cached=getattr(details, "cached_tokens", None) or 0,
        tokens_cache_written=getattr(details, "cache_write_tokens", None) or 0,
        tokens_out=usage.output_tokens,
    )
