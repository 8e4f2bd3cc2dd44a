from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from shared.store import turns
from shared.store.database import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)


def take(database: Database, holder: str, at: datetime = NOW) -> object:
    until = at + timedelta(minutes=10)
    with database.transaction() as connection:
        return turns.take_turn(connection, "sweep", holder, at=at, until=until)


def test_of_many_at_once_one_gets_the_turn(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: take(database, f"h{number}"), range(8)))
    assert sorted(map(str, answers)) == ["None"] * 7 + ["{}"]


def test_where_a_turn_stopped_the_next_begins_and_a_late_one_has_no_say(database: Database) -> None:
    assert take(database, "a") == {}
    with database.transaction() as connection:
        assert turns.end_turn(connection, "sweep", "a", {"cursor": 7}, at=NOW)
    assert take(database, "b") == {"cursor": 7}
    assert take(database, "c") is None
    assert take(database, "c", LATER) == {"cursor": 7}
    with database.transaction() as connection:
        assert not turns.end_turn(connection, "sweep", "b", {"cursor": 1}, at=LATER)
    assert take(database, "d", LATER + timedelta(minutes=10)) == {"cursor": 7}
