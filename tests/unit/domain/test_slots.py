from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.slots import CLAIM_S, JobSlots

START = datetime(2026, 1, 1, tzinfo=UTC)


def ask(slots: JobSlots, job: str, *, at_s: float = 0, lease_s: float = 600) -> tuple[bool, int]:
    now = START + timedelta(seconds=at_s)
    answer = slots.acquire(job, capacity=1, lease_s=lease_s, now=now)
    return answer.granted, answer.position


def test_jobs_run_in_the_order_they_came() -> None:
    slots = JobSlots()
    assert ask(slots, "a") == (True, 0)
    assert ask(slots, "b") == (False, 1)
    assert ask(slots, "c") == (False, 2)
    assert slots.release("a", capacity=1, now=START) == ["b"]
    assert ask(slots, "c") == (False, 1)
    assert ask(slots, "b") == (True, 0)


def test_asking_and_leaving_twice_changes_nothing() -> None:
    slots = JobSlots()
    assert ask(slots, "a") == ask(slots, "a") == (True, 0)
    assert ask(slots, "b") == ask(slots, "b") == (False, 1)
    assert slots.release("a", capacity=1, now=START) == ["b"]
    assert slots.release("a", capacity=1, now=START) == []


def test_a_lost_holder_gives_its_slot_back_when_its_lease_ends() -> None:
    slots = JobSlots()
    ask(slots, "lost", lease_s=60)
    assert ask(slots, "b", at_s=59) == (False, 1)
    assert ask(slots, "b", at_s=60) == (True, 0)


def test_a_granted_slot_that_nobody_claims_goes_to_the_next() -> None:
    slots = JobSlots()
    ask(slots, "a")
    ask(slots, "gone")
    ask(slots, "c")
    slots.release("a", capacity=1, now=START)
    assert ask(slots, "c", at_s=CLAIM_S - 1) == (False, 1)
    assert ask(slots, "c", at_s=CLAIM_S) == (True, 0)


def test_a_job_may_leave_the_queue() -> None:
    slots = JobSlots()
    ask(slots, "a")
    ask(slots, "b")
    ask(slots, "c")
    assert slots.release("b", capacity=1, now=START) == []
    assert ask(slots, "c") == (False, 1)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 7), st.integers(0, 200)), max_size=60),
    st.integers(1, 4),
)
def test_never_more_run_than_there_are_slots(
    steps: list[tuple[bool, int, int]], capacity: int
) -> None:
    slots, now = JobSlots(), START
    for takes, job, pause_s in steps:
        now += timedelta(seconds=pause_s)
        if takes:
            slots.acquire(str(job), capacity=capacity, lease_s=300, now=now)
        else:
            slots.release(str(job), capacity=capacity, now=now)
        assert len(slots.running) <= capacity
        assert not set(slots.running) & set(slots.waiting)
        assert len(set(slots.waiting)) == len(slots.waiting)
        assert JobSlots.from_plain(slots.to_plain()) == slots


def test_a_job_waits_by_the_limit_that_it_came_under_whoever_leaves() -> None:
    slots = JobSlots()
    for job in ("a", "b", "c"):
        slots.acquire(job, capacity=3, lease_s=600, now=START)
    assert slots.acquire("braked", capacity=1, lease_s=600, now=START).granted is False
    assert slots.release("a", capacity=3, now=START) == []
    assert slots.release("b", capacity=3, now=START) == []
    assert slots.release("c", capacity=3, now=START) == ["braked"]
    assert slots.limits == {}
