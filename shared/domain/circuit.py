"""A circuit breaker: a provider that keeps failing is left alone for a while, then tried by one.

    closed ──too many failures──▶ open ──cool-down over──▶ half-open ──probe served──▶ closed
                                   ▲                           │
                                   └──────probe failed─────────┘

Pure: the durable entity `model_circuit` keeps this state, one for each provider. A probe that is
lost gives its place to another when its lease ends; every operation is safe to repeat.
Source: https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from shared.domain.clock import format_instant, parse_instant

MAX_RETRY_AFTER_S: Final = 900.0
"""A provider's longer wish is taken for this: jobs wait for its circuit, and one call after that
time costs little."""
MAX_OUTCOMES: Final = 100
"""The latest outcomes that are kept: the size of a sliding window in resilience4j.
Source: https://resilience4j.readme.io/docs/circuitbreaker"""


class CircuitState(StrEnum):
    """What a circuit does with a call."""

    CLOSED = "closed"
    """Every call may go."""
    OPEN = "open"
    """None may, until the cool-down ends."""
    HALF_OPEN = "half_open"
    """One may: the probe."""


@dataclass(frozen=True, slots=True)
class CircuitTerms:
    """When a circuit opens, and for how long. They come with every request."""

    failures: int
    """So many in a row open it, as in Envoy (`consecutive_5xx`, 5); so does one half of at least
    twice as many within `window_s`, as in resilience4j (`failureRateThreshold`, 50 %).
    Source: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier"""
    window_s: float
    cooldown_s: float
    """Seconds it stays open the first time; twice as long each further time in a row."""
    max_cooldown_s: float
    probe_lease_s: float
    """Seconds after which a probe that reported nothing is given up."""

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read terms from a durable input."""
        return cls(
            failures=max(1, int(plain["failures"])),
            window_s=float(plain["window_s"]),
            cooldown_s=float(plain["cooldown_s"]),
            max_cooldown_s=float(plain["max_cooldown_s"]),
            probe_lease_s=float(plain["probe_lease_s"]),
        )


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How one call to a provider ended."""

    ok: bool
    """False for a fault of the provider only: one that declined a request has served it."""
    retry_after_s: float | None = None
    """Seconds that the provider asked us to wait."""

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read an outcome from a durable input; what else it says is not for the circuit."""
        return cls(ok=bool(plain["ok"]), retry_after_s=plain.get("retry_after_s"))


@dataclass(frozen=True, slots=True)
class CircuitAnswer:
    """What a caller learns when it asks to be let through."""

    state: CircuitState
    admitted: bool
    retry_after_s: float
    """Seconds until it is worth asking again; 0 when admitted."""


@dataclass(slots=True)
class Circuit:
    """The circuit of one provider."""

    state: CircuitState = CircuitState.CLOSED
    outcomes: list[tuple[str, str, bool]] = field(default_factory=list)
    """Attempt, end (ISO 8601, UTC) and success of the latest calls; empty unless closed."""
    failures_in_row: int = 0
    openings: int = 0
    """How often it has opened since it was last closed."""
    until: str = ""
    """End of the cool-down, or of the probe's lease (ISO 8601, UTC)."""
    probe: str = ""
    """The attempt that was let through half-open; empty when there is none."""

    def admit(self, attempt: str, terms: CircuitTerms, *, now: datetime) -> CircuitAnswer:
        """Let an attempt through, or say when to ask again; asked twice, the answer is the same."""
        if self.state is CircuitState.OPEN:
            if rest_s := self.find_rest_s(now):
                return self._refuse(rest_s)
            self.state, self.probe, self.until = CircuitState.HALF_OPEN, "", ""
        if self.state is CircuitState.HALF_OPEN:
            if self.probe not in ("", attempt) and now < parse_instant(self.until):
                lease_s = (parse_instant(self.until) - now).total_seconds()
                return self._refuse(min(lease_s, terms.cooldown_s))
            self.probe = attempt
            self.until = format_instant(now + timedelta(seconds=terms.probe_lease_s))
        return CircuitAnswer(self.state, admitted=True, retry_after_s=0)

    def report(
        self,
        attempt: str,
        outcomes: Sequence[CallOutcome],
        terms: CircuitTerms,
        *,
        now: datetime,
    ) -> None:
        """Take in how the calls of an admitted attempt ended; none frees a probe unused.

        Of an attempt that was let through before the circuit opened, only a wish to wait counts.
        """
        if self.state is CircuitState.CLOSED:
            if any(known == attempt for known, _, _ in self.outcomes):
                return
            for outcome in outcomes:
                self._count(attempt, outcome, terms, now)
        elif self.state is CircuitState.OPEN:
            self._stay_open(outcomes, now)
        elif attempt == self.probe:
            self._end_probe(outcomes, terms, now)

    def find_rest_s(self, now: datetime) -> float:
        """Answer the seconds that are left of the cool-down; 0 unless open."""
        if self.state is not CircuitState.OPEN:
            return 0.0
        return max(0.0, (parse_instant(self.until) - now).total_seconds())

    def to_plain(self) -> dict[str, Any]:
        """Write the state as plain JSON."""
        return asdict(self) | {"state": str(self.state)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> Self:
        """Read what `to_plain` wrote; None is a closed circuit."""
        known = dict(plain or {})
        known["state"] = CircuitState(known.get("state", CircuitState.CLOSED))
        known["outcomes"] = [
            (attempt, at, bool(ok)) for attempt, at, ok in known.get("outcomes", [])
        ]
        return cls(**known)

    def _refuse(self, wait_s: float) -> CircuitAnswer:
        return CircuitAnswer(self.state, admitted=False, retry_after_s=wait_s)

    def _count(
        self, attempt: str, outcome: CallOutcome, terms: CircuitTerms, now: datetime
    ) -> None:
        if self.state is not CircuitState.CLOSED:
            return  # an earlier call of the same attempt has opened it
        since = now - timedelta(seconds=terms.window_s)
        recent = [known for known in self.outcomes if parse_instant(known[1]) > since]
        self.outcomes = [*recent, (attempt, format_instant(now), outcome.ok)][-MAX_OUTCOMES:]
        self.failures_in_row = 0 if outcome.ok else self.failures_in_row + 1
        failed = sum(not ok for _, _, ok in self.outcomes)
        is_half = 2 * failed >= len(self.outcomes) >= 2 * terms.failures
        if not outcome.ok and (self.failures_in_row >= terms.failures or is_half):
            self._open([outcome], terms, now)

    def _end_probe(
        self, outcomes: Sequence[CallOutcome], terms: CircuitTerms, now: datetime
    ) -> None:
        if not outcomes:
            self.probe = self.until = ""
        elif outcomes[-1].ok:
            self.state, self.openings, self.probe, self.until = CircuitState.CLOSED, 0, "", ""
        else:
            self._open(outcomes, terms, now)

    def _open(self, outcomes: Sequence[CallOutcome], terms: CircuitTerms, now: datetime) -> None:
        self.openings += 1
        cooldown_s = min(terms.cooldown_s * 2.0 ** min(self.openings - 1, 32), terms.max_cooldown_s)
        self.state, self.outcomes, self.failures_in_row = CircuitState.OPEN, [], 0
        self.probe = ""
        self.until = format_instant(now + timedelta(seconds=cooldown_s))
        self._stay_open(outcomes, now)

    def _stay_open(self, outcomes: Sequence[CallOutcome], now: datetime) -> None:
        wishes = [outcome.retry_after_s or 0.0 for outcome in outcomes if not outcome.ok]
        rest_s = min(max(wishes, default=0.0), MAX_RETRY_AFTER_S)
        until = max(parse_instant(self.until), now + timedelta(seconds=rest_s))
        self.until = format_instant(until)
