"""OpenAI's Chat Completions, also as Azure and Ollama serve it: requests, refusals, answers.

Sources: https://developers.openai.com/api/reference/resources/chat
https://learn.microsoft.com/azure/ai-foundry/openai/reference
https://docs.ollama.com/api/openai-compatibility
"""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from local.model.errors import RefusalError, expect, refuse
from local.model.exchange import Answered, Asked, chunk
from local.model.prompt_cache import Prompt
from local.model.script import PlainCall, PlainConversation, PlainMessage
from local.model.strict_schema import find_loose_ends
from local.model.tokens import write_canonically

ROLES: Final = ("system", "developer", "user", "assistant", "tool")
REASONING: Final = re.compile(r"(o[134]|gpt-[5-9])")
"""Models that refuse `max_tokens` and a `temperature` that is not 1.
Source: https://developers.openai.com/api/docs/guides/reasoning"""
WITHOUT_TOOLS: Final = re.compile(r"gpt-(5\.[5-9]|[6-9])")
"""Models that refuse tools on Chat Completions while they reason, as they do by default.
Sources: https://github.com/openai/openai-openapi/issues/541
https://github.com/BerriAI/litellm/pull/34569"""
EFFORT_DEFEATS_TOOLS: Final = re.compile(r"gpt-5\.4")
"""Models that refuse tools there when they are told to reason; by default they do not.
Source: https://github.com/openai/openai-openapi/issues/541"""
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Source: `openai/types/shared/reasoning_effort.py`"""
ALWAYS_REASONING: Final = re.compile(r"gpt-6(-astra|\.1-sol)")
"""Models that do not accept `none` as the effort.
Source: https://github.com/jhd3197/Prompture/releases/tag/v1.15.1"""
MARKED: Final = re.compile(r"gpt-(5\.[6-9]|[6-9])")
"""Models whose cache goes by marks.
Source: https://developers.openai.com/api/docs/guides/prompt-caching"""
MAX_MARKS: Final = 4
MAX_KEY_CHARACTERS: Final = 64
STOPS: Final = {
    "done": "stop",
    "calls": "tool_calls",
    "length": "length",
    "refused": "content_filter",
}
ERROR_CODES: Final = {
    401: "invalid_api_key",
    404: "model_not_found",
    429: "rate_limit_exceeded",
    503: "server_overloaded",
}


class Flavour(StrEnum):
    """Who serves the wire."""

    OPENAI = "openai"
    AZURE = "azure"
    OLLAMA = "ollama"


