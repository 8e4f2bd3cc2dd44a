"""OpenAI's Responses as the stand-in serves it: answers, refusals, accounting."""

from typing import Any

import pytest

from local.model.script import PlainCall, PlainConversation, PlainMessage, ScriptedReply
from local.model.sealing import seal
from tests.local.model.client import ASKED, GPT_TOOL, RESPONSES_TOOL, Client, read_events

CALL = {"type": "function_call", "call_id": "id-1", "name": "submit_edits", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "id-1", "output": "applied"}
TEXT = {"type": "input_text", "text": "a"}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}, "required": []}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "encrypted_content": seal("rs_1", "gpt-5.6"),
}


def test_what_was_thought_is_told_to_whoever_asks_and_accepted_back(client: Client) -> None:
    client.model.brain = lambda _: ScriptedReply(calls=(PlainCall("submit_edits", "{}"),))
    body: dict[str, Any] = {"tools": [RESPONSES_TOOL]}
    assert [item["type"] for item in client.ask_responses(body).json()["output"]] == [
        "function_call"
    ]
    asking = {**body, "include": ["reasoning.encrypted_content"]}
    thought, call = client.ask_responses(asking).json()["output"]
    again = {
        "input": [
            ASKED,
            thought,
            {name: call[name] for name in ("type", "call_id", "name", "arguments")},
            {**OUTPUT, "call_id": call["call_id"]},
        ]
    }
    assert client.ask_responses(asking | again).status_code == 200
    events = read_events(client.ask_responses({**asking, "stream": True}))
    done = [e["item"]["type"] for e in events if e["type"] == "response.output_item.done"]
    assert done == ["reasoning", "function_call"]


def test_it_answers_whole_or_as_events(client: Client) -> None:
    calls = (PlainCall("submit_edits", '{"edits": "x"}', id="id-1"),)
    client.model.brain = lambda _: ScriptedReply(text="t" * 500, calls=calls)
    body = {"tools": [RESPONSES_TOOL]}
    whole = client.ask_responses(body).json()
    message, call = whole["output"]
    assert (whole["status"], whole["incomplete_details"]) == ("completed", None)
    assert message["content"][0]["text"] == "t" * 500
    assert (call["call_id"], call["arguments"]) == ("id-1", '{"edits": "x"}')
    answer = client.ask_responses({**body, "stream": True})
    assert b"[DONE]" not in answer.content
    events = read_events(answer)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
    assert kinds[-2:] == ["response.output_item.done", "response.completed"]
    deltas = {kind: "" for kind in kinds if kind.endswith(".delta")}
    for event in events:
        if event["type"] in deltas:
            deltas[event["type"]] += event["delta"]
    assert deltas == {
        "response.output_text.delta": "t" * 500,
        "response.function_call_arguments.delta": '{"edits": "x"}',
    }
    assert events[-1]["response"]["usage"] == whole["usage"]
    assert [item["type"] for item in events[-1]["response"]["output"]] == [
        "message",
        "function_call",
    ]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (ScriptedReply(text="t", stop="length"), "max_output_tokens"),
        (ScriptedReply(text="t" * 400), "max_output_tokens"),
        (ScriptedReply(stop="refused"), "content_filter"),
    ],
)
def test_what_is_not_complete_says_why(client: Client, reply: ScriptedReply, reason: str) -> None:
    client.model.brain = lambda _: reply
    told = client.ask_responses({"max_output_tokens": 16}).json()
    assert (told["status"], told["incomplete_details"]) == ("incomplete", {"reason": reason})


