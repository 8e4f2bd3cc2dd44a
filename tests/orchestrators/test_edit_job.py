import itertools
from collections.abc import Callable
from typing import Any

import pytest

from orchestrators.attempts import OUTAGE_TRIES
from orchestrators.edit_job import edit_job
from orchestrators.produce_variant import produce_variant
from shared.domain.errors import JobError, StoreError, UpstreamError, fail, succeed
from shared.domain.names import ActivityName, EventName
from tests.replay import Replay

BUDGET = {"tries": 5, "first_delay_s": 2.0, "max_delay_s": 60.0}
JOB = {
    "id": "edit-0",
    "variants": [1, 2, 3],
    "request": "sha256:1",
    "variant_timeout_s": 480,
    "budget": BUDGET,
    "model_budget": BUDGET | {"tries": 3},
    "slots": {"key": "contoso", "capacity": 2, "lease_s": 1800},
}
ORDER = {"comment": {}, "correlation_id": "c", "received_at": "2026-01-01", "budget": BUDGET}
Script = Callable[[Any], Any]


def answering(*envelopes: dict[str, Any]) -> Script:
    """Answer one envelope after the other, the last one for ever."""
    queue = list(envelopes)
    return lambda _: queue.pop(0) if len(queue) > 1 else queue[0]


def failing(_: Any) -> Any:
    raise ValueError("escaped")


def overloaded(retry_after_s: float | None = None) -> dict[str, Any]:
    return fail(UpstreamError("ado.rate_limited", "wait", retry_after_s=retry_after_s))


def world(**changes: Script) -> dict[str, Script]:
    return {
        "admit_command": answering(succeed({"next": "edit", "job": JOB})),
        "answer_command": answering(succeed({"wake": None})),
        "announce_job": answering(succeed({})),
        "load_context": answering(succeed({"context": "sha256:0"})),
        "produce_variant": answering(succeed({})),
        "report_progress": answering(succeed({})),
        "conclude_job": answering(succeed({"status": "success", "closes_thread": True})),
        "reply_result": answering(succeed({})),
        "set_pull_request_status": answering(succeed({})),
        "close_thread": answering(succeed({})),
        "wake_jobs": answering(succeed({})),
        "job_slots.acquire": answering({"granted": True, "position": 0}),
        "job_slots.release": answering({"granted": []}),
    } | changes


def test_an_edit_is_admitted_announced_produced_and_concluded_in_this_order() -> None:
    replay = Replay(edit_job, world())
    assert replay.run(ORDER) == {"accepted": True, "status": "success"}
    assert replay.names() == [
        "admit_command",
        "job_slots.acquire",
        "announce_job",
        "set_pull_request_status",
        "load_context",
        *["produce_variant"] * 3,
        *["report_progress"] * 2,
        "conclude_job",
        "report_progress",
        "reply_result",
        "set_pull_request_status",
        "close_thread",
        "job_slots.release",
    ]


def test_what_cannot_be_said_keeps_nothing_else_from_being_said() -> None:
    lost = answering(fail(UpstreamError("ado.forbidden", "no", verdict=JobError.verdict)))
    silent = ("report_progress", "reply_result", "set_pull_request_status")
    replay = Replay(edit_job, world(**dict.fromkeys(silent, lost)))
    assert replay.run(ORDER) == {"accepted": True, "status": "success"}
    assert replay.names()[-5:] == [
        "report_progress",
        "reply_result",
        "set_pull_request_status",
        "close_thread",
        "job_slots.release",
    ]


def test_a_thread_stays_open_unless_the_conclusion_says_so() -> None:
    kept = answering(succeed({"status": "failed", "closes_thread": False}))
    replay = Replay(edit_job, world(conclude_job=kept))
    assert replay.run(ORDER)["status"] == "failed"
    assert "close_thread" not in replay.names()


def test_every_variant_gets_its_own_number_and_the_conclusion_hears_of_all() -> None:
    replay = Replay(edit_job, world())
    replay.run(ORDER)
    orders = [payload for name, payload in replay.calls if name == "produce_variant"]
    assert [order["number"] for order in orders] == [1, 2, 3]
    concluded = next(payload for name, payload in replay.calls if name == "conclude_job")
    assert sorted(outcome["number"] for outcome in concluded["outcomes"]) == [1, 2, 3]


