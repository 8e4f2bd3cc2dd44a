"""The circuits of model providers round a draft: the real entity, asked by replayed variants."""

import json
import logging
from typing import Any

import pytest
from azure.durable_functions import Entity

from orchestrators.circuits import model_circuit
from orchestrators.produce_variant import produce_variant
from shared.domain.errors import UpstreamError, fail, succeed
from tests.orchestrators.test_edit_job import JOB, Script, answering, failing, steps
from tests.replay import Replay

TERMS = {
    "failures": 2,
    "window_s": 60,
    "cooldown_s": 30,
    "max_cooldown_s": 300,
    "probe_lease_s": 600,
}
PROVIDERS = ("anthropic", "openai")
CHAIN = JOB | {"providers": list(PROVIDERS), "circuit": TERMS}
VARIANT = {"job": CHAIN, "number": 2, "context": {"context": "sha256:0"}}
NOW = "2026-01-01T00:00:00+00:00"


def call(provider: str, *, ok: bool = True, retry_after_s: float | None = None) -> dict[str, Any]:
    code = None if ok else "model.overloaded"
    return {"provider": provider, "ok": ok, "code": code, "retry_after_s": retry_after_s}


def drafted(*calls: dict[str, Any]) -> dict[str, Any]:
    return succeed({"patch": "sha256:1", "calls": list(calls)})


def out(*calls: dict[str, Any]) -> dict[str, Any]:
    return fail(UpstreamError("model.overloaded", "busy", details={"calls": list(calls)}))


def operate(
    state: dict[str, Any] | None, *operations: tuple[str, dict[str, Any]]
) -> tuple[Any, list[Any]]:
    """Run a batch of operations through the SDK; answers the new state and the results."""
    body = {
        "self": {"name": "model_circuit", "key": "anthropic"},
        "exists": state is not None,
        "state": None if state is None else json.dumps(state),
        "batch": [
            {
                "name": name,
                "input": json.dumps(json.dumps({"terms": TERMS, "now": NOW} | request)),
                "isSignal": False,
            }
            for name, request in operations
        ],
    }
    answer = json.loads(Entity.create(model_circuit)(json.dumps(body)))
    return json.loads(answer["entityState"]), answer["results"]


def variant(
    draft: Script, states: dict[tuple[str, str], str] | None = None, **changes: Script
) -> Replay:
    return Replay(
        produce_variant,
        steps(draft_patch=draft, **changes),
        instance_id="edit-0-v2",
        entities={"model_circuit": model_circuit},
        states=states if states is not None else {},
    )


def asked(replay: Replay, name: str) -> list[tuple[str, Any]]:
    return [(p["key"], p.get("outcomes")) for n, p in replay.calls if n == f"model_circuit.{name}"]


def providers_of(replay: Replay) -> list[list[str]]:
    return [payload["providers"] for name, payload in replay.calls if name == "draft_patch"]