def read_key(headers: Mapping[str, str]) -> str:
    """Answer the key of a request, or its Entra token."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return headers.get("api-key", "") or (token if scheme.lower() == "bearer" else "")


def read(body: Mapping[str, Any], flavour: Flavour) -> Asked:
    """Read a request.

    Raises:
        RefusalError: the service would refuse it.
    """
    for name in ("model", "messages"):
        if name not in body:
            raise refuse(
                f"Missing required parameter: '{name}'.", name, "missing_required_parameter"
            )
    model = expect(body["model"], str, "model")
    is_openai = flavour is not Flavour.OLLAMA
    temperature = read_temperature(body, model, is_strict=is_openai)
    max_tokens = _read_limit(body, model, is_strict=is_openai)
    is_stream = bool(body.get("stream", False))
    options = body.get("stream_options")
    if options is not None and not is_stream:
        raise refuse(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )
    cache_key = read_cache_key(body)
    tools = _read_tools(body, is_strict=is_openai)
    effort: str | None = body.get("reasoning_effort")
    if is_openai and effort is not None:
        check_effort(effort, model, "reasoning_effort")
    if is_openai and tools:
        _check_tools_with_effort(effort, model)
    must_call = _read_tool_choice(body, tools)
    is_marked = is_openai and MARKED.match(model) is not None
    reading = Reading(is_marked=is_marked)
    for tool in body.get("tools", ()):
        reading.pieces.append(write_canonically(tool))
    system, messages = _read_messages(body, reading)
    if flavour is Flavour.OLLAMA:
        _check_arguments(messages)
    return Asked(
        conversation=PlainConversation(
            wire="openai",
            model=model,
            system=system,
            messages=messages,
            tools=tools,
            must_call=must_call,
            max_tokens=max_tokens,
            temperature=temperature,
            effort=effort,
        ),
        prompt=Prompt(
            f"openai {model} {cache_key}",
            reading.pieces,
            reading.list_marks(),
        ),
        is_marked=is_marked,
        is_stream=is_stream,
        wants_usage=not is_stream or bool((options or {}).get("include_usage")),
    )


def write_whole(answered: Answered, flavour: Flavour) -> dict[str, Any]:
    """Write an answer as one document."""
    message: dict[str, Any] = {"role": "assistant", "content": answered.text or None}
    if answered.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in answered.calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": STOPS[answered.stop]}
    head = _write_head(answered, "chat.completion")
    return {**head, "choices": [choice], "usage": _write_usage(answered, flavour)}


def write_events(answered: Answered, flavour: Flavour, *, wants_usage: bool) -> Iterator[bytes]:
    """Write an answer as the events of a stream."""
    is_ollama = flavour is Flavour.OLLAMA
    yield _write_delta(answered, {"role": "assistant", "content": ""})
    for part in chunk(answered.text):
        yield _write_delta(answered, {"content": part})
    for at, call in enumerate(answered.calls):
        parts = _write_whole_call(call) if is_ollama else _write_call(at, call)
        yield from (_write_delta(answered, {"tool_calls": [part]}) for part in parts)
    yield _write_delta(answered, {}, STOPS[answered.stop])
    if wants_usage:
        head = _write_head(answered, "chat.completion.chunk")
        yield _write_event({**head, "choices": [], "usage": _write_usage(answered, flavour)})
    yield b"data: [DONE]\n\n"


def _write_call(at: int, call: PlainCall) -> Iterator[dict[str, Any]]:
    function = {"name": call.name, "arguments": ""}
    yield {"index": at, "id": call.id, "type": "function", "function": function}
    for part in chunk(call.arguments):
        yield {"index": at, "function": {"arguments": part}}


def _write_whole_call(call: PlainCall) -> Iterator[dict[str, Any]]:
    """Write a call as Ollama does: in one part, and every one at the first place.

    Source: https://github.com/ollama/ollama/issues/15457
    """
    function = {"name": call.name, "arguments": call.arguments}
    yield {"index": 0, "id": call.id, "type": "function", "function": function}


def write_ping() -> bytes:
    """Write the comment that keeps a stream alive."""
    return b": keep-alive\n\n"


def write_error_event(type_name: str, message: str) -> bytes:
    """Write the event with which a stream fails after its 200."""
    return _write_event(_describe(RefusalError(500, message, type_name=type_name)))


def write_error(refusal: RefusalError, flavour: Flavour) -> dict[str, Any]:
    """Write a refusal."""
    described = _describe(refusal)
    if flavour is Flavour.AZURE:
        code = described["error"]["code"]
        told = {401: "401", 404: "DeploymentNotFound"}.get(refusal.status, code)
        described["error"] |= {"code": told, "type": None, "status": refusal.status}
        if code == "content_filter":
            described["error"]["innererror"] = {"code": "ResponsibleAIPolicyViolation"}
    return described


def write_models(names: Sequence[str]) -> dict[str, Any]:
    """Write the list of models."""
    models = [{"id": name, "object": "model", "created": 0, "owned_by": "local"} for name in names]
    return {"object": "list", "data": models}


@dataclass(slots=True)
class Reading:
    """The prompt, piece by piece, as the cache sees it."""

    is_marked: bool
    pieces: list[bytes] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    last_message: int = -1

    def add(self, role: str, part: Any) -> None:
        """Take a part of a message in, and its mark."""
        plain = part
        if isinstance(part, Mapping):
            plain = {name: part[name] for name in part if name != "prompt_cache_breakpoint"}
        self.pieces.append(role.encode() + b" " + write_canonically(plain))
        if plain != part:
            if not self.is_marked:
                raise refuse(
                    "Unknown parameter: 'prompt_cache_breakpoint'.",
                    "prompt_cache_breakpoint",
                    "unknown_parameter",
                )
            self.marks.append(len(self.pieces) - 1)
        if role in ("user", "tool"):
            self.last_message = len(self.pieces) - 1

    def list_marks(self) -> list[int]:
        """Answer the request's marks and the service's own: the newest message's end."""
        if not self.is_marked:
            return []
        own = self.marks[-(MAX_MARKS - 1) :]
        return sorted({*own, self.last_message} - {-1})


