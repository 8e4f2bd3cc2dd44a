"""What the stand-in answers: by a script or a brain, whole or as a stream, at its price."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from local.model.prompt_cache import TTL_S, Prompt, PromptCache
from local.model.running import run_in_thread
from local.model.script import NO_SCRIPT, PlainCall, PlainConversation, ScriptedReply
from local.model.server import ModelOptions
from tests.local.functions_host.hosting import REPOSITORY
from tests.local.model.client import ASKED, CLAUDE_TOOL, GPT_TOOL, Client, read_events

CALLS = (PlainCall("submit_edits", '{"edits": "x"}', id="id-1"),)


def test_without_a_script_it_says_so(client: Client) -> None:
    assert client.ask_claude().json()["content"] == [{"type": "text", "text": NO_SCRIPT}]
    assert client.ask_gpt().json()["choices"][0]["message"]["content"] == NO_SCRIPT


def test_anthropic_answers_whole_or_as_events(client: Client) -> None:
    client.model.brain = lambda _: ScriptedReply(text="t" * 500, calls=CALLS)
    body = {"tools": [CLAUDE_TOOL], "max_tokens": 1000}
    whole = client.ask_claude(body).json()
    assert whole["content"] == [
        {"type": "text", "text": "t" * 500},
        {"type": "tool_use", "id": "id-1", "name": "submit_edits", "input": {"edits": "x"}},
    ]
    assert whole["stop_reason"] == "tool_use"
    events = read_events(client.ask_claude({**body, "stream": True}))
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["message_start", "ping", "content_block_start"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(delta.get("text", "") for delta in deltas) == "t" * 500
    assert "".join(delta.get("partial_json", "") for delta in deltas) == '{"edits": "x"}'
    assert events[-2]["usage"]["output_tokens"] == whole["usage"]["output_tokens"] == 129


def test_openai_answers_whole_or_as_events(client: Client) -> None:
    client.model.brain = lambda _: ScriptedReply(text="t" * 500, calls=CALLS)
    body = {"tools": [GPT_TOOL]}
    whole = client.ask_gpt(body).json()
    message = whole["choices"][0]["message"]
    assert message["content"] == "t" * 500
    assert message["tool_calls"][0]["function"] == {
        "name": "submit_edits",
        "arguments": '{"edits": "x"}',
    }
    assert whole["choices"][0]["finish_reason"] == "tool_calls"
    stream = {**body, "stream": True, "stream_options": {"include_usage": True}}
    answer = client.ask_gpt(stream)
    assert answer.content.endswith(b"data: [DONE]\n\n")
    *events, last = read_events(answer)
    assert (last["choices"], last["usage"]) == ([], whole["usage"])
    deltas = [event["choices"][0]["delta"] for event in events]
    assert "".join(delta.get("content", "") for delta in deltas) == "t" * 500
    silent = read_events(client.ask_gpt({**body, "stream": True}))
    assert all(not event["usage"] for event in silent)


@pytest.mark.parametrize("limit", [0, 1, 10, 60])
def test_no_answer_is_longer_than_was_asked_for(client: Client, limit: int) -> None:
    client.model.brain = lambda _: ScriptedReply(text="t" * 200, calls=CALLS)
    answer = client.ask_claude({"max_tokens": limit, "stream": True})
    end = read_events(answer)[-2]
    is_cut = limit < 54
    assert end["delta"]["stop_reason"] == ("max_tokens" if is_cut else "tool_use")
    assert end["usage"]["output_tokens"] == min(limit, 54)


def test_only_a_stream_carries_arguments_that_are_no_json(client: Client) -> None:
    client.model.brain = lambda _: ScriptedReply(calls=(PlainCall("submit_edits", "{"),))
    body = {"tools": [CLAUDE_TOOL]}
    assert "no JSON" in client.ask_claude(body).json()["error"]["message"]
    assert client.ask_claude({**body, "stream": True}).status_code == 200


def test_a_port_that_is_taken_is_an_error(client: Client) -> None:
    port = int(client.model.base_url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"), run_in_thread(ModelOptions(port)):
        raise AssertionError("it must not start")


def test_a_script_is_followed_step_by_step(client: Client) -> None:
    script = [
        {"when": "blue", "times": 0, "reply": {"text": "not blue"}},
        {"call": 4, "reply": {"text": "the fourth"}},
        {"reply": {"text": "first"}},
        {"reply": {"calls": [{"name": "submit_edits", "arguments": {"edits": "x"}}]}},
        {"reply": {"fault": {"status": 529, "headers": {"retry-after": "3"}}}},
    ]
    assert client.control("PUT", "script", script).status_code == 200

    def ask(text: str = "Make it red.") -> Any:
        return client.ask_claude({"messages": [{"role": "user", "content": text}]})

    assert ask().json()["content"][0]["text"] == "first"
    assert ask("Make it blue.").json()["content"][0]["text"] == "not blue"
    assert ask().json()["content"][0]["input"] == {"edits": "x"}
    assert ask().json()["content"][0]["text"] == "the fourth"
    overloaded = ask()
    assert (overloaded.status_code, overloaded.headers["retry-after"]) == (529, "3")
    exhausted = ask()
    assert exhausted.status_code == 500
    assert "no step left for call 6" in exhausted.json()["error"]["message"]
    client.control("DELETE", "script")
    assert ask().json()["content"][0]["text"] == NO_SCRIPT


@pytest.mark.parametrize(
    "script",
    [
        {"reply": {}},
        [{}],
        [{"reply": {"txt": "x"}}],
        [{"reply": {"stop": "never"}}],
        [{"reply": {"fault": {"state": 1}}}],
        [{"reply": {"calls": [{"name": "x"}]}}],
    ],
)
def test_what_is_no_script_is_refused(client: Client, script: Any) -> None:
    answer = client.control("PUT", "script", script)
    assert answer.status_code == 400
    assert "not a script" in answer.json()["error"]


def test_a_brain_hears_the_same_over_both_wires(client: Client) -> None:
    heard: list[PlainConversation] = []

    def listen(said: PlainConversation) -> ScriptedReply:
        heard.append(said)
        return ScriptedReply(text="yes")

    client.model.brain = listen
    use = {"type": "tool_use", "id": "id-1", "name": "submit_edits", "input": {"edits": "x"}}
    result = {"type": "tool_result", "tool_use_id": "id-1", "content": "applied"}
    client.ask_claude(
        {
            "system": "Edit.",
            "tools": [CLAUDE_TOOL],
            "tool_choice": {"type": "any"},
            "messages": [
                ASKED,
                {"role": "assistant", "content": [use]},
                {"role": "user", "content": [result]},
            ],
        }
    )
    function = {"name": "submit_edits", "arguments": '{"edits": "x"}'}
    client.ask_gpt(
        {
            "tools": [GPT_TOOL],
            "tool_choice": "required",
            "max_completion_tokens": 100,
            "messages": [
                {"role": "system", "content": "Edit."},
                ASKED,
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "id-1", "type": "function", "function": function}],
                },
                {"role": "tool", "tool_call_id": "id-1", "content": "applied"},
            ],
        }
    )
    claude, gpt = heard
    assert (claude.wire, gpt.wire) == ("anthropic", "openai")
    for name in ("system", "messages", "tools", "must_call", "max_tokens"):
        assert getattr(claude, name) == getattr(gpt, name), name
    assert claude.to_text() == 'Edit.\nMake it red.\nsubmit_edits {"edits": "x"}\napplied'


def test_a_log_has_the_sums_and_can_be_cleared(client: Client) -> None:
    client.ask_claude()
    client.ask_gpt()
    logged = client.control("GET", "calls").json()
    assert logged["count"] == 2
    assert logged["tokens_in"] == sum(call["tokens_in"] for call in logged["calls"]) > 0
    assert [call["key_accepted"] for call in logged["calls"]] == [True, True]
    client.control("DELETE", "calls")
    assert client.control("GET", "calls").json()["count"] == 0
    assert client.control("GET", "nothing").status_code == 404


def mark(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}


def test_the_cache_is_accounted_for_as_anthropic_does(client: Client) -> None:
    def ask(shared: str, own: str, **more: Any) -> tuple[int, int, int]:
        content = [mark(shared), {"type": "text", "text": own}]
        body = {"messages": [{"role": "user", "content": content}], **more}
        usage = client.ask_claude(body).json()["usage"]
        names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        read = tuple(usage[name] for name in names)
        assert sum(read) == client.model.calls.calls[-1].tokens_in
        return read

    shared = "shared " * 1000
    first = ask(shared, "one")
    assert first[1] > 1024 > first[0]
    assert first[2] == 0
    assert ask(shared, "another")[1:] == (0, first[1])
    assert ask(f"new {shared}", "one")[2] == 0
    assert ask("short", "one")[1:] == (0, 0)
    assert ask(shared, "one", model="claude-opus-5")[2] == 0
    forced = {"tools": [CLAUDE_TOOL], "tool_choice": {"type": "any"}}
    assert ask(shared, "one", **forced)[2] == 0
    assert ask(shared, "one", tools=[CLAUDE_TOOL])[2] == 0
    assert ask(shared, "another", **forced)[2] > 1024


def test_a_cache_finds_an_older_mark_twenty_pieces_back(client: Client) -> None:
    def ask(pieces: int) -> int:
        content = [{"type": "text", "text": f"{at} " * 700} for at in range(pieces)]
        content[-1]["cache_control"] = {"type": "ephemeral"}  # type: ignore[assignment]
        body = {"messages": [{"role": "user", "content": content}]}
        return int(client.ask_claude(body).json()["usage"]["cache_read_input_tokens"])

    assert ask(5) == 0
    assert ask(24) > 1024
    client.model.cache.clear()
    assert ask(5) == 0
    assert ask(26) == 0


def test_openai_reads_in_steps_of_128_from_1024_on(client: Client) -> None:
    def ask(shared: str, own: str, key: str = "job") -> int:
        body = {
            "messages": [{"role": "user", "content": shared + own}],
            "prompt_cache_key": key,
        }
        usage = client.ask_gpt(body).json()["usage"]
        return int(usage["prompt_tokens_details"]["cached_tokens"])

    shared = "shared " * 1000
    assert ask(shared, "one") == 0
    read = ask(shared, "another")
    assert read % 128 == 0
    assert 1750 - 128 <= read <= 1760
    assert ask(shared, "one", key="elsewhere") == 0
    assert ask("shared " * 500, "one") == 0


def test_newer_models_of_openai_read_to_marks_only(client: Client) -> None:
    def ask(own: str, *, is_marked: bool) -> tuple[int, int]:
        part: dict[str, Any] = {"type": "text", "text": "shared " * 1000}
        if is_marked:
            part["prompt_cache_breakpoint"] = {"mode": "explicit"}
        content = [part, {"type": "text", "text": own}]
        body = {"model": "gpt-5.6", "messages": [{"role": "user", "content": content}]}
        details = client.ask_gpt(body).json()["usage"]["prompt_tokens_details"]
        return details["cached_tokens"], details["cache_write_tokens"]

    assert ask("one " * 100, is_marked=False)[0] == 0
    assert ask("two " * 100, is_marked=False)[0] == 0
    client.model.cache.clear()
    assert ask("one " * 100, is_marked=True)[0] == 0
    read, written = ask("two " * 100, is_marked=True)
    assert read > 1700
    assert 90 < written < 130


def test_an_entry_lives_five_minutes_after_its_last_use() -> None:
    now = [0.0]
    cache = PromptCache(clock=lambda: now[0])
    prompt = Prompt("pool", [b"x" * 8000], [0])
    cache.keep(cache.look_up_marked(prompt).entries)
    for _ in range(2):
        now[0] += TTL_S - 1
        assert cache.look_up_marked(prompt).read == 2000
    now[0] += TTL_S
    use = cache.look_up_marked(prompt)
    assert (use.read, use.written) == (0, 2000)


def test_requests_side_by_side_do_not_help_each_other() -> None:
    cache = PromptCache()
    prompt = Prompt("pool", [b"x" * 8000], [0])
    first, second = cache.look_up_marked(prompt), cache.look_up_marked(prompt)
    assert (first.written, second.written) == (2000, 2000)
    cache.keep(first.entries)
    assert cache.look_up_marked(prompt).read == 2000


def answer_in_capitals(said: PlainConversation) -> ScriptedReply:
    """Be a brain for the command line."""
    return ScriptedReply(text=said.messages[-1].texts[-1].upper())


@pytest.mark.parametrize("way", ["--script", "--brain"])
def test_the_command_line_serves_until_it_is_ended(tmp_path: Path, way: str) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"reply": {"text": "MAKE IT RED."}}]))
    ready = tmp_path / "ready"
    decides = str(script) if way == "--script" else f"{__name__}:answer_in_capitals"
    serving = subprocess.Popen(
        [
            *(sys.executable, "-m", "local", "model", "--port", "0", way, decides),
            *("--key", "own-key", "--models", "gpt-4.1,claude-9", "--ready-file", str(ready)),
        ],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith("Model stand-in: http://127.0.0.1:")
        while not ready.exists():
            assert serving.poll() is None
            time.sleep(0.01)
        answer = requests.post(
            f"{ready.read_text()}/v1/chat/completions",
            json={"model": "gpt-4.1", "messages": [ASKED]},
            headers={"Authorization": "Bearer own-key"},
            timeout=10,
        )
        assert answer.json()["choices"][0]["message"]["content"] == "MAKE IT RED."
    finally:
        serving.terminate()
        serving.communicate(timeout=10)
    assert serving.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--script", "nowhere.json"], "nowhere.json"),
        (["--script", "README.md"], "README.md"),
        (["--brain", "no.such:thing"], "No module named 'no'"),
        (["--brain", "local.model.script:nothing"], "nothing"),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments: list[str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "model", "--port", "0", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