def test_a_brain_hears_what_it_hears_over_the_other_wires(client: Client) -> None:
    heard: list[PlainConversation] = []

    def listen(said: PlainConversation) -> ScriptedReply:
        heard.append(said)
        return ScriptedReply(text="yes")

    client.model.brain = listen
    client.ask_responses(
        {
            "instructions": "Edit.",
            "tools": [RESPONSES_TOOL],
            "tool_choice": "required",
            "max_output_tokens": 100,
            "input": [
                {"role": "developer", "content": "Be brief."},
                ASKED,
                {"role": "assistant", "content": [{"type": "output_text", "text": "One:"}]},
                CALL,
                OUTPUT,
            ],
        }
    )
    client.ask_responses({"input": "Make it red."})
    first, second = heard
    assert (first.wire, first.system, first.must_call) == ("openai", "Edit.\nBe brief.", "any")
    assert first.messages == (
        PlainMessage("user", ("Make it red.",)),
        PlainMessage("assistant", ("One:",), (PlainCall("submit_edits", "{}", "id-1"),)),
        PlainMessage("user", results=(("id-1", "applied", False),)),
    )
    assert (list(first.tools), first.max_tokens) == (["submit_edits"], 100)
    assert second.messages == first.messages[:1]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": None}, "Missing required parameter: 'model'"),
        ({"input": None}, "Missing required parameter: 'input'"),
        ({"input": []}, "empty array"),
        ({"messages": [ASKED]}, "Unknown parameter: 'messages'"),
        ({"max_completion_tokens": 100}, "Unknown parameter: 'max_completion_tokens'"),
        ({"previous_response_id": "resp_1"}, "Unknown parameter: 'previous_response_id'"),
        ({"max_output_tokens": 15}, "Expected a value >= 16, but got 15"),
        ({"temperature": 0.2}, "does not support 0.2"),
        ({"reasoning": {"effort": "hard"}}, "Invalid value: 'hard'"),
        (
            {"reasoning": {"effort": "low"}, "model": "gpt-4.1"},
            "'reasoning.effort' is not supported with this model",
        ),
        ({"prompt_cache_key": "k" * 65}, "string too long"),
        ({"tools": [GPT_TOOL]}, "Missing required parameter: 'tools[0].name'"),
        ({"tools": [{"type": "robot"}]}, "Invalid value: 'robot'"),
        ({"tools": [{**RESPONSES_TOOL, "parameters": LOOSE}]}, "'additionalProperties'"),
        ({"tool_choice": "required"}, "must be specified with 'tools'"),
        ({"tools": [RESPONSES_TOOL], "tool_choice": "must"}, "Invalid value: 'must'"),
        (
            {"tools": [RESPONSES_TOOL], "tool_choice": {"type": "function", "name": "x"}},
            "'x' not found",
        ),
        ({"input": [{"role": "robot", "content": "x"}]}, "Invalid value: 'robot'"),
        ({"input": [user({"type": "text", "text": "x"})]}, "values are: 'input_text'"),
        ({"input": [{"role": "assistant", "content": [TEXT]}]}, "values are: 'output_text'"),
        ({"input": [ASKED, {"type": "thought"}]}, "Invalid value: 'thought'"),
        ({"include": ["reasoning.secrets"]}, "Invalid value: 'reasoning.secrets'"),
        (
            {"include": ["reasoning.encrypted_content"], "model": "gpt-4.1"},
            "Encrypted content is not supported with this model",
        ),
        ({"input": [ASKED, {**THOUGHT, "encrypted_content": None}, CALL, OUTPUT]}, "not found"),
        ({"input": [ASKED, {**THOUGHT, "id": "rs_other"}, CALL, OUTPUT]}, "could not be verified"),
        ({"input": [ASKED, THOUGHT]}, "without its required following item"),
        ({"input": [ASKED, THOUGHT, ASKED]}, "without its required following item"),
        ({"input": [ASKED, OUTPUT]}, "No tool call found for function call output id-1"),
        ({"input": [ASKED, CALL]}, "No tool output found for function call id-1"),
        ({"input": [ASKED, {**CALL, "id": "fc_1"}, OUTPUT]}, "without its required 'reasoning'"),
        (
            {
                "model": "gpt-5.5",
                "input": [user({**TEXT, "prompt_cache_breakpoint": {"mode": "explicit"}})],
            },
            "Unknown parameter: 'prompt_cache_breakpoint'",
        ),
        ({"input": [user({**TEXT, "text": "x" * 1_000_000})]}, "maximum context length"),
    ],
)
def test_it_refuses_a_request_that_is_not_well_put(
    client: Client, changes: dict[str, Any], told: str
) -> None:
    answer = client.ask_responses(changes)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert told in error["message"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/responses", {}, 401),
        ("/v1/responses", {"Authorization": "Bearer local-entra-token"}, 401),
        ("/openai/v1/responses", {"Authorization": "Bearer local-entra-token"}, 200),
        ("/openai/v1/responses", {"api-key": "local-model-key"}, 200),
        ("/openai/v1/responses", {"api-key": "wrong"}, 401),
    ],
)
def test_each_door_has_its_key(
    client: Client, path: str, headers: dict[str, str], status: int
) -> None:
    assert client.ask_responses(path=path, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("name", "effort"), [("gpt-5.6", "none"), ("gpt-6-luna", "none"), ("gpt-5.4", None)]
)
def test_chat_completions_takes_tools_of_who_does_not_reason(
    client: Client, name: str, effort: str | None
) -> None:
    changes = {"model": name, "tools": [GPT_TOOL], "reasoning_effort": effort}
    assert client.ask_gpt(changes).status_code == 200


def test_the_cache_is_read_to_marks(client: Client) -> None:
    def ask(own: str) -> tuple[int, int]:
        shared = {**TEXT, "text": "shared " * 1000, "prompt_cache_breakpoint": {"mode": "explicit"}}
        usage = client.ask_responses({"input": [user(shared, {**TEXT, "text": own})]}).json()
        details = usage["usage"]["input_tokens_details"]
        return details["cached_tokens"], details["cache_write_tokens"]

    assert ask("one " * 100)[0] == 0
    read, written = ask("two " * 100)
    assert read > 1700
    assert 90 < written < 130
