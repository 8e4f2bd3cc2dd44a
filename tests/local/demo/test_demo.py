"""The demonstration tells the truth: its JSON is a contract, and it fails when it should."""

import json
import subprocess
import sys
from typing import Any

import pytest

from local.demo.checks import find_faults
from local.demo.story import Story
from tests.local.functions_host.hosting import REPOSITORY


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local", "demo", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--variants", "2"),
        ("--variants", "3", "--fault-rate", "0.2", "--seed", "4"),
        ("--variants", "1", "--intent", "append the line `x` to README.md"),
    ],
)
def test_one_json_object_says_how_it_went(arguments: tuple[str, ...]) -> None:
    done = run_demo("--json", *arguments)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    use = {"tokens", "cost_usd", "provider", "model", "live"}
    assert set(told) == {"job", "variants", "ado_calls", "ack_ms"} | use
    assert told["tokens"] == {"input": 0, "cached_input": 0, "output": 0}
    assert (told["cost_usd"], told["provider"], told["model"]) == (0.0, "stub", "stub")
    assert set(told["job"]) == {"id", "status", "duration_s"}
    assert told["job"]["status"] == "success"
    assert len(told["variants"]) == int(arguments[1])
    names = {"k", "status", "branch", "pr_id", "pr_url", "files_changed", "lines_added"}
    assert set(told["variants"][0]) == names | {"lines_deleted", "note"}
    assert told["ado_calls"] > 0
    assert told["ack_ms"] > 0


def test_a_person_can_follow_it() -> None:
    done = run_demo()
    assert done.returncode == 0, done.stderr
    order = ["comments on pull request", "delivered: HTTP 202", "Variant 1", "+", "Figures"]
    places = [done.stdout.index(text) for text in order]
    assert places == sorted(places)
    assert "\x1b[" not in done.stdout  # no colours into a pipe


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_scripted_model_drafts_over_the_real_sdk(provider: str) -> None:
    done = run_demo("--json", "--provider", provider, "--fault-rate", "0.1", "--seed", "3")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["status"] for row in told["variants"]] == ["success"] * 3
    assert len({row["pr_id"] for row in told["variants"]}) == 3
    assert told["tokens"]["input"] > told["tokens"]["cached_input"] > 0
    assert told["tokens"]["output"] > 0
    assert told["cost_usd"] > 0
    assert (told["provider"], told["live"]) == (provider, False)
    assert told["model"]


def test_it_is_said_who_plays_the_model() -> None:
    done = run_demo("--provider", "azure-openai", "--variants", "2")
    assert done.returncode == 0, done.stderr
    assert "a scripted stand-in on this machine plays the model" in done.stdout
    assert "played by a scripted stand-in" in done.stdout
    assert "no model was asked" in done.stdout
    assert "refused and mended before it fitted: 1 time(s)" in done.stdout
    assert "no price is known" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (("--provider", "anthropic"), "ANTHROPIC_API_KEY"),
        (("--provider", "openai-compatible"), "CODE_AGENT_COMPATIBLE_URL"),
        ((), "--provider"),
    ],
)
def test_a_real_service_without_what_it_needs_is_refused(
    arguments: tuple[str, ...], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    done = run_demo("--live", *arguments)
    assert done.returncode == 2
    assert missing in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments", [("--variants", "0"), ("--variants", "11"), ("--fault-rate", "2")]
)
def test_arguments_that_make_no_sense_are_refused(arguments: tuple[str, ...]) -> None:
    assert run_demo(*arguments).returncode == 2


def test_a_request_that_fails_makes_the_demonstration_fail() -> None:
    done = run_demo("--variants", "1", "--intent", "delete no/such/file.txt")
    assert done.returncode == 1
    assert "missing: 0 of 1 variants succeeded" in done.stdout


def build_story() -> Story:
    row: dict[str, Any] = {"k": 1, "status": "success", "branch": "agents/b/v1", "pr_id": 2}
    marker = "<!-- code-agent job=edit-0 kind="
    comments = [
        {"content": f"{marker}status -->", "publishedDate": "1", "lastContentUpdatedDate": "2"},
        {"content": f"{marker}final -->", "publishedDate": "3", "lastContentUpdatedDate": "3"},
    ]
    return Story(
        thread_id=1,
        delivery={},
        job={"variants": [row]},
        thread={"status": "closed", "comments": comments},
        drafts=[{"pullRequestId": 2}],
        branches=["agents/b/v1"],
        statuses=[{"state": "succeeded"}],
        ado_calls=1,
        diffs={1: "diff"},
    )


@pytest.mark.parametrize(
    ("spoil", "missing"),
    [
        (lambda s: s.job["variants"][0].update(status="failed"), "0 of 1 variants"),
        (lambda s: s.branches.clear(), "branches"),
        (lambda s: s.drafts.append({"pullRequestId": 3}), "draft pull requests"),
        (lambda s: s.diffs.clear(), "changes nothing"),
        (lambda s: s.thread["comments"].pop(), "one status comment"),
        (lambda s: s.thread["comments"][0].update(lastContentUpdatedDate="1"), "edited in place"),
        (lambda s: s.statuses.clear(), "pull request status"),
        (lambda s: s.thread.update(status="active"), "closed thread"),
    ],
)
def test_whatever_is_missing_is_named(spoil: Any, missing: str) -> None:
    story = build_story()
    assert find_faults(story) == []
    spoil(story)
    assert any(missing in fault for fault in find_faults(story))
