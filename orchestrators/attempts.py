"""Runs activities until their envelope says enough: the one layer of this app that tries again.

A *retry* verdict becomes a durable timer with exponential backoff, or the server's own
`Retry-After`; the number of tries is the guide's budget. While the database is away, or operators
let nothing be written, a job waits, and so does a step that its gate holds back. An exception that
escapes an activity is a bug and is tried twice more. With a deadline, every wait is raced against
one durable timer.

Deterministic: no clock, no chance, no settings; budgets come with the orchestration's input.
"""

import hashlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol

from azure.durable_functions import DurableOrchestrationContext

from shared.domain.errors import OUTAGES, CodeAgentError, JobError, Verdict, fail
from shared.domain.names import ActivityName

Envelope = dict[str, Any]
Wait = Generator[Any, Any, Envelope]

BUG_RETRIES: Final = 2
"""Tries after an exception that no activity should let escape (DESIGN section 2)."""
OUTAGE_TRIES: Final = 100
"""Tries that meet an outage, or that a gate holds back: no fault of the step, so they are not on
its budget. With a minute between them (`CODE_AGENT_RETRY_MAX_DELAY_S`) a job outlasts more than an
hour."""
JITTER: Final = 0.25
"""Part of a delay that is spread by instance, so that variants do not knock together."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How often and how patiently an activity is tried again."""

    tries: int
    first_delay_s: float
    max_delay_s: float

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Budget":
        """Read a budget from a durable input."""
        return cls(
            tries=int(plain["tries"]),
            first_delay_s=float(plain["first_delay_s"]),
            max_delay_s=float(plain["max_delay_s"]),
        )

    def delay_s(self, attempt: int, wished_s: float | None, spread: float) -> float:
        """Answer the seconds to wait after a failed attempt (1-based), `spread` being 0 to 1."""
        backoff = min(self.first_delay_s * 2.0 ** (attempt - 1), self.max_delay_s)
        return max(backoff * (1 + JITTER * spread), wished_s or 0.0)


class HeldBackError(Exception):
    """An attempt was not carried out: it waits, and has not been a try."""

    def __init__(self, reason: CodeAgentError) -> None:
        super().__init__(reason.code)
        self.reason = reason
        """Why, and when to ask again; how the step fails where there is no time for that."""


class Gate(Protocol):
    """What stands round each attempt of an activity, such as the circuits of its providers."""

    def attempt(self, payload: dict[str, Any], carry_out: Callable[[dict[str, Any]], Wait]) -> Wait:
        """Carry out one attempt, with the payload as the gate sees fit, or answer why not.

        What it answers is judged as if the activity had; what `carry_out` raises is passed on.

        Raises:
            HeldBackError: not now; the gate is to be asked again.
        """


class Attempts:
    """Runs the activities of one orchestration within a budget and, where given, a deadline."""

    def __init__(
        self,
        context: DurableOrchestrationContext,
        budget: Budget,
        *,
        deadline: datetime | None = None,
        traceparent: str | None = None,
    ) -> None:
        """Run on a budget; each activity is told the `traceparent` of the job's trace."""
        self._context = context
        self._budget = budget
        self._trace = {"traceparent": traceparent} if traceparent else {}
        self._deadline = deadline
        self._alarm = context.create_timer(deadline) if deadline is not None else None

    def run(
        self, activity: ActivityName, payload: dict[str, Any], gate: Gate | None = None
    ) -> Wait:
        """Run an activity to its last envelope; never raises for what the activity did."""
        carry_out = partial(self._carry_out, activity)
        attempt = bugs = free = 0
        while True:
            attempt += 1
            late, backoff = fail(_out_of_time()), attempt
            try:
                envelope = yield from (
                    gate.attempt(payload, carry_out) if gate else carry_out(payload)
                )
            except HeldBackError as held:
                free += 1
                if free >= OUTAGE_TRIES:
                    return fail(held.reason)
                # it knows when to ask again: nothing has failed that a longer wait would help
                late, backoff, wished_s = fail(held.reason), 1, held.reason.retry_after_s
            except Exception as error:  # noqa: BLE001 - the SDK raises a bare Exception for any failed activity
                bugs += 1
                if bugs > BUG_RETRIES:
                    return fail(_unexpected(activity, error))
                wished_s = None
            else:
                if envelope["ok"] or envelope["error"]["verdict"] != Verdict.RETRY:
                    return envelope
                free += envelope["error"]["code"] in OUTAGES
                if attempt - free >= self._budget.tries or free >= OUTAGE_TRIES:
                    return envelope
                wished_s = envelope["error"]["retry_after_s"]
                # where the service lets nobody in so soon, that is the reason, not our time
                late = envelope if self._is_too_late(wished_s or 0.0) else late
            spread = _spread(self._context.instance_id, activity, attempt)
            delay_s = self._budget.delay_s(backoff, wished_s, spread)
            if self._is_too_late(delay_s):
                return late
            wake_at = self._context.current_utc_datetime + timedelta(seconds=delay_s)
            yield self._context.create_timer(wake_at)

    def spend(self, budget: Budget) -> None:
        """Run what follows on another budget."""
        self._budget = budget

    def close(self) -> None:
        """Cancel the deadline's timer: an open timer would keep the instance running."""
        if self._alarm is not None and not self._alarm.is_completed:
            self._alarm.cancel()

    def _carry_out(self, activity: ActivityName, payload: dict[str, Any]) -> Wait:
        task = self._context.call_activity(activity, payload | self._trace)
        if (yield from self._outlives_deadline(task)):
            return fail(_out_of_time())
        return self._result_of(task)

    def _outlives_deadline(self, task: Any) -> Generator[Any, Any, bool]:
        if self._alarm is None:
            yield task
            return False
        winner = yield self._context.task_any([task, self._alarm])
        return winner is self._alarm

    def _is_too_late(self, delay_s: float) -> bool:
        wake_at = self._context.current_utc_datetime + timedelta(seconds=delay_s)
        return self._deadline is not None and wake_at >= self._deadline

    @staticmethod
    def _result_of(task: Any) -> Envelope:
        if isinstance(task.result, Exception):
            raise task.result
        envelope: Envelope = task.result
        return envelope


def _spread(instance_id: str, activity: str, attempt: int) -> float:
    digest = hashlib.sha256(f"{instance_id}/{activity}/{attempt}".encode()).digest()
    return digest[0] / 255


def _out_of_time() -> CodeAgentError:
    return JobError("job.out_of_time", "The time limit ended before this step could.")


def _unexpected(activity: str, error: Exception) -> CodeAgentError:
    # the host's wording: "Activity function 'x' failed:  ValueError: …"; only the type is kept
    name = str(error).partition("failed:")[2].strip().partition(":")[0].strip()[:80]
    return CodeAgentError(
        "app.unexpected",
        f"The step {activity} failed unexpectedly ({name or 'unknown error'}).",
        verdict=Verdict.BUG,
    )