def test_an_ignored_comment_ends_without_a_trace() -> None:
    admit = answering(succeed({"next": "ignore", "reason": "own_comment"}))
    replay = Replay(edit_job, world(admit_command=admit))
    assert replay.run(ORDER) == {"accepted": False, "status": "ignored", "reason": "own_comment"}
    assert replay.names() == ["admit_command"]


@pytest.mark.parametrize("accepted", [True, False])
def test_an_answer_is_given_and_says_whether_the_comment_was_a_command(*, accepted: bool) -> None:
    verdict = {"next": "answer", "accepted": accepted, "answer": {"kind": "help"}}
    replay = Replay(edit_job, world(admit_command=answering(succeed(verdict))))
    assert replay.run(ORDER)["accepted"] is accepted
    assert replay.names() == ["admit_command", "answer_command"]


def test_a_cancel_command_wakes_the_jobs_that_wait() -> None:
    verdict = {"next": "answer", "accepted": True, "answer": {"kind": "cancel"}}
    wake = {"instance_ids": ["edit-1"], "event": "cancel_requested"}
    replay = Replay(
        edit_job,
        world(
            admit_command=answering(succeed(verdict)),
            answer_command=answering(succeed({"wake": wake})),
        ),
    )
    replay.run(ORDER)
    assert replay.calls[-1] == ("wake_jobs", wake)


def test_a_failed_admission_is_said_in_the_thread_and_may_be_delivered_again() -> None:
    error = fail(UpstreamError("ado.forbidden", "no", verdict=JobError.verdict))
    replay = Replay(edit_job, world(admit_command=answering(error)))
    output = replay.run(ORDER)
    assert (output["accepted"], output["status"]) == (False, "failed")
    assert replay.calls[-1][1]["failure"]["code"] == "ado.forbidden"


def test_a_full_house_is_announced_once_and_left_when_a_slot_is_granted() -> None:
    acquire = answering(
        {"granted": False, "position": 2},
        {"granted": False, "position": 1},
        {"granted": True, "position": 0},
    )
    replay = Replay(edit_job, world(**{"job_slots.acquire": acquire}))
    assert replay.run(ORDER)["status"] == "success"
    announced = [payload for name, payload in replay.calls if name == "announce_job"]
    assert announced == [{"job_id": "edit-0", "position": 2}, {"job_id": "edit-0"}]
    assert replay.timers == [30, 30]


def test_a_wake_up_shortens_the_wait_for_a_slot() -> None:
    acquire = answering({"granted": False, "position": 1}, {"granted": True, "position": 0})
    replay = Replay(
        edit_job,
        world(**{"job_slots.acquire": acquire}),
        events={"announce_job": [EventName.SLOT_GRANTED]},
    )
    assert replay.run(ORDER)["status"] == "success"
    assert replay.timers == []


def test_a_job_cancelled_in_the_queue_concludes_and_leaves_its_place() -> None:
    replay = Replay(
        edit_job,
        world(
            **{"job_slots.acquire": answering({"granted": False, "position": 1})},
            conclude_job=answering(succeed({"status": "cancelled", "closes_thread": False})),
        ),
        events={"announce_job": [EventName.CANCEL_REQUESTED]},
    )
    assert replay.run(ORDER) == {"accepted": True, "status": "cancelled"}
    assert "conclude_job" in replay.names()
    assert replay.names()[-1] == "job_slots.release"
    assert "load_context" not in replay.names()


def test_the_job_that_leaves_wakes_the_one_that_got_its_slot() -> None:
    release = answering({"granted": ["edit-9"]})
    replay = Replay(edit_job, world(**{"job_slots.release": release}))
    replay.run(ORDER)
    woken = {"instance_ids": ["edit-9"], "event": "slot_granted"}
    assert replay.calls[-1] == ("wake_jobs", woken)


@pytest.mark.parametrize("step", ["announce_job", "load_context"])
def test_a_job_that_cannot_be_prepared_is_concluded_with_the_reason(step: str) -> None:
    error = fail(JobError("job.cancelled", "cancelled"))
    replay = Replay(edit_job, world(**{step: answering(error)}))
    replay.run(ORDER)
    concluded = next(payload for name, payload in replay.calls if name == "conclude_job")
    assert concluded["error"]["code"] == "job.cancelled"
    assert "produce_variant" not in replay.names()


