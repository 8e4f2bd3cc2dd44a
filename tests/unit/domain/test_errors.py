import json

import pytest

from shared.domain.errors import PolicyError, UpstreamError, Verdict, fail, succeed


def test_an_envelope_carries_code_verdict_message_and_the_wish_to_wait() -> None:
    envelope = fail(UpstreamError("ado.rate_limited", "Too many calls.", retry_after_s=30))
    assert json.loads(json.dumps(envelope)) == {
        "ok": False,
        "error": {
            "code": "ado.rate_limited",
            "verdict": "retry",
            "message": "Too many calls.",
            "retry_after_s": 30,
        },
    }


def test_a_value_comes_back_as_it_is() -> None:
    assert succeed({"a": 1}) == {"ok": True, "value": {"a": 1}}


def test_a_family_has_a_verdict_and_an_error_may_have_another() -> None:
    assert PolicyError("policy.x", "no").verdict is Verdict.POLICY
    final = UpstreamError("ado.forbidden", "no", verdict=Verdict.BUG)
    assert final.verdict is Verdict.BUG
    assert str(final) == "ado.forbidden: no"


@pytest.mark.parametrize("wish", [float("nan"), float("inf"), -1.0])
def test_a_senseless_wish_to_wait_is_dropped(wish: float) -> None:
    assert fail(UpstreamError("a.b", "x", retry_after_s=wish))["error"]["retry_after_s"] is None


def test_details_for_the_orchestrator_are_there_only_when_there_are_any() -> None:
    calls = [{"provider": "openai", "ok": False}]
    error = UpstreamError("model.overloaded", "x", details={"calls": calls})
    assert fail(error)["error"]["details"] == {"calls": calls}
    assert "details" not in fail(UpstreamError("model.overloaded", "x"))["error"]