def state_of(replay: Replay, provider: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(replay.states["model_circuit", provider])
    return state


@pytest.mark.parametrize(
    "job", [JOB, JOB | {"providers": []}, JOB | {"providers": ["stub"], "circuit": TERMS}]
)
def test_a_job_without_a_model_asks_no_circuit(job: dict[str, Any]) -> None:
    replay = variant(answering(succeed({"patch": "sha256:1"})))
    replay.run(VARIANT | {"job": job})
    assert replay.names() == ["draft_patch", "push_branch", "open_draft_pull_request"]
    assert "providers" not in replay.calls[0][1]


def test_all_circuits_are_asked_before_a_draft_and_hear_of_its_calls_behind_it() -> None:
    replay = variant(answering(drafted(call("anthropic", ok=False), call("openai"))))
    assert replay.run(VARIANT) == succeed({"pull_request_id": 7})
    assert replay.names() == [
        "model_circuit.admit",
        "model_circuit.admit",
        "draft_patch",
        "model_circuit.report",
        "model_circuit.report",
        "push_branch",
        "open_draft_pull_request",
    ]
    assert providers_of(replay) == [["anthropic", "openai"]]
    assert [key for key, _ in asked(replay, "report")] == ["anthropic", "openai"]
    assert state_of(replay, "anthropic")["failures_in_row"] == 1
    assert state_of(replay, "openai")["failures_in_row"] == 0
    assert "providers" not in next(p for name, p in replay.calls if name == "push_branch")


def test_a_provider_that_was_not_called_is_not_reported() -> None:
    replay = variant(answering(drafted(call("anthropic"))))
    replay.run(VARIANT)
    assert [key for key, _ in asked(replay, "report")] == ["anthropic"]


def test_a_draft_that_tells_of_no_calls_reports_none() -> None:
    replay = variant(answering(succeed({"patch": "sha256:1"})))
    replay.run(VARIANT)
    assert asked(replay, "report") == []


def test_failures_of_one_variant_keep_the_next_away_from_the_provider() -> None:
    states: dict[tuple[str, str], str] = {}
    calls = (call("anthropic", ok=False), call("anthropic", ok=False), call("openai"))
    variant(answering(drafted(*calls)), states).run(VARIANT)
    replay = variant(answering(drafted(call("openai"))), states)
    replay.run(VARIANT)
    assert providers_of(replay) == [["openai"]]


def test_with_every_provider_out_the_variant_waits_for_the_first_to_come_back() -> None:
    states: dict[tuple[str, str], str] = {}
    for provider, wish_s in (("anthropic", 100.0), ("openai", 50.0)):
        state, _ = operate(
            None,
            ("report", {"attempt": "x", "outcomes": [call(provider, ok=False)]}),
            ("report", {"attempt": "y", "outcomes": [call(provider, ok=False)]}),
            (
                "report",
                {"attempt": "z", "outcomes": [call("", ok=False, retry_after_s=wish_s)]},
            ),
        )
        states["model_circuit", provider] = json.dumps(state)
    replay = variant(answering(drafted(call("openai"))), states)
    assert replay.run(VARIANT) == succeed({"pull_request_id": 7})
    assert replay.timers == [pytest.approx(50, abs=0.1)]
    assert providers_of(replay) == [["openai"]]
    assert state_of(replay, "openai")["state"] == "closed"
    assert state_of(replay, "anthropic")["state"] == "open"


def test_waiting_for_a_provider_costs_no_try_and_never_asks_the_activity() -> None:
    state, _ = operate(
        None,
        (
            "report",
            {"attempt": "x", "outcomes": [call("", ok=False), call("", ok=False)]},
        ),
    )
    # held half-open by a probe that somebody else has
    held = state | {"state": "half_open", "probe": "other", "until": "2026-01-02T00:00:00+00:00"}
    states = {("model_circuit", p): json.dumps(held) for p in PROVIDERS}
    replay = variant(failing, states)
    outcome = replay.run(VARIANT)
    assert outcome["error"]["code"] == "model.none_available"
    assert outcome["error"]["verdict"] == "retry"
    assert "draft_patch" not in replay.names()
    waits = 479 // 30  # the next one would end behind the deadline
    assert replay.timers == [pytest.approx(30, abs=0.1)] * waits
    assert len(asked(replay, "admit")) == 2 * (1 + waits)


def test_tries_that_a_provider_refused_are_all_left_after_a_wait() -> None:
    # each failure opens both circuits anew: three tries, and a wait before each
    terms = TERMS | {"failures": 1, "max_cooldown_s": 30}
    states = half_open(*PROVIDERS, until="2026-01-01T00:00:20+00:00")
    lost = out(*(call(provider, ok=False) for provider in PROVIDERS))
    replay = variant(answering(lost, lost, drafted(call("openai"))), states)
    assert replay.run(VARIANT | {"job": CHAIN | {"circuit": terms}})["ok"]
    assert providers_of(replay) == [list(PROVIDERS)] * 3
    assert replay.timers == [pytest.approx(wait, abs=0.1) for wait in (20, 30, 30)]


def test_a_wait_that_no_time_is_left_for_ends_with_its_reason_at_once() -> None:
    wish = [call("", ok=False, retry_after_s=3000.0)] * 2
    state, _ = operate(None, ("report", {"attempt": "x", "outcomes": wish}))
    states = {("model_circuit", p): json.dumps(state) for p in PROVIDERS}
    replay = variant(failing, states)
    outcome = replay.run(VARIANT)
    assert outcome["error"]["code"] == "model.none_available"
    assert replay.timers == []


def half_open(
    *providers: str, until: str = "2025-12-31T00:00:30+00:00"
) -> dict[tuple[str, str], str]:
    """Answer states in which the cool-down of providers ends, or has ended, at an instant."""
    outcomes = [call("", ok=False)] * 2
    now = "2025-12-31T00:00:00+00:00"
    state, _ = operate(None, ("report", {"attempt": "x", "outcomes": outcomes, "now": now}))
    told = json.dumps(state | {"until": until})
    return {("model_circuit", provider): told for provider in providers or ("anthropic",)}


def test_a_probe_that_was_not_used_is_given_back() -> None:
    replay = variant(answering(drafted(call("openai"))), half_open())
    replay.run(VARIANT)
    assert asked(replay, "report")[0] == ("anthropic", [])
    assert (state_of(replay, "anthropic")["state"], state_of(replay, "anthropic")["probe"]) == (
        "half_open",
        "",
    )


def test_a_probe_is_given_back_when_the_activity_breaks() -> None:
    replay = variant(failing, half_open())
    outcome = replay.run(VARIANT)
    assert outcome["error"]["code"] == "app.unexpected"
    assert asked(replay, "report") == [("anthropic", [])] * 3
    assert state_of(replay, "anthropic")["probe"] == ""


def test_the_outcome_of_a_variant_carries_no_calls_into_the_job() -> None:
    replay = variant(answering(out(call("anthropic", ok=False), call("openai", ok=False))))
    outcome = replay.run(VARIANT)
    assert outcome["error"]["code"] == "model.overloaded"
    assert "details" not in outcome["error"]


def test_a_try_that_opens_every_circuit_is_repeated_when_one_lets_through_again() -> None:
    replay = variant(answering(out(call("anthropic", ok=False), call("openai", ok=False))))
    replay.run(VARIANT)
    assert providers_of(replay) == [["anthropic", "openai"]] * 3
    assert [round(wait) for wait in replay.timers[1:]] == [30]
    assert replay.timers[0] < 3  # the first failure of two opened none


def test_a_try_that_leaves_one_provider_is_repeated_at_once() -> None:
    replay = variant(answering(out(*[call("anthropic", ok=False)] * 2), drafted(call("openai"))))
    replay.run(VARIANT)
    assert providers_of(replay) == [["anthropic", "openai"], ["openai"]]
    assert replay.timers[0] < 3


def test_the_history_of_a_chain_of_two_stays_small() -> None:
    replay = variant(answering(drafted(call("anthropic"))))
    replay.run(VARIANT)
    plain = variant(answering(succeed({})))
    plain.run(VARIANT | {"job": JOB})
    more = len(json.dumps(replay._history)) - len(json.dumps(plain._history))
    assert more < 7_500


def test_an_entity_tells_of_each_change_of_state_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="code_agent")
    failed = {"outcomes": [call("anthropic", ok=False)]}
    late, later = "2026-01-01T00:00:30+00:00", "2026-01-01T00:01:00+00:00"
    state, results = operate(
        None,
        ("admit", {"attempt": "a"}),
        ("report", {"attempt": "a"} | failed),
        ("report", {"attempt": "b"} | failed),
        ("admit", {"attempt": "c"}),
        ("admit", {"attempt": "c", "now": late}),
        ("report", {"attempt": "c", "now": later, "outcomes": [call("anthropic")]}),
    )
    told = [json.loads(result["result"]) for result in results]
    assert told[0] == {"state": "closed", "admitted": True, "retry_after_s": 0}
    assert told[3] == {"state": "open", "admitted": False, "retry_after_s": 30.0}
    assert told[2] == {"state": "open", "retry_after_s": 30.0}
    assert told[5] == {"state": "closed", "retry_after_s": 0}
    assert state["state"] == "closed"
    events = [vars(record) for record in caplog.records]
    assert {event["microsoft.custom_event.name"] for event in events} == {
        "circuit_breaker_state_change"
    }
    assert [(event["oldState"], event["newState"]) for event in events] == [
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
    ]
    assert {event["component"] for event in events} == {"model:anthropic"}


def test_an_operation_that_the_entity_does_not_have_is_refused() -> None:
    _, results = operate({}, ("reset", {}))
    assert results[0]["isError"]
