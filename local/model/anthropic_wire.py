"""Anthropic's Messages API: reads and refuses requests, writes answers whole or as events.

Sources: https://platform.claude.com/docs/en/api/messages
https://platform.claude.com/docs/en/build-with-claude/streaming
https://platform.claude.com/docs/en/api/errors
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from local.model.errors import RefusalError, expect, refuse
from local.model.exchange import Answered, Asked, chunk
from local.model.prompt_cache import Prompt
from local.model.script import PlainCall, PlainConversation, PlainMessage
from local.model.strict_schema import find_loose_ends
from local.model.tokens import write_canonically

MAX_MARKS: Final = 4
KNOWN_FIELDS: Final = frozenset(
    {
        *("cache_control", "container", "diagnostics", "inference_geo", "max_tokens", "messages"),
        *("metadata", "model", "output_config", "service_tier", "speed", "stop_sequences"),
        *("stream", "system", "temperature", "thinking", "tool_choice", "tools", "top_k", "top_p"),
    }
)
NO_SAMPLING: Final = re.compile(
    r"claude-(opus-(4-[78]|5)|sonnet-5|haiku-5-5|fable-5|mythos-(5|preview))"
)
"""Models that refuse `temperature`.
Source: https://platform.claude.com/docs/en/build-with-claude/thinking"""
NO_FORCED_TOOLS: Final = re.compile(r"claude-(opus-5-5|sonnet-5-5|fable-5-1)")
"""Models that refuse a `tool_choice` of `any` or `tool`.
Source: https://platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5"""
EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
NO_EFFORT: Final = re.compile(
    r"claude-((2|3|4|instant)\b|(opus|sonnet|haiku)-4(-[0-4])?(-\d{8}|-latest)?$|(sonnet|haiku)-4-5)"
)
"""Models that refuse an effort: those before Opus 4.5 and Sonnet 4.6."""
NO_HIGHEST: Final = {
    "xhigh": re.compile(r"claude-(opus-4-[56]|sonnet-4-6)"),
    "max": re.compile(r"claude-opus-4-5"),
}
"""Models that refuse the highest ones.
Source: https://platform.claude.com/docs/en/build-with-claude/effort"""
ERROR_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STOPS: Final = {
    "done": "end_turn",
    "calls": "tool_use",
    "length": "max_tokens",
    "refused": "refusal",
}
_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def read_key(headers: Mapping[str, str]) -> str:
    """Answer the key of a request; the SDK sends it as a bearer token, others as `x-api-key`."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return headers.get("x-api-key", "") or (token if scheme.lower() == "bearer" else "")


def read(body: Mapping[str, Any], headers: Mapping[str, str]) -> Asked:
    """Read a request.

    Raises:
        RefusalError: the service would refuse it.
    """
    if not _VERSION.fullmatch(headers.get("anthropic-version", "")):
        raise refuse("anthropic-version: header is required", "anthropic-version")
    for name in sorted(set(body) - KNOWN_FIELDS):
        raise refuse(f"{name}: Extra inputs are not permitted", name)
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise refuse(f"{name}: Field required", name)
    model = expect(body["model"], str, "model")
    max_tokens = expect(body["max_tokens"], int, "max_tokens")
    if max_tokens < 0:
        raise refuse("max_tokens: Input should be greater than or equal to 0", "max_tokens")
    temperature = _read_temperature(body, model)
    tools = _read_tools(body)
    must_call = _read_tool_choice(body, model, tools)
    reading = _Reading()
    for tool in body.get("tools", ()):
        reading.add(tool, "tools")
    system = _read_system(body, reading)
    reading.choice = write_canonically(body.get("tool_choice"))
    messages = tuple(_read_messages(body, reading))
    if body.get("cache_control") is not None:
        reading.marks.append(len(reading.pieces) - 1)
    if len(reading.marks) > MAX_MARKS:
        raise refuse(
            f"A maximum of {MAX_MARKS} blocks with cache_control may be provided. "
            f"Found {len(reading.marks)}."
        )
    return Asked(
        conversation=PlainConversation(
            wire="anthropic",
            model=model,
            system=system,
            messages=messages,
            tools=tools,
            must_call=must_call,
            max_tokens=max_tokens,
            temperature=temperature,
            effort=_read_effort(body, model),
        ),
        prompt=Prompt(f"anthropic {model}", reading.pieces, sorted(set(reading.marks))),
        is_marked=True,
        is_stream=bool(body.get("stream", False)),
    )


def write_whole(answered: Answered) -> dict[str, Any]:
    """Write an answer as one document.

    Raises:
        RefusalError: a call's arguments are no JSON: only a stream can carry those.
    """
    blocks: list[dict[str, Any]] = []
    if answered.text:
        blocks.append({"type": "text", "text": answered.text})
    for call in answered.calls:
        try:
            arguments = json.loads(call.arguments)
        except ValueError:
            raise RefusalError(
                500, "the script's arguments are no JSON; ask for a stream"
            ) from None
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments})
    usage = {**_write_usage(answered), "output_tokens": answered.tokens_out}
    return {**_write_head(answered), "content": blocks, **_write_stop(answered), "usage": usage}


def write_events(answered: Answered) -> Iterator[bytes]:
    """Write an answer as the events of a stream."""
    usage = {**_write_usage(answered), "output_tokens": min(1, answered.tokens_out)}
    head = {**_write_head(answered), "content": [], "stop_reason": None, "stop_sequence": None}
    yield write_event("message_start", message={**head, "usage": usage})
    yield write_ping()
    index = 0
    if answered.text:
        yield write_event("content_block_start", index=0, content_block=_text(""))
        for part in chunk(answered.text):
            delta = {"type": "text_delta", "text": part}
            yield write_event("content_block_delta", index=0, delta=delta)
        yield write_event("content_block_stop", index=0)
        index = 1
    for at, call in enumerate(answered.calls, index):
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield write_event("content_block_start", index=at, content_block=block)
        for part in ["", *chunk(call.arguments)]:
            delta = {"type": "input_json_delta", "partial_json": part}
            yield write_event("content_block_delta", index=at, delta=delta)
        yield write_event("content_block_stop", index=at)
    yield write_event(
        "message_delta", delta=_write_stop(answered), usage={"output_tokens": answered.tokens_out}
    )
    yield write_event("message_stop")


def write_event(name: str, **data: Any) -> bytes:
    """Write one event."""
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


def write_ping() -> bytes:
    """Write the event that keeps a stream alive."""
    return write_event("ping")


def write_error_event(type_name: str, message: str) -> bytes:
    """Write the event with which a stream fails after its 200."""
    return write_event("error", error={"type": type_name or "api_error", "message": message})


def write_error(refusal: RefusalError) -> dict[str, Any]:
    """Write a refusal."""
    type_name = refusal.type_name or ERROR_TYPES.get(refusal.status, "api_error")
    error = {"type": type_name, "message": refusal.message}
    return {"type": "error", "error": error, "request_id": refusal.headers.get("request-id")}


def write_models(names: Sequence[str]) -> dict[str, Any]:
    """Write the list of models."""
    models = [{"type": "model", "id": name, "display_name": name} for name in names]
    return {"data": models, "has_more": False}


@dataclass(slots=True)
class _Reading:
    """The prompt, piece by piece, as the cache sees it."""

    pieces: list[bytes] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    choice: bytes = b""
    """Another `tool_choice` makes the messages others to the cache, not tools and system."""

    def add(self, block: Mapping[str, Any], place: str) -> None:
        """Take a block in, and its mark."""
        plain = {name: value for name, value in block.items() if name != "cache_control"}
        self.pieces.append(place.encode() + b" " + write_canonically(plain) + self._salt(place))
        if block.get("cache_control") is not None:
            if block["cache_control"].get("type") != "ephemeral":
                raise refuse("cache_control.type: Input should be 'ephemeral'", "cache_control")
            self.marks.append(len(self.pieces) - 1)

    def _salt(self, place: str) -> bytes:
        return b"" if place in ("tools", "system") else self.choice


def _read_temperature(body: Mapping[str, Any], model: str) -> float | None:
    temperature: float | None = body.get("temperature")
    if temperature is None:
        return None
    expect(temperature, (int, float), "temperature")
    if NO_SAMPLING.match(model):
        raise refuse("`temperature` is deprecated for this model.", "temperature")
    if not 0 <= temperature <= 1:
        raise refuse("temperature: range: 0..1", "temperature")
    return float(temperature)


def _read_effort(body: Mapping[str, Any], model: str) -> str | None:
    config = expect(body.get("output_config") or {}, dict, "output_config")
    effort: str | None = config.get("effort")
    if effort is None:
        return None
    if effort not in EFFORTS:
        raise refuse(
            "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
            "output_config.effort",
        )
    if NO_EFFORT.match(model):
        raise refuse("This model does not support the effort parameter.", "output_config.effort")
    if effort in NO_HIGHEST and NO_HIGHEST[effort].match(model):
        raise refuse(
            f"This model does not support effort level '{effort}'.", "output_config.effort"
        )
    return effort


def _read_tools(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for at, tool in enumerate(expect(body.get("tools", []), list, "tools")):
        name = expect(expect(tool, dict, f"tools.{at}").get("name"), str, f"tools.{at}.name")
        if not _TOOL_NAME.fullmatch(name):
            raise refuse(f"tools.{at}.custom.name: String should match pattern", "tools")
        if name in found:
            raise refuse("tools: Tool names must be unique.", "tools")
        schema = expect(tool.get("input_schema"), dict, f"tools.{at}.custom.input_schema")
        if schema.get("type") != "object":
            raise refuse(f"tools.{at}.custom.input_schema.type: Field required", "tools")
        for loose_end in find_loose_ends(schema) if tool.get("strict") else ():
            raise refuse(f"tools.{at}.custom: {loose_end}", "tools")
        found[name] = schema
    return found


def _read_tool_choice(body: Mapping[str, Any], model: str, tools: Mapping[str, Any]) -> str | None:
    choice = body.get("tool_choice")
    if choice is None:
        return None
    kind = expect(choice, dict, "tool_choice").get("type")
    if kind not in ("auto", "any", "tool", "none"):
        raise refuse("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    if not tools:
        raise refuse("tool_choice may only be specified while providing tools.", "tool_choice")
    if kind not in ("any", "tool"):
        return None
    if NO_FORCED_TOOLS.match(model):
        raise refuse("tool_choice: forced tool use is not supported for this model", "tool_choice")
    if kind == "any":
        return "any"
    if choice.get("name") not in tools:
        raise refuse(f"Tool '{choice.get('name')}' not found in provided tools", "tool_choice")
    return str(choice["name"])


def _read_system(body: Mapping[str, Any], reading: _Reading) -> str:
    system = body.get("system", "")
    blocks = [_text(system)] if isinstance(system, str) else expect(system, list, "system")
    texts = []
    for at, block in enumerate(blocks):
        text = expect(expect(block, dict, f"system.{at}").get("text"), str, f"system.{at}.text")
        if isinstance(system, list) and not text:
            raise refuse("system: text content blocks must be non-empty", "system")
        texts.append(text)
        if text:
            reading.add(block, "system")
    return "\n".join(texts)


def _read_messages(body: Mapping[str, Any], reading: _Reading) -> Iterator[PlainMessage]:
    messages = expect(body["messages"], list, "messages")
    if not messages:
        raise refuse("messages: at least one message is required", "messages")
    waiting: set[str] = set()
    for at, message in enumerate(messages):
        where = f"messages.{at}"
        role = expect(message, dict, where).get("role")
        if role not in ("user", "assistant"):
            raise refuse(f'messages: Unexpected role "{role}".', where)
        if at == 0 and role != "user":
            raise refuse('messages: first message must use the "user" role', where)
        content = message.get("content")
        blocks = [_text(content)] if isinstance(content, str) else content
        if not expect(blocks, list, f"{where}.content"):
            raise refuse(f"{where}: all messages must have non-empty content", where)
        for block in blocks:
            reading.add(expect(block, dict, where), role)
        plain = _read_blocks(role, blocks, where)
        _check_results(plain, waiting, where)
        waiting = {call.id for call in plain.calls}
        yield plain
    if waiting:
        raise _miss_results(waiting, f"messages.{len(messages) - 1}")


def _read_blocks(role: str, blocks: Sequence[Mapping[str, Any]], where: str) -> PlainMessage:
    texts: list[str] = []
    calls: list[PlainCall] = []
    results: list[tuple[str, str, bool]] = []
    for at, block in enumerate(blocks):
        place = f"{where}.content.{at}"
        match block.get("type"):
            case "text":
                text = expect(block.get("text"), str, f"{place}.text")
                if not text.strip():
                    raise refuse("messages: text content blocks must be non-empty", place)
                texts.append(text)
            case "tool_use" if role == "assistant":
                arguments = expect(block.get("input"), dict, f"{place}.tool_use.input")
                calls.append(
                    PlainCall(
                        name=expect(block.get("name"), str, f"{place}.tool_use.name"),
                        arguments=json.dumps(arguments, ensure_ascii=False),
                        id=expect(block.get("id"), str, f"{place}.tool_use.id"),
                    )
                )
            case "tool_result" if role == "user":
                if texts:
                    raise refuse(f"{place}: tool_result blocks must come first", place)
                results.append(_read_result(block, place))
            case kind:
                raise refuse(f"{place}: Input tag '{kind}' is not allowed for {role}", place)
    return PlainMessage(role, tuple(texts), tuple(calls), tuple(results))


def _read_result(block: Mapping[str, Any], place: str) -> tuple[str, str, bool]:
    call_id = expect(block.get("tool_use_id"), str, f"{place}.tool_result.tool_use_id")
    content = block.get("content", "")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content)
    if block.get("is_error") and not content:
        raise refuse(f"{place}: content cannot be empty if `is_error` is true", place)
    return call_id, expect(content, str, f"{place}.content"), bool(block.get("is_error", False))


def _check_results(message: PlainMessage, waiting: set[str], where: str) -> None:
    answered = {call_id for call_id, _, _ in message.results}
    strange = sorted(answered - waiting)
    if strange:
        raise refuse(
            f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {strange[0]}. Each "
            "`tool_result` block must have a corresponding `tool_use` block in the previous "
            "message.",
            where,
        )
    if waiting - answered:
        raise _miss_results(waiting - answered, where)


def _miss_results(missing: set[str], where: str) -> RefusalError:
    return refuse(
        f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(sorted(missing))}.",
        where,
    )


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _write_head(answered: Answered) -> dict[str, Any]:
    name = f"msg_{answered.id}"
    return {"id": name, "type": "message", "role": "assistant", "model": answered.model}


def _write_stop(answered: Answered) -> dict[str, Any]:
    return {"stop_reason": STOPS[answered.stop], "stop_sequence": None}


def _write_usage(answered: Answered) -> dict[str, int]:
    use = answered.use
    return {
        "input_tokens": use.total - use.read - use.written,
        "cache_creation_input_tokens": use.written,
        "cache_read_input_tokens": use.read,
    }
