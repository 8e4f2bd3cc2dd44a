"""The clarification in the middle of a job: what it asks, waits for, and goes on with."""

from typing import Any

import pytest

from orchestrators.clarify import MAX_HINTS
from orchestrators.edit_job import edit_job
from shared.domain.errors import JobError, UpstreamError, fail, succeed
from shared.domain.names import EventName
from tests.orchestrators.test_edit_job import BUDGET, JOB, ORDER, Script, answering, world
from tests.replay import Replay

WAIT_S = 300
CLARIFY = {"rounds": 3, "wait_s": WAIT_S, "thread": "thread-0"}
CLEAR = succeed({"asks": False})
VAGUE = succeed({"asks": True})
NOTHING = succeed({"found": False, "usable": False})
USABLE = succeed({"found": True, "usable": True})
UNUSABLE = succeed({"found": True, "usable": False})
CANCELLED = fail(JobError("job.cancelled", "cancelled"))
FORBIDDEN = fail(UpstreamError("ado.forbidden", "no", verdict=JobError.verdict))
FIRST, SECOND = f"{EventName.ANSWER_GIVEN}_1", f"{EventName.ANSWER_GIVEN}_2"


def vague_world(**changes: Script) -> dict[str, Script]:
    job = JOB | {"clarify": CLARIFY}
    return world(
        **{
            "admit_command": answering(succeed({"next": "edit", "job": job})),
            "load_context": answering(
                succeed({"context": "sha256:0"}), succeed({"context": "sha256:1"})
            ),
            "judge_request": answering(VAGUE, CLEAR),
            "ask_clarification": answering(succeed({"comment_id": 3})),
            "read_answer": answering(USABLE),
            "end_clarification": answering(succeed({})),
            "open_question.listen": answering({"granted": True}),
            "open_question.leave": answering({}),
        }
        | changes
    )


def between(replay: Replay) -> list[str]:
    """Name what happened between the first context and the variants."""
    names = replay.names()
    return names[names.index("load_context") + 1 : names.index("produce_variant")]


def find_end(replay: Replay) -> str:
    return str(next(payload["end"] for name, payload in replay.calls if name.startswith("end_c")))


def find_context(replay: Replay) -> Any:
    return next(p["context"] for name, p in replay.calls if name == "produce_variant")


def test_a_clear_request_costs_one_step_and_no_wait() -> None:
    replay = Replay(edit_job, vague_world(judge_request=answering(CLEAR)))
    assert replay.run(ORDER)["status"] == "success"
    assert between(replay) == ["judge_request"]
    assert find_context(replay) == {"context": "sha256:0"}
    assert replay.timers == []


@pytest.mark.parametrize("terms", [None, CLARIFY | {"rounds": 0}], ids=["older-job", "off"])
def test_a_job_without_questions_is_not_even_judged(terms: dict[str, Any] | None) -> None:
    admitted = succeed({"next": "edit", "job": JOB | ({"clarify": terms} if terms else {})})
    replay = Replay(edit_job, vague_world(admit_command=answering(admitted)))
    replay.run(ORDER)
    assert between(replay) == []


def test_an_answer_continues_the_job_with_a_new_context() -> None:
    replay = Replay(edit_job, vague_world(), events={"report_progress": [FIRST]})
    assert replay.run(ORDER)["status"] == "success"
    assert between(replay) == [
        "judge_request",
        "open_question.listen",
        "ask_clarification",
        "report_progress",
        "open_question.listen",
        "read_answer",
        "judge_request",
        "open_question.leave",
        "end_clarification",
        "report_progress",
        "load_context",
    ]
    assert find_end(replay) == "answered"
    assert find_context(replay) == {"context": "sha256:1"}
    assert replay.timers == []


@pytest.mark.filterwarnings("ignore:Potential duplicate")  # the SDK's word for an early event
@pytest.mark.parametrize(("event", "end"), [(FIRST, "answered"), ("cancel_requested", "cancelled")])
def test_what_is_said_before_the_wait_begins_is_heard(event: str, end: str) -> None:
    replay = Replay(edit_job, vague_world(), events={"ask_clarification": [event]})
    replay.run(ORDER)
    assert find_end(replay) == end
    assert replay.timers == []


