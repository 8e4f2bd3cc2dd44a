"""The stand-in refuses what the services refuse, in their words and shapes."""

from typing import Any

import pytest
import requests

from local.model.running import run_in_thread
from local.model.server import ModelOptions, ModelStandIn
from tests.local.model.client import ASKED, CLAUDE_TOOL, GPT_TOOL, SCHEMA, Client

USE = {"type": "tool_use", "id": "toolu_1", "name": "submit_edits", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "applied"}
MARK = {"cache_control": {"type": "ephemeral"}}
TEXT = {"type": "text", "text": "a"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "submit_edits", "arguments": "{}"}}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}, "required": []}
NESTED = {**SCHEMA, "properties": {"edits": {"type": "array", "items": LOOSE}}}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def build_strict_tool(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}


def claude_refusal(answer: requests.Response) -> tuple[int, str, str]:
    body = answer.json()
    assert body["type"] == "error"
    assert body["request_id"] == answer.headers["request-id"]
    return answer.status_code, body["error"]["type"], body["error"]["message"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"model": None}, "model: Field required"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "system", "content": "x"}]}, "Unexpected role"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "first message"),
        ({"messages": [{"role": "user", "content": ""}]}, "must be non-empty"),
        ({"messages": [{"role": "user", "content": []}]}, "non-empty content"),
        ({"messages": [user({"type": "text", "text": " "})]}, "must be non-empty"),
        ({"messages": [user({"type": "picture"})]}, "Input tag 'picture'"),
        ({"messages": [user(USE)]}, "Input tag 'tool_use'"),
        ({"messages": [user(RESULT)]}, "unexpected `tool_use_id`"),
        ({"messages": [ASKED, assistant(USE)]}, "without `tool_result` blocks"),
        ({"messages": [ASKED, assistant(USE), ASKED]}, "without `tool_result` blocks"),
        ({"messages": [ASKED, assistant(USE), user(TEXT, RESULT)]}, "must come first"),
        (
            {
                "messages": [
                    ASKED,
                    assistant(USE),
                    user({**RESULT, "content": "", "is_error": True}),
                ]
            },
            "content cannot be empty",
        ),
        ({"temperature": 1.5}, "temperature: range"),
        ({"temperature": -0.1}, "temperature: range"),
        ({"temperature": 0.5, "model": "claude-opus-5"}, "`temperature` is deprecated"),
        ({"output_config": {"effort": "none"}}, "output_config.effort: Input should be 'low'"),
        ({"output_config": {"effort": "xhigh"}}, "does not support effort level 'xhigh'"),
        (
            {"output_config": {"effort": "low"}, "model": "claude-haiku-4-5"},
            "does not support the effort parameter",
        ),
        ({"system": [{"type": "text", "text": ""}]}, "must be non-empty"),
        ({"messages": [user(*[{**TEXT, **MARK}] * 5)]}, "A maximum of 4 blocks"),
        (
            {
                "system": [{**TEXT, **MARK}],
                "tools": [{**CLAUDE_TOOL, **MARK}],
                "messages": [user(*[{**TEXT, **MARK}] * 3)],
            },
            "Found 5",
        ),
        ({"messages": [user({**TEXT, "cache_control": {"type": "x"}})]}, "'ephemeral'"),
        ({"tools": [{**CLAUDE_TOOL, "name": "a b"}]}, "should match pattern"),
        ({"tools": [CLAUDE_TOOL, CLAUDE_TOOL]}, "must be unique"),
        ({"tools": [{**CLAUDE_TOOL, "input_schema": {}}]}, "input_schema.type"),
        (
            {"tools": [{**CLAUDE_TOOL, "strict": True, "input_schema": LOOSE}]},
            "'additionalProperties' is required",
        ),
        ({"tool_choice": {"type": "any"}}, "while providing tools"),
        ({"tools": [CLAUDE_TOOL], "tool_choice": {"type": "must"}}, "tool_choice.type"),
        ({"tools": [CLAUDE_TOOL], "tool_choice": {"type": "tool", "name": "x"}}, "not found"),
        (
            {
                "model": "claude-opus-5-5",
                "tools": [CLAUDE_TOOL],
                "tool_choice": {"type": "any"},
            },
            "forced tool use",
        ),
        ({"prompt": "x"}, "prompt: Extra inputs are not permitted"),
        ({"max_tokens": "many"}, "max_tokens: Input should be valid"),
        ({"max_tokens": True}, "max_tokens: Input should be valid"),
        ({"max_tokens": -1}, "greater than or equal to 0"),
        ({"messages": [user({"type": "text", "text": "x" * 1_000_000})]}, "prompt is too long"),
    ],
)
def test_anthropic_refuses_a_request_that_is_not_well_put(
    client: Client, changes: dict[str, Any], told: str
) -> None:
    status, kind, message = claude_refusal(client.ask_claude(changes))
    assert (status, kind) == (400, "invalid_request_error")
    assert told in message
    assert client.model.calls.calls[-1].tokens_in == 0


