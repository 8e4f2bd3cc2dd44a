from hypothesis import given
from hypothesis import strategies as st

from shared.webhook.throttle import MOST_ADDRESSES, FailureThrottle


def test_an_address_is_throttled_when_its_burst_is_used_up_and_free_again_later() -> None:
    throttle = FailureThrottle(burst=3, refill_s=60)
    assert [throttle.note("a", now_s=0).is_throttled for _ in range(4)] == [False] * 3 + [True]
    assert throttle.note("a", now_s=30).retry_after_s == 31
    later = throttle.note("a", now_s=61)
    assert not later.is_throttled
    assert later.count == 3  # itself, and the two that were not told


def test_one_address_does_not_throttle_another() -> None:
    throttle = FailureThrottle(burst=1)
    throttle.note("a", now_s=0)
    assert throttle.note("a", now_s=0).is_throttled
    assert not throttle.note("b", now_s=0).is_throttled


def test_memory_is_bounded_whatever_the_number_of_addresses() -> None:
    throttle = FailureThrottle(burst=1)
    throttle.note("first", now_s=0)
    for number in range(MOST_ADDRESSES):
        throttle.note(str(number), now_s=0)
    assert throttle.note(str(MOST_ADDRESSES - 1), now_s=0).is_throttled
    assert not throttle.note("first", now_s=0).is_throttled  # forgotten, the longest quiet


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100)), max_size=60))
def test_every_failure_is_told_sooner_or_later_and_once(steps: list[tuple[str, float]]) -> None:
    throttle = FailureThrottle(burst=2, refill_s=30)
    now, noted, told = 0.0, 0, 0
    for address, step in steps:
        now += step
        failure = throttle.note(address, now_s=now)
        noted += 1
        told += 0 if failure.is_throttled else failure.count
    for address in "ab":
        told += throttle.note(address, now_s=now + 1000).count
    assert told == noted + 2
