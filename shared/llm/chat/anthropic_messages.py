"""Anthropic's Messages API over its SDK.

The conversation is sent with two cache marks, at the end of what is shared and at the end of the
last turn, of the four that there may be. What is read from a cache has to begin alike, and the
messages count as others after another `tool_choice`: a job's requests had better demand the same.

Thinking is left as the model has it, and not sent back: a conversation may come without.
Sources: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
https://platform.claude.com/docs/en/build-with-claude/preserved-thinking
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from shared.llm.chat.arguments import read_object
from shared.llm.chat.model_facts import takes_forced_calls, takes_temperature
from shared.llm.chat.sdk_chat import UNUSED_KEY, Meter, SdkChat
from shared.llm.conversation import (
    ChatReply,
    ChatRequest,
    Conversation,
    Role,
    StopReason,
    ToolCall,
    Turn,
)
from shared.llm.provider import Usage

if TYPE_CHECKING:
    import httpx2

MARK: Final = {"type": "ephemeral"}
_STOPS: Final = {
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "tool_use": StopReason.CALLS,
    "refusal": StopReason.REFUSED,
}
"""Every other reason is an end. Source: `anthropic/types/stop_reason.py`."""


class AnthropicChat(SdkChat):
    """A Claude model."""

    @property
    @override
    def _sdk(self) -> Any:
        import anthropic

        return anthropic

    @override
    def _open_client(self, http: "httpx2.Client") -> Any:
        return self._sdk.Anthropic(
            api_key=UNUSED_KEY,
            base_url=self._spec.url,
            max_retries=0,
            http_client=http,
            open_telemetry=False,  # its spans may hold prompts, if a variable says so
        )

    @override
    def _build_headers(self, key: str) -> dict[str, Any]:
        # Source: https://platform.claude.com/docs/en/manage-claude/authentication
        return {"Authorization": f"Bearer {key}"}

    @override
    def _send(
        self, client: Any, request: ChatRequest, headers: Mapping[str, Any], timeout: Any
    ) -> Any:
        said = request.conversation
        body: dict[str, Any] = {
            "model": self._spec.model,
            "max_tokens": request.max_output_tokens,
            "messages": build_messages(said),
        }
        if said.system:
            body["system"] = [_text(said.system, is_marked=not said.shared)]
        if said.tools:
            body["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
                for tool in said.tools
            ]
            body["tool_choice"] = self._choose_tool(request.must_call)
        if request.temperature is not None and takes_temperature(self._spec):
            # 0 to 1 is Anthropic's own range; the SDK names the parameter no more
            body["extra_body"] = {"temperature": request.temperature}
        if self._spec.effort:
            # Source: https://platform.claude.com/docs/en/build-with-claude/effort
            body["output_config"] = {"effort": self._spec.effort}
        return client.messages.create(**body, stream=True, extra_headers=headers, timeout=timeout)

    def _choose_tool(self, must_call: str | None) -> dict[str, Any]:
        if must_call is None or not takes_forced_calls(self._spec):
            return {"type": "auto"}
        return {"type": "any"} if must_call == "any" else {"type": "tool", "name": must_call}

    @override
    def _read(self, events: Iterable[Any], meter: Meter) -> ChatReply | None:
        model, stop, is_whole = self._spec.model, None, False
        counts: dict[str, int] = {}
        texts: dict[int, str] = {}
        calls: dict[int, ToolCall] = {}
        for event in events:
            match event.type:
                case "message_start":
                    model = event.message.model
                    counts.update(_count(event.message.usage))
                    meter.usage = _sum_up(counts)
                case "content_block_start" if event.content_block.type == "tool_use":
                    block = event.content_block
                    calls[event.index] = ToolCall(block.id, block.name, "")
                case "content_block_start" if event.content_block.type == "text":
                    texts[event.index] = event.content_block.text
                case "content_block_delta" if event.delta.type == "text_delta":
                    texts[event.index] += event.delta.text
                case "content_block_delta" if event.delta.type == "input_json_delta":
                    call = calls[event.index]
                    arguments = call.arguments + event.delta.partial_json
                    calls[event.index] = ToolCall(call.id, call.name, arguments)
                case "message_delta":
                    stop = event.delta.stop_reason or stop
                    counts.update(_count(event.usage))
                    meter.usage = _sum_up(counts)
                case "message_stop":
                    is_whole = True
                case _:
                    pass  # thinking, ends of blocks, and what may be added
        if not is_whole:
            return None
        return ChatReply(
            text="".join(texts.values()),
            calls=tuple(
                # without an argument nothing is streamed
                call if call.arguments else ToolCall(call.id, call.name, "{}")
                for call in calls.values()
            ),
            stop=_STOPS.get(str(stop), StopReason.DONE),
            usage=_sum_up(counts),
            model=model,
        )


def build_messages(said: Conversation) -> list[dict[str, Any]]:
    """Write the turns as messages; the shared part begins the first, two marks are set."""
    messages: list[dict[str, Any]] = []
    for at, turn in enumerate(said.turns):
        blocks = list(_build_blocks(turn))
        if at == 0 and said.shared:
            blocks.insert(0, _text(said.shared, is_marked=True))
        if blocks:  # an empty turn is refused; neighbours of one role are joined by the service
            messages.append({"role": str(turn.role), "content": blocks})
    if messages and messages[-1]["role"] == Role.USER:
        messages[-1]["content"][-1]["cache_control"] = MARK
    return messages


def _build_blocks(turn: Turn) -> Iterator[dict[str, Any]]:
    for result in turn.results:  # results come before text
        block = {"type": "tool_result", "tool_use_id": result.call_id, "content": result.text}
        yield {**block, "is_error": True} if result.is_error else block
    if turn.text.strip():
        yield _text(turn.text)
    for call in turn.calls:
        arguments = read_object(call)
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def _text(text: str, *, is_marked: bool = False) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": text}
    return {**block, "cache_control": MARK} if is_marked else block


def _count(usage: Any) -> dict[str, int]:
    names = (
        *("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
        "output_tokens",
    )
    told = {name: getattr(usage, name, None) for name in names}
    return {name: count for name, count in told.items() if count is not None}


def _sum_up(counts: Mapping[str, int]) -> Usage:
    """Add up what was sent: `input_tokens` leaves out what a cache read or took in.

    Source: `anthropic/types/raw_message_delta_event.py`, "Total input tokens".
    """
    read = counts.get("cache_read_input_tokens", 0)
    written = counts.get("cache_creation_input_tokens", 0)
    return Usage(
        tokens_in=counts.get("input_tokens", 0) + read + written,
        tokens_cached=read,
        tokens_cache_written=written,
        tokens_out=counts.get("output_tokens", 0),
    )