def test_anthropic_accepts_what_is_well_put(client: Client) -> None:
    answer = client.ask_claude(
        {
            "system": [{**TEXT, **MARK}],
            "tools": [{**CLAUDE_TOOL, "strict": True}],
            "tool_choice": {"type": "tool", "name": "submit_edits"},
            "temperature": 1,
            "messages": [ASKED, assistant(TEXT, USE), user(RESULT, TEXT), ASKED],
        }
    )
    assert answer.status_code == 200


def test_anthropic_wants_a_version_and_a_key(client: Client) -> None:
    key = {"x-api-key": client.model.key}
    status, _, message = claude_refusal(client.ask_claude(headers=key))
    assert (status, message) == (400, "anthropic-version: header is required")
    version = {"anthropic-version": "2023-06-01"}
    for more in ({}, {"x-api-key": "wrong"}, {"Authorization": "Bearer wrong"}):
        assert claude_refusal(client.ask_claude(headers=version | more))[:2] == (
            401,
            "authentication_error",
        )
    bearer = {"Authorization": f"Bearer {client.model.key}"}
    assert client.ask_claude(headers=version | bearer).status_code == 200
    logged = client.control("GET", "calls").text
    assert client.model.key not in logged
    assert "wrong" not in logged


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": None}, "Missing required parameter: 'model'"),
        ({"messages": None}, "Missing required parameter: 'messages'"),
        ({"messages": []}, "empty array"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "Invalid value: 'robot'"),
        ({"messages": [{"role": "user", "content": None}]}, "Invalid value for 'content'"),
        ({"messages": [{"role": "user", "content": []}]}, "Invalid value for 'content'"),
        ({"messages": [{"role": "assistant"}]}, "Invalid value for 'content'"),
        (
            {"messages": [ASKED, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]},
            "must be a response to a preceeding message",
        ),
        (
            {"messages": [ASKED, {"role": "assistant", "tool_calls": [CALL]}, ASKED]},
            "did not have response messages: call_1",
        ),
        (
            {"messages": [ASKED, {"role": "assistant", "tool_calls": [CALL]}]},
            "did not have response messages: call_1",
        ),
        ({"temperature": 2.1}, "between 0 and 2"),
        ({"temperature": 0.2, "model": "gpt-5"}, "does not support 0.2"),
        ({"reasoning_effort": "hard", "model": "gpt-5"}, "Invalid value: 'hard'"),
        ({"reasoning_effort": "low", "model": "gpt-4.1"}, "is not supported with this model"),
        ({"model": "gpt-5.5", "tools": [GPT_TOOL]}, "use /v1/responses or set reasoning_effort"),
        (
            {"model": "gpt-5.6-sol", "tools": [GPT_TOOL]},
            "not supported for gpt-5.6-sol in /v1/chat",
        ),
        (
            {"model": "gpt-6-sol", "tools": [GPT_TOOL], "reasoning_effort": "low"},
            "Function tools with reasoning_effort",
        ),
        (
            {"model": "gpt-5.4", "tools": [GPT_TOOL], "reasoning_effort": "low"},
            "Function tools with reasoning_effort",
        ),
        (
            {"model": "gpt-6.1-sol", "tools": [GPT_TOOL], "reasoning_effort": "none"},
            "does not support 'none'",
        ),
        ({"max_tokens": 9, "model": "o4-mini"}, "Use 'max_completion_tokens' instead"),
        ({"max_completion_tokens": 0}, "below minimum"),
        ({"prompt_cache_key": "k" * 65}, "string too long"),
        ({"stream_options": {"include_usage": True}}, "only allowed when 'stream'"),
        ({"tool_choice": "auto"}, "only allowed when 'tools'"),
        ({"parallel_tool_calls": True}, "only allowed when 'tools'"),
        ({"tools": [GPT_TOOL], "tool_choice": "must"}, "Invalid value: 'must'"),
        (
            {"tools": [GPT_TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}},
            "'x' not found",
        ),
        (
            {"tools": [build_strict_tool(LOOSE)]},
            "Invalid schema for function 'f': In context=(), 'additionalProperties'",
        ),
        (
            {"tools": [build_strict_tool(NESTED)]},
            "'items'",
        ),
        *(
            ({"tools": [build_strict_tool(schema)]}, place)
            for schema, place in (
                ({**SCHEMA, "properties": {"edits": {"anyOf": [LOOSE]}}}, "'anyOf'"),
                ({**SCHEMA, "$defs": {"edit": LOOSE}}, "'$defs', 'edit'"),
                ({**SCHEMA, "required": []}, "Missing 'edits'"),
                ({**SCHEMA, "properties": {"edits": True}}, "schema must be an object"),
                ({**LOOSE, "type": ["object", "null"]}, "'additionalProperties'"),
            )
        ),
        (
            {"messages": [user({**TEXT, "prompt_cache_breakpoint": {"mode": "explicit"}})]},
            "Unknown parameter: 'prompt_cache_breakpoint'",
        ),
        ({"messages": [user({"type": "text", "text": "x" * 1_000_000})]}, "maximum context length"),
    ],
)
def test_openai_refuses_a_request_that_is_not_well_put(
    client: Client, changes: dict[str, Any], told: str
) -> None:
    answer = client.ask_gpt(changes)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert set(error) == {"message", "type", "param", "code"}
    assert told in error["message"]


