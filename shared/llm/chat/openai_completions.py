"""OpenAI's Chat Completions over its SDK: OpenAI, Azure, Ollama and whoever speaks its wire.

It is what all of them serve, for every model but OpenAI's newer ones (`openai_responses`). The
prompt begins alike for all requests of a job (tools, system, shared), and `prompt_cache_key` brings
them to one machine; since GPT-5.6 the end of the shared part is marked besides, else it is not
found again.
Sources: https://developers.openai.com/api/docs/guides/prompt-caching
https://docs.ollama.com/api/openai-compatibility
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from typing_extensions import override

from shared.llm.chat.arguments import write_object
from shared.llm.chat.model_facts import takes_cache_marks, takes_forced_calls, takes_temperature
from shared.llm.chat.openai_sdk import MARK, OpenAiSdkChat
from shared.llm.chat.sdk_chat import Meter
from shared.llm.conversation import ChatReply, ChatRequest, Role, StopReason, ToolCall, Turn
from shared.llm.provider import Usage


class CompletionsChat(OpenAiSdkChat):
    """A model behind Chat Completions."""

    @override
    def _send(
        self, client: Any, request: ChatRequest, headers: Mapping[str, Any], timeout: Any
    ) -> Any:
        spec, said = self._spec, request.conversation
        # Ollama and its like know the old name only, reasoning models the new one only
        limit = "max_completion_tokens" if self._is_full else "max_tokens"
        body: dict[str, Any] = {
            "model": spec.model,
            "messages": list(self._build_messages(request)),
            limit: request.max_output_tokens,
            "stream_options": {"include_usage": True},
        }
        if said.tools:
            strict = {"strict": True} if self._is_full else {}
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.schema,
                        **strict,
                    },
                }
                for tool in said.tools
            ]
            body["tool_choice"] = self._choose_tool(request.must_call)
        if request.temperature is not None and takes_temperature(spec):
            # OpenAI allows up to 2, but a number means the same to both: 1 is the default
            body["temperature"] = request.temperature
        if spec.effort:
            body["reasoning_effort"] = spec.effort
        body |= self._choose_cache_key(request.cache_key)
        return client.chat.completions.create(
            **body, stream=True, extra_headers=headers, timeout=timeout
        )

    def _choose_tool(self, must_call: str | None) -> Any:
        if must_call is None or not takes_forced_calls(self._spec):
            return "auto"
        if must_call == "any":
            return "required"
        return {"type": "function", "function": {"name": must_call}}

    def _build_messages(self, request: ChatRequest) -> Iterator[dict[str, Any]]:
        said = request.conversation
        if said.system:
            yield {"role": "system", "content": said.system}
        for at, turn in enumerate(said.turns):
            if at == 0 and said.shared:
                yield {"role": "user", "content": self._build_first(said.shared, turn)}
            else:
                yield from _build_turn(turn)

    def _build_first(self, shared: str, turn: Turn) -> Any:
        if not self._is_full:
            return "\n\n".join(filter(None, (shared, turn.text)))
        mark = {"prompt_cache_breakpoint": MARK} if takes_cache_marks(self._spec) else {}
        parts: list[dict[str, Any]] = [{"type": "text", "text": shared, **mark}]
        if turn.text:
            parts.append({"type": "text", "text": turn.text})
        return parts

    @override
    def _read(self, events: Iterable[Any], meter: Meter) -> ChatReply | None:
        model, finish, usage, is_refused = self._spec.model, None, Usage(), False
        texts: list[str] = []
        calls: list[ToolCall] = []
        places: dict[int, int] = {}
        for event in events:
            model = event.model or model
            if event.usage is not None:
                usage = meter.usage = _count(event.usage)
            for choice in event.choices or ():  # Azure's first has none
                finish = choice.finish_reason or finish
                is_refused = is_refused or bool(choice.delta.refusal)
                texts.append(choice.delta.content or "")
                for part in choice.delta.tool_calls or ():
                    at = places.get(part.index)
                    if at is None or _begins_another(part, calls[at]):
                        places[part.index] = len(calls)
                        calls.append(_begin(part, len(calls)))
                    else:
                        calls[at] = _extend(calls[at], part)
        if finish is None:
            return None
        return ChatReply(
            text="".join(texts),
            calls=tuple(calls),
            stop=_choose_stop(finish, is_refused=is_refused, has_calls=bool(calls)),
            usage=usage,
            model=model,
        )


def _build_turn(turn: Turn) -> Iterator[dict[str, Any]]:
    for result in turn.results:
        # the wire has no mark for a result that is an error
        text = f"Error: {result.text}" if result.is_error else result.text
        yield {"role": "tool", "tool_call_id": result.call_id, "content": text}
    if turn.calls:
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": write_object(call)},
            }
            for call in turn.calls
        ]
        yield {"role": str(Role.ASSISTANT), "content": turn.text or None, "tool_calls": calls}
    elif turn.text:
        yield {"role": str(turn.role), "content": turn.text}


def _begins_another(part: Any, call: ToolCall) -> bool:
    """Tell whether a part begins a call of its own at the place of one that has begun.

    Ollama has given place 0 to every call of an answer.
    Source: https://github.com/ollama/ollama/issues/15457
    """
    has_name = part.function is not None and bool(part.function.name)
    return has_name and bool(part.id) and part.id != call.id


def _begin(part: Any, number: int) -> ToolCall:
    return _extend(ToolCall(part.id or f"call_{number}", "", ""), part)


def _extend(call: ToolCall, part: Any) -> ToolCall:
    function = part.function
    name = (function.name if function is not None else None) or ""
    arguments = (function.arguments if function is not None else None) or ""
    return ToolCall(call.id, call.name or name, call.arguments + arguments)


def _choose_stop(finish: str, *, is_refused: bool, has_calls: bool) -> StopReason:
    """Choose a reason; a demanded call ends with `stop`, as if there were none.

    Source: https://developers.openai.com/api/docs/guides/function-calling
    """
    if finish == "content_filter" or is_refused:
        return StopReason.REFUSED
    if finish == "length":
        return StopReason.LENGTH
    return StopReason.CALLS if has_calls else StopReason.DONE


def _count(usage: Any) -> Usage:
    details = usage.prompt_tokens_details
    return Usage(
        tokens_in=usage.prompt_tokens,
        tokens_cached=getattr(details, "cached_tokens", None) or 0,
        tokens_cache_written=getattr(details, "cache_write_tokens", None) or 0,
        tokens_out=usage.completion_tokens,
    )