def test_a_lost_variant_does_not_take_the_others_with_it() -> None:
    replay = Replay(edit_job, world(produce_variant=failing))
    assert replay.run(ORDER)["accepted"] is True
    concluded = next(payload for name, payload in replay.calls if name == "conclude_job")
    codes = {outcome["error"]["code"] for outcome in concluded["outcomes"]}
    assert codes == {"app.variant_lost"}


def test_a_retry_verdict_waits_twice_as_long_each_time_until_the_budget_ends() -> None:
    replay = Replay(edit_job, world(announce_job=answering(overloaded())))
    replay.run(ORDER)
    assert replay.names().count("announce_job") == BUDGET["tries"]
    for waited, least in zip(replay.timers, (2, 4, 8, 16), strict=True):
        assert least <= waited <= least * 1.26


def test_an_outage_is_waited_for_beyond_the_budget() -> None:
    codes = itertools.cycle(["store.unavailable", "ado.read_only"])
    outage = [fail(UpstreamError(next(codes), "Not now.")) for _ in range(OUTAGE_TRIES - 1)]
    replay = Replay(edit_job, world(announce_job=answering(*outage, overloaded(), succeed({}))))
    assert replay.run(ORDER, most_episodes=2000)["accepted"] is True
    assert replay.names().count("announce_job") == OUTAGE_TRIES + 1
    assert replay.timers[10] >= BUDGET["max_delay_s"]


def test_a_database_that_never_comes_back_ends_the_step() -> None:
    away = fail(StoreError("store.unavailable", "The database did not answer."))
    replay = Replay(edit_job, world(announce_job=answering(away)))
    replay.run(ORDER, most_episodes=2000)
    assert replay.names().count("announce_job") == OUTAGE_TRIES


def test_the_servers_own_wish_beats_the_backoff() -> None:
    announce = answering(overloaded(retry_after_s=97), succeed({}))
    replay = Replay(edit_job, world(announce_job=announce))
    replay.run(ORDER)
    assert replay.timers[0] == pytest.approx(97, abs=0.1)


def test_an_exception_that_escapes_is_tried_twice_more_and_named_without_its_text() -> None:
    replay = Replay(edit_job, world(load_context=failing))
    replay.run(ORDER)
    assert replay.names().count("load_context") == 3
    concluded = next(payload for name, payload in replay.calls if name == "conclude_job")
    assert concluded["error"]["code"] == "app.unexpected"
    assert "ValueError" in concluded["error"]["message"]
    assert "escaped" not in concluded["error"]["message"]


VARIANT = {"job": JOB, "number": 2, "context": {"context": "sha256:0"}}


def steps(**changes: Script) -> dict[str, Script]:
    names = (ActivityName.DRAFT_PATCH, ActivityName.PUSH_BRANCH)
    scripts: dict[str, Script] = {name: answering(succeed({})) for name in names}
    scripts["open_draft_pull_request"] = answering(succeed({"pull_request_id": 7}))
    return scripts | changes


def test_a_variant_is_drafted_pushed_and_opened_with_one_deadline() -> None:
    replay = Replay(produce_variant, steps())
    assert replay.run(VARIANT) == succeed({"pull_request_id": 7})
    assert replay.names() == ["draft_patch", "push_branch", "open_draft_pull_request"]
    assert len({payload["deadline"] for _, payload in replay.calls}) == 1


def test_a_failed_step_ends_the_variant() -> None:
    error = fail(JobError("variant.duplicate", "the same as variant 1"))
    replay = Replay(produce_variant, steps(draft_patch=answering(error)))
    assert replay.run(VARIANT) == error
    assert replay.names() == ["draft_patch"]


def test_the_model_has_a_budget_of_its_own() -> None:
    replay = Replay(produce_variant, steps(draft_patch=answering(overloaded())))
    assert replay.run(VARIANT)["error"]["code"] == "ado.rate_limited"
    assert replay.names() == ["draft_patch"] * 3


def test_no_wait_outlives_the_deadline() -> None:
    replay = Replay(produce_variant, steps(push_branch=answering(overloaded(retry_after_s=500))))
    # what the service asked for is the reason, not our own limit
    assert replay.run(VARIANT)["error"]["code"] == "ado.rate_limited"
    assert replay.timers == []
    assert replay.names() == ["draft_patch", "push_branch"]
