import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.domain.circuit import (
    MAX_OUTCOMES,
    MAX_RETRY_AFTER_S,
    CallOutcome,
    Circuit,
    CircuitState,
    CircuitTerms,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = CircuitTerms(failures=5, window_s=60, cooldown_s=30, max_cooldown_s=300, probe_lease_s=600)
SERVED, FAILED = CallOutcome(ok=True), CallOutcome(ok=False)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def report(circuit: Circuit, *outcomes: CallOutcome, at_s: float = 0, attempt: str = "") -> None:
    """Report outcomes as attempts of their own, or as one of the given name."""
    if attempt:
        circuit.report(attempt, outcomes, TERMS, now=at(at_s))
        return
    for number, outcome in enumerate(outcomes):
        circuit.report(f"{at_s}/{number}", [outcome], TERMS, now=at(at_s))


def ask(circuit: Circuit, attempt: str, at_s: float) -> tuple[str, bool, float]:
    answer = circuit.admit(attempt, TERMS, now=at(at_s))
    return str(answer.state), answer.admitted, answer.retry_after_s


def an_open_circuit(outcome: CallOutcome = FAILED) -> Circuit:
    circuit = Circuit()
    report(circuit, *[FAILED] * (TERMS.failures - 1), outcome)
    assert circuit.state is CircuitState.OPEN
    return circuit


def test_failures_in_a_row_open_it_for_the_cool_down() -> None:
    circuit = Circuit()
    report(circuit, *[FAILED] * 4)
    assert ask(circuit, "a", 1) == ("closed", True, 0)
    report(circuit, FAILED, at_s=2)
    assert ask(circuit, "a", 2) == ("open", False, 30)
    assert ask(circuit, "a", 31.5) == ("open", False, 0.5)


def test_failures_in_a_row_count_however_slow_they_are() -> None:
    circuit = Circuit()
    for minute in range(5):
        report(circuit, FAILED, at_s=90 * minute)
    assert circuit.state is CircuitState.OPEN


def test_a_success_begins_the_row_anew() -> None:
    circuit = Circuit()
    report(circuit, *[FAILED] * 4, SERVED, *[FAILED] * 4)
    assert circuit.state is CircuitState.CLOSED


def test_half_of_ten_recent_calls_open_it() -> None:
    circuit = Circuit()
    report(circuit, *[SERVED, FAILED] * 4, SERVED)
    assert ask(circuit, "a", 0)[0] == "closed"
    report(circuit, FAILED, at_s=1)
    assert ask(circuit, "a", 1)[0] == "open"


def test_calls_outside_the_window_are_forgotten() -> None:
    circuit = Circuit()
    report(circuit, *[SERVED, FAILED] * 4, SERVED)
    report(circuit, FAILED, at_s=60)
    assert circuit.state is CircuitState.CLOSED
    assert len(circuit.outcomes) == 1


def test_one_attempt_is_counted_once_and_with_all_its_calls() -> None:
    circuit = Circuit()
    report(circuit, FAILED, FAILED, attempt="a")
    report(circuit, FAILED, FAILED, attempt="a")
    assert circuit.failures_in_row == 2
    report(circuit, *[FAILED] * 9, attempt="b")
    assert (circuit.state, circuit.openings) == (CircuitState.OPEN, 1)


def test_after_the_cool_down_one_is_let_through_to_probe() -> None:
    circuit = an_open_circuit()
    assert ask(circuit, "a", 30) == ("half_open", True, 0)
    assert ask(circuit, "b", 31) == ("half_open", False, 30)
    assert ask(circuit, "a", 32) == ("half_open", True, 0)


def test_a_probe_that_is_served_closes_it() -> None:
    circuit = an_open_circuit()
    ask(circuit, "a", 30)
    report(circuit, SERVED, at_s=40, attempt="a")
    assert ask(circuit, "b", 40) == ("closed", True, 0)
    assert circuit == Circuit()


def test_each_probe_that_fails_doubles_the_cool_down_up_to_the_most() -> None:
    circuit, now_s, waits = an_open_circuit(), 0.0, []
    for number in range(6):
        wait_s = ask(circuit, f"early-{number}", now_s)[2]
        waits.append(wait_s)
        now_s += wait_s
        assert ask(circuit, f"probe-{number}", now_s)[1]
        report(circuit, FAILED, at_s=now_s, attempt=f"probe-{number}")
    assert waits == [30, 60, 120, 240, 300, 300]


def test_a_probe_that_was_not_used_goes_to_the_next() -> None:
    circuit = an_open_circuit()
    ask(circuit, "a", 30)
    report(circuit, at_s=31)  # nothing
    circuit.report("a", [], TERMS, now=at(31))
    assert ask(circuit, "b", 31) == ("half_open", True, 0)
    circuit.report("a", [FAILED], TERMS, now=at(32))
    assert circuit.state is CircuitState.HALF_OPEN  # it is b's to say


def test_a_probe_that_is_lost_goes_to_the_next_when_its_lease_ends() -> None:
    circuit = an_open_circuit()
    ask(circuit, "lost", 30)
    assert ask(circuit, "b", 625) == ("half_open", False, 5)
    assert ask(circuit, "b", 630) == ("half_open", True, 0)


@pytest.mark.parametrize(
    ("wish_s", "wait_s"), [(90.0, 90), (10.0, 30), (1e9, MAX_RETRY_AFTER_S), (None, 30)]
)
def test_a_provider_may_ask_for_a_longer_rest(wish_s: float | None, wait_s: float) -> None:
    circuit = an_open_circuit(CallOutcome(ok=False, retry_after_s=wish_s))
    assert ask(circuit, "a", 0) == ("open", False, wait_s)


def test_a_late_wish_to_wait_counts_while_it_is_open_and_a_late_success_does_not() -> None:
    circuit = an_open_circuit()
    report(circuit, CallOutcome(ok=False, retry_after_s=60), at_s=10)
    report(circuit, SERVED, FAILED, at_s=11)
    assert ask(circuit, "a", 20) == ("open", False, 50)
    assert circuit.openings == 1


def test_plain_json_and_back() -> None:
    circuit = Circuit()
    report(circuit, FAILED, SERVED)
    for known in (circuit, an_open_circuit(), Circuit()):
        assert Circuit.from_plain(json.loads(json.dumps(known.to_plain()))) == known
    assert Circuit.from_plain({}) == Circuit.from_plain(None) == Circuit()


def test_terms_and_outcomes_come_as_plain_json() -> None:
    plain = {"failures": 5, "window_s": 60, "cooldown_s": 30}
    assert CircuitTerms.from_plain(plain | {"max_cooldown_s": 300, "probe_lease_s": 600}) == TERMS
    assert CallOutcome.from_plain({"ok": False, "code": "model.timeout"}) == FAILED


class CircuitMachine(RuleBasedStateMachine):
    """Any number of callers that come, report, report again, are lost, and wait."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit = Circuit()
        self.now_s = 0.0
        self.under_way: list[str] = []
        self.asked = 0
        self.served_last = True

    @rule()
    def somebody_asks(self) -> None:
        self.asked += 1
        name = f"a{self.asked}"
        probe, before = self.circuit.probe, self.circuit.state
        state, admitted, wait_s = ask(self.circuit, name, self.now_s)
        again = Circuit.from_plain(self.circuit.to_plain())
        assert ask(again, name, self.now_s) == (state, admitted, wait_s)
        assert again == self.circuit
        assert admitted is (wait_s == 0)
        if before is CircuitState.CLOSED:
            assert admitted
        if admitted:
            self.under_way.append(name)
            if state == CircuitState.HALF_OPEN:
                assert self.circuit.probe == name
        else:
            assert self.circuit.probe == probe

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), outcomes=st.lists(st.booleans(), max_size=3), wish_s=st.integers(0, 5000))
    def somebody_reports(self, data: st.DataObject, outcomes: list[bool], wish_s: int) -> None:
        name = data.draw(st.sampled_from(self.under_way))
        ended = [CallOutcome(ok=ok, retry_after_s=None if ok else wish_s) for ok in outcomes]
        before, was_probe = self.circuit.state, self.circuit.probe == name
        self.circuit.report(name, ended, TERMS, now=at(self.now_s))
        after = self.circuit.state
        if before is CircuitState.HALF_OPEN:
            expected = CircuitState(before)
            if was_probe and outcomes:
                expected = CircuitState.CLOSED if outcomes[-1] else CircuitState.OPEN
            assert after is expected
        elif before is CircuitState.OPEN:
            assert after is before
        elif after is not before:
            assert not all(outcomes)
        again = Circuit.from_plain(self.circuit.to_plain())
        if after is CircuitState.CLOSED:
            again.report(name, ended, TERMS, now=at(self.now_s))
            assert again == self.circuit or not outcomes or was_probe

    @precondition(lambda self: self.under_way)
    @rule()
    def somebody_is_lost(self) -> None:
        self.under_way.pop()

    @rule(seconds=st.floats(0.1, 700, allow_nan=False))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @invariant()
    def it_never_stays_shut_for_ever(self) -> None:
        later = Circuit.from_plain(self.circuit.to_plain())
        longest_s = max(TERMS.probe_lease_s, TERMS.max_cooldown_s, MAX_RETRY_AFTER_S)
        assert ask(later, "later", self.now_s + longest_s)[1]

    @invariant()
    def its_state_is_small(self) -> None:
        assert len(self.circuit.outcomes) <= MAX_OUTCOMES
        assert len(self.circuit.outcomes) == 0 or self.circuit.state is CircuitState.CLOSED
        assert len(json.dumps(self.circuit.to_plain())) < 15_000


TestAnyHistory = CircuitMachine.TestCase
