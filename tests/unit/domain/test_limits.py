from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.limits import Limit, Taking, find_free_instant, keep_recent

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMIT = Limit("user_jobs", "user/contoso/u", 3, timedelta(minutes=5))


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_there_is_room_until_the_limit_and_again_when_the_first_leaves() -> None:
    takings = [Taking(str(n), 1, at(n)) for n in range(3)]
    assert find_free_instant(takings[:2], LIMIT, 1, now=at(2)) == at(2)
    assert find_free_instant(takings, LIMIT, 1, now=at(3)) == at(300)
    assert find_free_instant(takings, LIMIT, 2, now=at(3)) == at(301)
    assert find_free_instant(takings, LIMIT, 4, now=at(3)) is None


def test_what_has_left_the_window_does_not_count() -> None:
    takings = [Taking("late", 1, at(10)), Taking("early", 1, at(0))]
    assert [taking.key for taking in keep_recent(takings, LIMIT, now=at(299))] == ["early", "late"]
    assert [taking.key for taking in keep_recent(takings, LIMIT, now=at(300))] == ["late"]


@given(st.lists(st.tuples(st.floats(0, 400), st.integers(1, 3)), max_size=40))
def test_no_window_ever_holds_more_than_the_limit(steps: list[tuple[float, int]]) -> None:
    takings: list[Taking] = []
    now = NOW
    for number, (step, amount) in enumerate(steps):
        now += timedelta(seconds=step)
        recent = keep_recent(takings, LIMIT, now=now)
        free_at = find_free_instant(recent, LIMIT, amount, now=now)
        assert free_at is not None
        if free_at > now:
            later = keep_recent(takings, LIMIT, now=free_at)
            assert find_free_instant(later, LIMIT, amount, now=free_at) == free_at
            continue
        takings.append(Taking(str(number), amount, now))
    for taking in takings:
        window = [one for one in takings if taking.at <= one.at < taking.at + LIMIT.window]
        assert sum(one.amount for one in window) <= LIMIT.most
