"""OpenAI's Responses, also as Azure serves it: requests, refusals, answers whole or as events.

Nothing is stored: a conversation comes whole. What Chat Completions has too (keys, refusals, the
prompt as the cache sees it) is `openai_wire`'s.
Sources: https://developers.openai.com/api/reference/resources/responses
https://developers.openai.com/api/docs/guides/streaming-responses
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.model.errors import expect, refuse
from local.model.exchange import Answered, Asked, chunk
from local.model.openai_wire import (
    MARKED,
    REASONING,
    Reading,
    check_effort,
    check_schema,
    read_cache_key,
    read_temperature,
)
from local.model.prompt_cache import Prompt
from local.model.script import PlainCall, PlainConversation, PlainMessage
from local.model.sealing import INCLUDED, check_thought, write_thought
from local.model.tokens import write_canonically

LEAST_OUTPUT_TOKENS: Final = 16
"""Source: https://github.com/earendil-works/pi/issues/6265"""
KNOWN_FIELDS: Final = frozenset(
    {
        *("include", "input", "instructions", "max_output_tokens", "metadata", "model"),
        *("parallel_tool_calls", "prompt_cache_key", "prompt_cache_options", "reasoning"),
        *("safety_identifier", "service_tier", "store", "stream", "stream_options"),
        *("temperature", "text", "tool_choice", "tools", "top_p", "truncation"),
    }
)
"""Parameters that are read or passed over; what refers to something stored is not among them."""
ROLES: Final = ("system", "developer", "user", "assistant")
FAILED: Final = frozenset({"server_error", "rate_limit_exceeded", "invalid_prompt"})
"""Codes with which a response fails; any other comes as an event of its own.
Source: `openai/types/responses/response_error.py`"""