def test_without_an_answer_the_thread_is_looked_at_once_and_the_job_goes_on() -> None:
    replay = Replay(edit_job, vague_world(read_answer=answering(NOTHING)))
    assert replay.run(ORDER)["status"] == "success"
    assert replay.timers == [pytest.approx(WAIT_S)]
    assert replay.names().count("read_answer") == 1
    assert find_end(replay) == "no_answer"
    assert find_context(replay) == {"context": "sha256:1"}


def test_an_answer_that_nobody_told_of_counts_when_the_time_is_up() -> None:
    replay = Replay(edit_job, vague_world())
    replay.run(ORDER)
    assert replay.timers == [pytest.approx(WAIT_S)]
    assert find_end(replay) == "answered"


def test_a_foreign_comment_does_not_lengthen_the_wait() -> None:
    replay = Replay(
        edit_job,
        vague_world(read_answer=answering(NOTHING)),
        events={"report_progress": [FIRST], "read_answer": [SECOND]},
    )
    replay.run(ORDER)
    assert replay.names().count("read_answer") == 3  # for each event, and at the end
    assert replay.timers == [pytest.approx(WAIT_S)]
    assert find_end(replay) == "no_answer"


def test_each_wait_has_an_event_of_its_own_that_is_told_before_the_look() -> None:
    replay = Replay(
        edit_job,
        vague_world(read_answer=answering(NOTHING, USABLE)),
        events={"report_progress": [FIRST], "read_answer": [SECOND]},
    )
    replay.run(ORDER)
    told = [payload["event"] for name, payload in replay.calls if name == "open_question.listen"]
    assert told == [FIRST, SECOND, f"{EventName.ANSWER_GIVEN}_3"]
    assert find_end(replay) == "answered"


def test_a_thread_full_of_talk_is_looked_at_a_bounded_number_of_times() -> None:
    names = [f"{EventName.ANSWER_GIVEN}_{number}" for number in range(1, MAX_HINTS + 20)]
    script = vague_world(read_answer=answering(NOTHING))
    replay = Replay(edit_job, script, events={"report_progress": [names[0]]})
    looks: list[int] = []

    def listen(payload: Any) -> dict[str, Any]:
        looks.append(int(payload["event"].rpartition("_")[2]))
        if looks[-1] > 1:  # somebody speaks as soon as the job listens
            replay.events["read_answer"] = [names[looks[-1] - 1]]
        return {"granted": True}

    script["open_question.listen"] = listen
    with pytest.warns(UserWarning, match="Potential duplicate"):  # nobody listens to the last one
        replay.run(ORDER)
    assert replay.names().count("read_answer") == MAX_HINTS + 1
    assert find_end(replay) == "no_answer"


def test_an_unusable_answer_is_asked_about_again_for_a_whole_wait() -> None:
    replay = Replay(
        edit_job,
        vague_world(
            judge_request=answering(VAGUE, VAGUE, CLEAR), read_answer=answering(UNUSABLE, USABLE)
        ),
        events={"report_progress": [FIRST]},
    )
    replay.run(ORDER)
    assert [p["round"] for name, p in replay.calls if name == "ask_clarification"] == [1, 2]
    assert replay.timers == [pytest.approx(WAIT_S)]
    assert find_end(replay) == "answered"


@pytest.mark.parametrize(("last", "end"), [(USABLE, "answered"), (UNUSABLE, "unclear")])
def test_nothing_is_asked_after_the_last_round(last: dict[str, Any], end: str) -> None:
    replay = Replay(
        edit_job,
        vague_world(judge_request=answering(VAGUE), read_answer=answering(UNUSABLE, USABLE, last)),
    )
    replay.run(ORDER)
    assert replay.names().count("ask_clarification") == CLARIFY["rounds"]
    assert replay.names().count("judge_request") == CLARIFY["rounds"]
    assert find_end(replay) == end


