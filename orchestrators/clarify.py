"""A vague request is asked about in its thread, and its author's reply continues the job.

`clarify` is the job's side of it; the entity `open_question` says, for each thread, which job waits
there and for which event. The webhook reads it and raises that event when somebody replies. The
event is a hint to look, no more: the answer is read back over REST, once more when the time is up.
"""

from collections.abc import Generator
from datetime import timedelta
from typing import Any, Final

from azure.durable_functions import (
    DurableEntityContext,
    DurableOrchestrationContext,
    EntityId,
)

from orchestrators.attempts import Attempts, Budget, Envelope, Wait
from orchestrators.circuits import ProviderGate
from shared.domain.clarification import ClarificationEnd
from shared.domain.clock import format_instant, parse_instant
from shared.domain.errors import JobError, fail
from shared.domain.names import ActivityName, EntityName, name_answer_event

MAX_HINTS: Final = 50
"""Looks at the thread of one job because somebody spoke; then only the end of the time counts."""
LEASE_SPARE_S: Final = 600
"""Behind the time of an answer: for the tries of looking at it."""
_REPLIED: Final = frozenset({ClarificationEnd.ANSWERED, ClarificationEnd.UNCLEAR})


def open_question(context: DurableEntityContext) -> None:
    """Keep who waits for an answer in one thread: `listen` and `leave`, both safe to repeat."""
    from shared.domain.open_question import OpenQuestion

    question = OpenQuestion.from_plain(context.get_state(dict))
    request = context.get_input()
    if context.operation_name == "listen":
        granted = question.listen(
            request["job_id"],
            request["event"],
            lease_s=float(request["lease_s"]),
            now=parse_instant(request["now"]),
        )
        context.set_result({"granted": granted})
    elif context.operation_name == "leave":
        question.leave(request["job_id"])
        context.set_result({})
    else:
        raise ValueError(f"open_question has no operation {context.operation_name!r}")
    if question.job_id:
        context.set_state(question.to_plain())
    else:
        context.destruct_on_exit()  # a thread that waits for nobody leaves nothing behind


def clarify(
    context: DurableOrchestrationContext,
    steps: Attempts,
    job: dict[str, Any],
    loaded: Envelope,
    cancelled: Any,
) -> Wait:
    """Make sure what is asked for; answers the context to work with, a new one after an answer.

    A request that cannot be judged is taken as it stands.
    """
    terms = job.get("clarify")  # a job that was admitted before there were questions has none
    if not terms or not terms["rounds"]:
        return loaded
    asking = _Asking(context, steps, job)
    end = yield from _ask_until_clear(job, loaded, asking, cancelled)
    if end is None:
        return loaded
    yield from asking.leave()
    ended = yield from steps.run(
        ActivityName.END_CLARIFICATION, {"job_id": job["id"], "end": str(end)}
    )
    if end is ClarificationEnd.CANCELLED:
        return fail(JobError("job.cancelled", "The job was cancelled."))
    if not ended["ok"]:
        return ended
    yield from steps.run(ActivityName.REPORT_PROGRESS, {"job_id": job["id"], "outcomes": []})
    return (
        yield from steps.run(
            ActivityName.LOAD_CONTEXT, {"job_id": job["id"], "request": job["request"]}
        )
    )


def _ask_until_clear(
    job: dict[str, Any], loaded: Envelope, asking: "_Asking", cancelled: Any
) -> Generator[Any, Any, ClarificationEnd | None]:
    """Ask as often as it takes and is allowed; answers how it ended, None where it was clear."""
    end: ClarificationEnd | None = None
    for number in range(1, job["clarify"]["rounds"] + 1):
        judged = yield from asking.judge(loaded, number)
        if _is_cancelled(judged):
            return ClarificationEnd.CANCELLED
        if not (judged["ok"] and judged["value"]["asks"]):
            return end
        if not (yield from asking.listen()):
            return ClarificationEnd.THREAD_BUSY
        end = yield from asking.ask(number, cancelled)
        if end not in _REPLIED:
            return end
    return end


def _is_cancelled(envelope: Envelope) -> bool:
    return not envelope["ok"] and envelope["error"]["code"] == "job.cancelled"


class _Asking:
    """The questions of one job in its thread."""

    def __init__(
        self, context: DurableOrchestrationContext, steps: Attempts, job: dict[str, Any]
    ) -> None:
        self._context = context
        self._steps = steps
        self._job = job
        self._wait_s = float(job["clarify"]["wait_s"])
        self._thread = EntityId(EntityName.OPEN_QUESTION, job["clarify"]["thread"])
        self._gate = ProviderGate.of_job(context, job, "judge")
        self._hints = 0
        self._event = ""

    def judge(self, loaded: Envelope, number: int) -> Wait:
        """Have it decided whether question `number` has to be asked."""
        self._steps.spend(Budget.from_plain(self._job["model_budget"]))
        judged = yield from self._steps.run(
            ActivityName.JUDGE_REQUEST,
            {"job_id": self._job["id"], "context": loaded["value"], "round": number},
            self._gate,
        )
        self._steps.spend(Budget.from_plain(self._job["budget"]))
        return judged

    def listen(self) -> Generator[Any, Any, bool]:
        """Tell the thread which event is waited for from now on; False when another job asks there.

        Each wait has an event of its own: one that came once would answer every later wait for its
        name (durable-python issue 507).
        """
        self._hints += 1
        self._event = name_answer_event(self._hints)
        answer = yield self._context.call_entity(
            self._thread,
            "listen",
            {
                "job_id": self._job["id"],
                "event": self._event,
                "lease_s": self._wait_s + LEASE_SPARE_S,
                "now": format_instant(self._context.current_utc_datetime),
            },
        )
        return bool(answer["granted"])

    def leave(self) -> Generator[Any, Any, None]:
        """Leave the thread to others."""
        yield self._context.call_entity(self._thread, "leave", {"job_id": self._job["id"]})

    def ask(self, number: int, cancelled: Any) -> Generator[Any, Any, ClarificationEnd]:
        """Put question `number` and wait; answers how this round ended."""
        order = {"job_id": self._job["id"], "round": number}
        asked = yield from self._steps.run(ActivityName.ASK_CLARIFICATION, order)
        if not asked["ok"]:
            is_cancelled = _is_cancelled(asked)
            return ClarificationEnd.CANCELLED if is_cancelled else ClarificationEnd.NOT_ASKED
        yield from self._steps.run(
            ActivityName.REPORT_PROGRESS, {"job_id": self._job["id"], "outcomes": []}
        )
        until = self._context.current_utc_datetime + timedelta(seconds=self._wait_s)
        timer = self._context.create_timer(until)
        end = yield from self._wait(order, cancelled, timer)
        if not timer.is_completed:
            timer.cancel()
        return end

    def _wait(
        self, order: dict[str, Any], cancelled: Any, timer: Any
    ) -> Generator[Any, Any, ClarificationEnd]:
        while True:
            signals = [cancelled, timer]
            if self._hints <= MAX_HINTS:
                signals.append(self._context.wait_for_external_event(self._event))
            winner = yield self._context.task_any(signals)
            if winner is cancelled:
                return ClarificationEnd.CANCELLED
            if winner is not timer:
                # first the new event, then the look: what is said behind the look is heard
                yield from self.listen()
            read = yield from self._steps.run(ActivityName.READ_ANSWER, order)
            if read["ok"] and read["value"]["found"]:
                is_usable = read["value"]["usable"]
                return ClarificationEnd.ANSWERED if is_usable else ClarificationEnd.UNCLEAR
            if winner is timer:
                return ClarificationEnd.NO_ANSWER