def read(body: Mapping[str, Any]) -> Asked:
    """Read a request.

    Raises:
        RefusalError: the service would refuse it.
    """
    for name in sorted(set(body) - KNOWN_FIELDS):
        raise refuse(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    for name in ("model", "input"):
        if name not in body:
            raise refuse(
                f"Missing required parameter: '{name}'.", name, "missing_required_parameter"
            )
    model = expect(body["model"], str, "model")
    is_marked = MARKED.match(model) is not None
    reading = Reading(is_marked=is_marked)
    tools = _read_tools(body)
    for tool in body.get("tools", ()):
        reading.pieces.append(write_canonically(tool))
    system = expect(body.get("instructions", ""), str, "instructions")
    if system:
        reading.add("system", system)
    more, messages = _read_input(body["input"], reading, model)
    return Asked(
        conversation=PlainConversation(
            wire="openai",
            model=model,
            system="\n".join(filter(None, (system, more))),
            messages=messages,
            tools=tools,
            must_call=_read_tool_choice(body, tools),
            max_tokens=_read_limit(body),
            temperature=read_temperature(body, model, is_strict=True),
            effort=_read_effort(body, model),
            thoughts=_list_thoughts(body["input"]),
        ),
        prompt=Prompt(
            f"openai-responses {model} {read_cache_key(body)}",
            reading.pieces,
            reading.list_marks(),
        ),
        is_marked=is_marked,
        is_stream=bool(body.get("stream", False)),
        wants_thoughts=_read_include(body, model),
    )


def write_whole(answered: Answered) -> dict[str, Any]:
    """Write an answer as one document."""
    output = [_write_call(answered, at) for at in range(len(answered.calls))]
    if answered.text:
        output.insert(0, _write_message(answered))
    if answered.tells_thoughts:
        output.insert(0, write_thought(answered.id, answered.model))
    return {**_write_head(answered, _choose_status(answered)), **_write_end(answered, output)}


def write_events(answered: Answered) -> Iterator[bytes]:
    """Write an answer as the events of a stream."""
    for sequence, event in enumerate(_list_events(answered)):
        yield _write_event({**event, "sequence_number": sequence})


def write_ping() -> bytes:
    """Write the comment that keeps a stream alive."""
    return b": keep-alive\n\n"


def write_error_event(type_name: str, message: str) -> bytes:
    """Write the event with which a stream fails after its 200."""
    error = {"code": type_name, "message": message}
    if type_name in FAILED:
        response = {"object": "response", "status": "failed", "error": error, "output": []}
        return _write_event({"type": "response.failed", "response": response})
    return _write_event({"type": "error", **error, "param": None})


def _read_limit(body: Mapping[str, Any]) -> int | None:
    limit = body.get("max_output_tokens")
    if limit is not None and expect(limit, int, "max_output_tokens") < LEAST_OUTPUT_TOKENS:
        raise refuse(
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= "
            f"{LEAST_OUTPUT_TOKENS}, but got {limit} instead.",
            "max_output_tokens",
            "integer_below_min_value",
        )
    return limit


def _read_effort(body: Mapping[str, Any], model: str) -> str | None:
    reasoning = expect(body.get("reasoning") or {}, dict, "reasoning")
    effort: str | None = reasoning.get("effort")
    if effort is not None:
        check_effort(effort, model, "reasoning.effort")
    return effort


def _read_include(body: Mapping[str, Any], model: str) -> bool:
    included = expect(body.get("include") or [], list, "include")
    for name in included:
        if name != INCLUDED:
            raise refuse(f"Invalid value: '{name}'.", "include", "invalid_value")
    if included and not REASONING.match(model):
        raise refuse("Encrypted content is not supported with this model.", "include")
    return bool(included)


def _read_tools(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for at, tool in enumerate(expect(body.get("tools", []), list, "tools")):
        if expect(tool, dict, f"tools[{at}]").get("type") != "function":
            raise refuse(f"Invalid value: '{tool.get('type')}'.", f"tools[{at}].type")
        if "name" not in tool:  # the shape of Chat Completions
            raise refuse(
                f"Missing required parameter: 'tools[{at}].name'.",
                f"tools[{at}].name",
                "missing_required_parameter",
            )
        schema = expect(tool.get("parameters"), dict, f"tools[{at}].parameters")
        if tool.get("strict", True):  # left out it is strict, other than at Chat Completions
            check_schema(tool["name"], schema, f"tools[{at}].parameters")
        found[tool["name"]] = schema
    return found


def _read_tool_choice(body: Mapping[str, Any], tools: Mapping[str, Any]) -> str | None:
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, Mapping):
        if choice.get("name") not in tools:
            raise refuse(
                f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.",
                "tool_choice",
            )
        return str(choice["name"])
    if choice not in ("auto", "none", "required"):
        raise refuse(f"Invalid value: '{choice}'.", "tool_choice", "invalid_value")
    if choice == "required" and not tools:
        raise refuse("Tool choice 'required' must be specified with 'tools'.", "tool_choice")
    return "any" if choice == "required" else None


def _read_input(said: Any, reading: Reading, model: str) -> tuple[str, tuple[PlainMessage, ...]]:
    items = [{"role": "user", "content": said}] if isinstance(said, str) else said
    if not expect(items, list, "input"):
        raise refuse("Invalid 'input': empty array.", "input", "empty_array")
    system: list[str] = []
    plain: list[PlainMessage] = []
    waiting: set[str] = set()
    for at, item in enumerate(items):
        where = f"input[{at}]"
        match expect(item, dict, where).get("type", "message"):
            case "message":
                role, texts = _read_message(item, where, reading)
                if role in ("system", "developer"):
                    system.extend(texts)
                else:
                    plain.append(PlainMessage(role, texts))
            case "reasoning":
                check_thought(items, at, model)
                reading.add("assistant", item)
            case "function_call":
                call = _read_call(item, where)
                reading.add("assistant", item)
                waiting.add(call.id)
                _add_call(plain, call)
            case "function_call_output":
                call_id = expect(item.get("call_id"), str, f"{where}.call_id")
                if call_id not in waiting:
                    raise refuse(f"No tool call found for function call output {call_id}.", "input")
                waiting.remove(call_id)
                text = expect(item.get("output"), str, f"{where}.output")
                reading.add("tool", item)
                plain.append(PlainMessage("user", results=((call_id, text, False),)))
            case kind:
                raise refuse(f"Invalid value: '{kind}'.", f"{where}.type", "invalid_value")
    for call_id in sorted(waiting):
        raise refuse(f"No tool output found for function call {call_id}.", "input")
    return "\n".join(system), tuple(plain)


def _list_thoughts(said: Any) -> tuple[str, ...]:
    items = said if isinstance(said, list) else []
    return tuple(item["id"] for item in items if item.get("type") == "reasoning")


def _add_call(plain: list[PlainMessage], call: PlainCall) -> None:
    """Add a call to the message before it, as the other wires have it."""
    if plain and plain[-1].role == "assistant":
        last = plain.pop()
        plain.append(PlainMessage("assistant", last.texts, (*last.calls, call)))
    else:
        plain.append(PlainMessage("assistant", calls=(call,)))


def _read_message(
    item: Mapping[str, Any], where: str, reading: Reading
) -> tuple[str, tuple[str, ...]]:
    role = item.get("role")
    if role not in ROLES:
        raise refuse(f"Invalid value: '{role}'.", f"{where}.role", "invalid_value")
    content = item.get("content")
    wanted = "output_text" if role == "assistant" else "input_text"
    if isinstance(content, str):
        reading.add(role, content)
        return role, (content,)
    texts = []
    for at, part in enumerate(expect(content, list, f"{where}.content")):
        place = f"{where}.content[{at}]"
        kind = expect(part, dict, place).get("type")
        if kind != wanted:
            raise refuse(
                f"Invalid value: '{kind}'. Supported values are: '{wanted}'.",
                f"{place}.type",
                "invalid_value",
            )
        reading.add(role, part)
        texts.append(expect(part.get("text"), str, f"{place}.text"))
    return role, tuple(texts)


def _read_call(item: Mapping[str, Any], where: str) -> PlainCall:
    if "id" in item:
        # what was thought is not stored here, as it is not at the service with `store` false
        raise refuse(
            f"Item '{item['id']}' of type 'function_call' was provided without its required "
            "'reasoning' item.",
            "input",
        )
    return PlainCall(
        name=expect(item.get("name"), str, f"{where}.name"),
        arguments=expect(item.get("arguments"), str, f"{where}.arguments"),
        id=expect(item.get("call_id"), str, f"{where}.call_id"),
    )


def _list_events(answered: Answered) -> Iterator[dict[str, Any]]:
    begun = {**_write_head(answered, "in_progress"), "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    whole = write_whole(answered)
    for at, item in enumerate(whole["output"]):
        if item["type"] == "reasoning":
            yield {"type": "response.output_item.added", "output_index": at, "item": item}
            yield {"type": "response.output_item.done", "output_index": at, "item": item}
            continue
        is_text = item["type"] == "message"
        empty: dict[str, Any] = {"content": []} if is_text else {"arguments": ""}
        started = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": at, "item": started}
        place = {"item_id": item["id"], "output_index": at}
        yield from _list_text(item, place) if is_text else _list_arguments(item, place)
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    yield {"type": f"response.{whole['status']}", "response": whole}


def _list_text(item: Mapping[str, Any], place: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    part = item["content"][0]
    field = "refusal" if part["type"] == "refusal" else "text"
    name = f"response.{part['type']}"
    place = {**place, "content_index": 0}
    yield {"type": "response.content_part.added", **place, "part": {**part, field: ""}}
    for piece in chunk(part[field]):
        yield {"type": f"{name}.delta", **place, "delta": piece}
    yield {"type": f"{name}.done", **place, field: part[field]}
    yield {"type": "response.content_part.done", **place, "part": part}


def _list_arguments(item: Mapping[str, Any], place: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    name = "response.function_call_arguments"
    for piece in chunk(item["arguments"]):
        yield {"type": f"{name}.delta", **place, "delta": piece}
    yield {"type": f"{name}.done", **place, "arguments": item["arguments"]}


def _write_part(answered: Answered) -> dict[str, Any]:
    if answered.stop == "refused":
        return {"type": "refusal", "refusal": answered.text}
    return {"type": "output_text", "text": answered.text, "annotations": []}


def _write_message(answered: Answered) -> dict[str, Any]:
    return {
        "id": f"msg_{answered.id}",
        "type": "message",
        "role": "assistant",
        "status": _choose_status(answered),
        "content": [_write_part(answered)],
    }


def _write_call(answered: Answered, at: int) -> dict[str, Any]:
    call = answered.calls[at]
    return {
        "id": f"fc_{answered.id}_{at}",
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "status": _choose_status(answered),
    }


def _choose_reason(answered: Answered) -> str | None:
    """Answer why a response is not complete; a refusal in words is."""
    if answered.stop == "refused" and not answered.text:
        return "content_filter"
    return "max_output_tokens" if answered.stop == "length" else None


def _choose_status(answered: Answered) -> str:
    return "incomplete" if _choose_reason(answered) else "completed"


def _write_head(answered: Answered, status: str) -> dict[str, Any]:
    return {
        "id": f"resp_{answered.id}",
        "object": "response",
        "created_at": int(time.time()),
        "model": answered.model,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "store": False,
    }


def _write_end(answered: Answered, output: list[dict[str, Any]]) -> dict[str, Any]:
    use, reason = answered.use, _choose_reason(answered)
    return {
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": {
            "input_tokens": use.total,
            "input_tokens_details": {
                "cached_tokens": use.read,
                "cache_write_tokens": use.written,
            },
            "output_tokens": answered.tokens_out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": use.total + answered.tokens_out,
        },
    }


def _write_event(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()