def test_a_cancellation_ends_the_wait_and_the_job() -> None:
    replay = Replay(
        edit_job,
        vague_world(
            conclude_job=answering(succeed({"status": "cancelled", "closes_thread": False}))
        ),
        events={"report_progress": [EventName.CANCEL_REQUESTED]},
    )
    assert replay.run(ORDER) == {"accepted": True, "status": "cancelled"}
    assert find_end(replay) == "cancelled"
    assert "open_question.leave" in replay.names()
    assert "produce_variant" not in replay.names()
    assert replay.timers == []


def test_a_job_that_waited_for_a_slot_still_hears_a_cancellation() -> None:
    acquire = answering({"granted": False, "position": 1}, {"granted": True, "position": 0})
    replay = Replay(
        edit_job,
        vague_world(**{"job_slots.acquire": acquire}),
        events={"report_progress": [EventName.CANCEL_REQUESTED]},
    )
    replay.run(ORDER)
    assert find_end(replay) == "cancelled"
    assert replay.timers == [30]


@pytest.mark.parametrize("step", ["judge_request", "ask_clarification"])
def test_a_step_that_sees_the_cancellation_ends_the_job(step: str) -> None:
    replay = Replay(edit_job, vague_world(**{step: answering(CANCELLED)}))
    replay.run(ORDER)
    assert find_end(replay) == "cancelled"
    concluded = next(payload for name, payload in replay.calls if name == "conclude_job")
    assert concluded["error"]["code"] == "job.cancelled"
    assert "produce_variant" not in replay.names()


def test_a_cancellation_that_a_later_verdict_sees_ends_the_asking_too() -> None:
    script = vague_world(judge_request=answering(VAGUE, CANCELLED))
    replay = Replay(edit_job, script, events={"report_progress": [FIRST]})
    replay.run(ORDER)
    assert find_end(replay) == "cancelled"
    assert "produce_variant" not in replay.names()


def test_another_job_that_asks_in_the_thread_is_not_disturbed() -> None:
    busy = answering({"granted": False})
    replay = Replay(edit_job, vague_world(**{"open_question.listen": busy}))
    replay.run(ORDER)
    assert "ask_clarification" not in replay.names()
    assert find_end(replay) == "thread_busy"
    assert "produce_variant" in replay.names()


def test_a_question_that_cannot_be_posted_does_not_stop_the_job() -> None:
    replay = Replay(edit_job, vague_world(ask_clarification=answering(FORBIDDEN)))
    replay.run(ORDER)
    assert find_end(replay) == "not_asked"
    assert replay.timers == []
    assert "produce_variant" in replay.names()


def test_a_verdict_that_cannot_be_had_is_none_and_costs_the_models_tries_only() -> None:
    overloaded = fail(UpstreamError("model.overloaded", "wait"))
    replay = Replay(edit_job, vague_world(judge_request=answering(overloaded)))
    assert replay.run(ORDER)["status"] == "success"
    assert between(replay) == ["judge_request"] * 3
    assert find_context(replay) == {"context": "sha256:0"}


def test_an_answer_that_cannot_be_read_leaves_the_likeliest_reading() -> None:
    replay = Replay(edit_job, vague_world(read_answer=answering(FORBIDDEN)))
    replay.run(ORDER)
    assert find_end(replay) == "no_answer"
    assert "produce_variant" in replay.names()


def test_what_was_made_clear_must_be_kept_before_anything_is_drafted() -> None:
    lost = fail(UpstreamError("store.unavailable", "no", verdict=JobError.verdict))
    replay = Replay(edit_job, vague_world(end_clarification=answering(lost)))
    replay.run(ORDER)
    assert "produce_variant" not in replay.names()
    concluded = next(payload for name, payload in replay.calls if name == "conclude_job")
    assert concluded["error"]["code"] == "store.unavailable"


def test_the_budget_of_the_steps_is_the_jobs_own_again_behind_the_verdict() -> None:
    overloaded = fail(UpstreamError("ado.rate_limited", "wait"))
    replay = Replay(edit_job, vague_world(ask_clarification=answering(overloaded)))
    replay.run(ORDER)
    assert replay.names().count("ask_clarification") == BUDGET["tries"]