def test_ollama_is_not_so_strict(client: Client) -> None:
    loose = {"type": "function", "function": {"name": "f", "parameters": LOOSE, "strict": True}}
    changes = {"model": "gpt-5", "max_tokens": 9, "temperature": 0.2, "tools": [loose]}
    answer = client.ask_gpt(changes, "/ollama/v1/chat/completions", headers={})
    assert answer.status_code == 200
    assert "prompt_tokens_details" not in answer.json()["usage"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/chat/completions", {}, 401),
        ("/v1/chat/completions", {"Authorization": "Bearer wrong"}, 401),
        ("/v1/chat/completions", {"Authorization": "Bearer local-entra-token"}, 401),
        ("/openai/v1/chat/completions", {"Authorization": "Bearer local-entra-token"}, 200),
        ("/openai/v1/chat/completions", {"api-key": "local-model-key"}, 200),
        ("/openai/v1/chat/completions", {"api-key": "wrong"}, 401),
        ("/openai/deployments/blue/chat/completions?api-version=1", {"api-key": "wrong"}, 401),
        (
            "/openai/deployments/blue/chat/completions?api-version=1",
            {"api-key": "local-model-key"},
            200,
        ),
        ("/openai/deployments/blue/chat/completions", {"api-key": "local-model-key"}, 404),
    ],
)
def test_each_door_has_its_key(
    client: Client, path: str, headers: dict[str, str], status: int
) -> None:
    assert client.ask_gpt(path=path, headers=headers).status_code == status


def test_azure_has_its_own_codes(client: Client) -> None:
    path = "/openai/deployments/blue/chat/completions?api-version=1"
    error = client.ask_gpt(path=path, headers={"api-key": "wrong"}).json()["error"]
    assert error["code"] == "401"


def test_only_the_models_there_are_can_be_asked() -> None:
    with run_in_thread(ModelOptions(models=frozenset({"gpt-4.1", "claude-sonnet-4-6"}))) as model:
        client = Client(model)
        assert client.ask_gpt().status_code == 200
        missing = client.ask_gpt({"model": "gpt-9"})
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
        assert client.ask_claude().status_code == 200
        assert claude_refusal(client.ask_claude({"model": "claude-9"}))[:2] == (
            404,
            "not_found_error",
        )
        assert list_models(model, {}) == (401, [])
        bearer = {"Authorization": f"Bearer {model.key}"}
        names = ["claude-sonnet-4-6", "gpt-4.1"]
        assert list_models(model, bearer) == (200, names)
        assert list_models(model, bearer | {"anthropic-version": "2023-06-01"}) == (200, names)


def list_models(model: ModelStandIn, headers: dict[str, str]) -> tuple[int, list[str]]:
    answer = requests.get(f"{model.base_url}/v1/models", headers=headers, timeout=10)
    return answer.status_code, [one["id"] for one in answer.json().get("data", [])]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
def test_what_is_no_json_object_is_refused(model: ModelStandIn, path: str, body: bytes) -> None:
    answer = requests.post(
        f"{model.base_url}{path}",
        data=body,
        headers={"Authorization": f"Bearer {model.key}"},
        timeout=10,
    )
    assert answer.status_code == 400
