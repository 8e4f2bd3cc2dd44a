"""Judging and warming ask models too: the circuits hold for them, but no job waits for them."""

import json
from typing import Any

import pytest

from orchestrators.circuits import model_circuit
from orchestrators.edit_job import edit_job
from shared.domain.errors import succeed
from tests.orchestrators.test_circuits import CHAIN, PROVIDERS, asked, call, operate, out
from tests.orchestrators.test_clarify import CLARIFY, CLEAR, VAGUE, between, vague_world
from tests.orchestrators.test_edit_job import ORDER, Script, answering
from tests.replay import Replay

JUDGED = CHAIN | {"clarify": CLARIFY}


def play(states: dict[tuple[str, str], str] | None = None, **changes: Script) -> Replay:
    script: dict[str, Script] = {
        "admit_command": answering(succeed({"next": "edit", "job": JUDGED})),
        "judge_request": answering(CLEAR),
        "warm_prompt": answering(succeed({"warmed": True, "calls": [call("openai")]})),
    }
    replay = Replay(
        edit_job,
        vague_world(**(script | changes)),
        instance_id="edit-0",
        entities={"model_circuit": model_circuit},
        states=states if states is not None else {},
    )
    assert replay.run(ORDER)["status"] == "success"
    return replay


def open_circuits(*providers: str) -> dict[tuple[str, str], str]:
    outcomes = [call("", ok=False, retry_after_s=3000.0)] * 2
    state, _ = operate(None, ("report", {"attempt": "x", "outcomes": outcomes}))
    return {("model_circuit", provider): json.dumps(state) for provider in providers}


def providers_of(replay: Replay, step: str) -> list[Any]:
    return [payload["providers"] for name, payload in replay.calls if name == step]


def test_each_step_asks_those_whose_circuits_admit_it() -> None:
    replay = play(open_circuits("anthropic"))
    assert providers_of(replay, "judge_request") == [["openai"]]
    assert providers_of(replay, "warm_prompt") == [["openai"]]


@pytest.mark.parametrize("survey", ["sha256:2", None])
def test_every_variant_works_with_what_was_looked_up_for_all(survey: str | None) -> None:
    told = {"survey": survey} if survey else {}
    replay = play(warm_prompt=answering(succeed({"warmed": True, "calls": []} | told)))
    shown = [payload["context"] for name, payload in replay.calls if name == "produce_variant"]
    assert [context.get("survey") for context in shown] == [survey] * 3
    assert {context["context"] for context in shown} == {"sha256:0"}


def test_what_a_job_can_do_without_is_left_out_at_once() -> None:
    replay = play(open_circuits(*PROVIDERS))
    assert {"judge_request", "warm_prompt"}.isdisjoint(replay.names())
    assert replay.names().count("produce_variant") == 3
    assert replay.timers == []


def test_a_failed_step_is_reported_and_does_not_wait_for_the_cool_down() -> None:
    refused = [call(provider, ok=False, retry_after_s=3000.0) for provider in PROVIDERS]
    replay = play(judge_request=answering(out(*refused)))
    assert between(replay).count("judge_request") == 2  # the second failure opens both circuits
    assert all(wait_s < 10 for wait_s in replay.timers)
    assert "warm_prompt" not in replay.names()


def test_every_attempt_has_a_name_of_its_own() -> None:
    replay = play(judge_request=answering(VAGUE, CLEAR))
    names = [
        payload["attempt"]
        for name, payload in replay.calls
        if name == "model_circuit.admit" and payload["key"] == "anthropic"
    ]
    assert names == ["edit-0/judge1", "edit-0/judge2", "edit-0/warm1"]
    assert [key for key, _ in asked(replay, "report")] == ["openai"]