def read_temperature(body: Mapping[str, Any], model: str, *, is_strict: bool) -> float | None:
    """Read the temperature.

    Raises:
        RefusalError: it is out of range, or the model takes none.
    """
    temperature: float | None = body.get("temperature")
    if temperature is None:
        return None
    expect(temperature, (int, float), "temperature")
    if not 0 <= temperature <= 2:
        raise refuse(
            f"Invalid 'temperature': expected a value between 0 and 2, but got {temperature}.",
            "temperature",
            "decimal_above_max_value",
        )
    if is_strict and REASONING.match(model) and temperature != 1:
        raise refuse(
            f"Unsupported value: 'temperature' does not support {temperature} with this model. "
            "Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        )
    return float(temperature)


def read_cache_key(body: Mapping[str, Any]) -> str:
    """Read the key that brings a request to a machine.

    Raises:
        RefusalError: it is too long.
    """
    key = expect(body.get("prompt_cache_key", ""), str, "prompt_cache_key")
    if len(key) > MAX_KEY_CHARACTERS:
        raise refuse(
            "Invalid 'prompt_cache_key': string too long.",
            "prompt_cache_key",
            "string_above_max_length",
        )
    return str(key)


def check_schema(name: str, schema: Mapping[str, Any], where: str) -> None:
    """Hold a strict tool's schema against the rules.

    Raises:
        RefusalError: it has a loose end.
    """
    for loose_end in find_loose_ends(schema):
        raise refuse(
            f"Invalid schema for function '{name}': {loose_end}",
            where,
            "invalid_function_parameters",
        )


def check_effort(effort: str, model: str, parameter: str) -> None:
    """Hold an effort against what a model takes; `parameter` is the wire's name for it.

    Raises:
        RefusalError: there is no such effort, or the model takes it not, or none at all.
    """
    if effort not in EFFORTS:
        raise refuse(f"Invalid value: '{effort}'.", parameter, "invalid_value")
    if not REASONING.match(model):
        raise refuse(
            f"Unsupported parameter: '{parameter}' is not supported with this model.",
            parameter,
            "unsupported_parameter",
        )
    if effort == "none" and ALWAYS_REASONING.match(model):
        raise refuse(
            f"Unsupported value: '{parameter}' does not support 'none' with this model.",
            parameter,
            "unsupported_value",
        )


def _check_tools_with_effort(effort: str | None, model: str) -> None:
    is_told_to = effort is not None and EFFORT_DEFEATS_TOOLS.match(model)
    if effort != "none" and (is_told_to or WITHOUT_TOOLS.match(model)):
        raise refuse(
            f"Function tools with reasoning_effort are not supported for {model} in "
            "/v1/chat/completions. To use function tools, use /v1/responses or set "
            "reasoning_effort to 'none'.",
            "reasoning_effort",
        )


def _read_limit(body: Mapping[str, Any], model: str, *, is_strict: bool) -> int | None:
    if is_strict and "max_tokens" in body and REASONING.match(model):
        raise refuse(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    names = ("max_completion_tokens", "max_tokens") if is_strict else ("max_tokens",)
    limits = [expect(body[name], int, name) for name in names if body.get(name) is not None]
    if any(limit < 1 for limit in limits):
        raise refuse("Invalid limit of tokens: integer below minimum value.", names[0])
    return min(limits) if limits else None


def _read_tools(body: Mapping[str, Any], *, is_strict: bool) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for at, tool in enumerate(expect(body.get("tools", []), list, "tools")):
        function = expect(tool, dict, f"tools[{at}]").get("function")
        name = expect(expect(function, dict, f"tools[{at}].function").get("name"), str, "name")
        schema = expect(function.get("parameters", {}), dict, "parameters")
        if is_strict and function.get("strict"):
            check_schema(name, schema, f"tools[{at}].function.parameters")
        found[name] = schema
    if not found and "parallel_tool_calls" in body:
        raise refuse(
            "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when "
            "'tools' are specified.",
            "parallel_tool_calls",
        )
    return found


def _read_tool_choice(body: Mapping[str, Any], tools: Mapping[str, Any]) -> str | None:
    choice = body.get("tool_choice")
    if choice is None:
        return None
    if not tools:
        raise refuse(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are "
            "specified.",
            "tool_choice",
        )
    if isinstance(choice, Mapping):
        name = choice.get("function", {}).get("name")
        if name not in tools:
            raise refuse(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
        return str(name)
    if choice not in ("auto", "none", "required"):
        raise refuse(f"Invalid value: '{choice}'.", "tool_choice", "invalid_value")
    return "any" if choice == "required" else None


def _read_messages(
    body: Mapping[str, Any], reading: Reading
) -> tuple[str, tuple[PlainMessage, ...]]:
    system: list[str] = []
    plain: list[PlainMessage] = []
    waiting: list[str] = []
    messages = expect(body["messages"], list, "messages")
    if not messages:
        raise refuse("Invalid 'messages': empty array.", "messages", "empty_array")
    for at, message in enumerate(messages):
        where = f"messages[{at}]"
        role = expect(message, dict, where).get("role")
        if role not in ROLES:
            raise refuse(f"Invalid value: '{role}'.", f"{where}.role", "invalid_value")
        if role != "tool" and waiting:
            raise _miss_answers(waiting, where)
        texts = _read_content(message, where, reading)
        if role in ("system", "developer"):
            system.extend(texts)
        elif role == "tool":
            call_id = expect(message.get("tool_call_id"), str, f"{where}.tool_call_id")
            if call_id not in waiting:
                raise refuse(
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceeding message with 'tool_calls'.",
                    f"{where}.role",
                )
            waiting.remove(call_id)
            plain.append(PlainMessage("user", results=((call_id, "\n".join(texts), False),)))
        else:
            calls = tuple(_read_calls(message, where)) if role == "assistant" else ()
            waiting = [call.id for call in calls]
            plain.append(PlainMessage(role, tuple(texts), calls))
    if waiting:
        raise _miss_answers(waiting, "messages")
    return "\n".join(system), tuple(plain)


def _read_content(message: Mapping[str, Any], where: str, reading: Reading) -> list[str]:
    role = message["role"]
    content = message.get("content")
    if role == "assistant" and message.get("tool_calls"):
        reading.add(role, message["tool_calls"])
        if content is None:
            return []
    parts = [content] if isinstance(content, str) else content
    if not isinstance(parts, list) or not parts:
        raise refuse(
            f"Invalid value for 'content': expected a string, got {json.dumps(content)}.",
            f"{where}.content",
        )
    texts = []
    for part in parts:
        reading.add(role, part)
        text = part if isinstance(part, str) else part.get("text")
        texts.append(expect(text, str, f"{where}.content"))
    return texts


def _read_calls(message: Mapping[str, Any], where: str) -> Iterator[PlainCall]:
    for at, call in enumerate(message.get("tool_calls") or ()):
        place = f"{where}.tool_calls[{at}]"
        function = expect(call.get("function"), dict, f"{place}.function")
        yield PlainCall(
            name=expect(function.get("name"), str, f"{place}.function.name"),
            arguments=expect(function.get("arguments"), str, f"{place}.function.arguments"),
            id=expect(call.get("id"), str, f"{place}.id"),
        )


def _check_arguments(messages: Iterable[PlainMessage]) -> None:
    """Refuse calls whose arguments are no object: Ollama reads them for the prompt's template.

    Source: https://github.com/ollama/ollama, `openai/openai.go`
    """
    for call in (call for message in messages for call in message.calls):
        try:
            arguments = json.loads(call.arguments)
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            raise refuse("invalid tool call arguments")


def _miss_answers(waiting: list[str], where: str) -> RefusalError:
    return refuse(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        f"{', '.join(waiting)}",
        where,
    )


def _describe(refusal: RefusalError) -> dict[str, Any]:
    code = refusal.type_name or ERROR_CODES.get(refusal.status)
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    if code in ("insufficient_quota", "rate_limit_exceeded"):
        kind = "insufficient_quota" if code == "insufficient_quota" else "requests"
    return {
        "error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": code}
    }


def _write_head(answered: Answered, kind: str) -> dict[str, Any]:
    name = f"chatcmpl-{answered.id}"
    return {"id": name, "object": kind, "created": int(time.time()), "model": answered.model}


def _write_delta(answered: Answered, delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = _write_head(answered, "chat.completion.chunk")
    return _write_event({**head, "choices": [choice], "usage": None})


def _write_event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _write_usage(answered: Answered, flavour: Flavour) -> dict[str, Any]:
    use = answered.use
    counts = {
        "prompt_tokens": use.total,
        "completion_tokens": answered.tokens_out,
        "total_tokens": use.total + answered.tokens_out,
    }
    if flavour is Flavour.OLLAMA:  # tells no more
        return counts
    return {
        **counts,
        "prompt_tokens_details": {"cached_tokens": use.read, "cache_write_tokens": use.written},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
