"""Limits that all instances share: exact with eight processes that take at once."""

import multiprocessing
from datetime import UTC, datetime, timedelta

from shared.domain.limits import HOUR, Limit
from shared.domain.security_event import SecurityEventKind
from shared.store import rate_limits, security_events
from shared.store.database import Database
from shared.store.security_events import SecurityEvent

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USER = Limit("user_jobs", "user/contoso/u", 10, timedelta(minutes=5))
REPOSITORY = Limit("repository_variants", "repository/contoso/r", 50, HOUR)


def take(database: Database, key: str, variants: int, at: datetime) -> rate_limits.Overrun | None:
    with database.transaction() as connection:
        wishes = [(USER, 1), (REPOSITORY, variants)]
        return rate_limits.take(connection, wishes, key=key, at=at)


def test_what_does_not_fit_everywhere_is_taken_nowhere(database: Database) -> None:
    assert take(database, "a", 45, NOW) is None
    overrun = take(database, "b", 6, NOW + timedelta(seconds=1))
    assert overrun is not None
    assert (overrun.limit.name, overrun.free_at) == ("repository_variants", NOW + HOUR)
    for number in range(9):  # had the user's limit been taken from, the ninth would not fit
        taken = take(database, f"c{number}", 0, NOW + timedelta(seconds=2))
        assert taken is None


def test_the_same_job_takes_once(database: Database) -> None:
    assert [take(database, "a", 50, NOW) for _ in range(3)] == [None] * 3
    overrun = take(database, "b", 1, NOW)
    assert overrun is not None


def test_more_than_ever_fits_is_said_so(database: Database) -> None:
    overrun = take(database, "a", 51, NOW)
    assert overrun is not None
    assert overrun.free_at is None


def test_one_hears_of_an_overrun_until_there_is_room(database: Database) -> None:
    until = NOW + HOUR

    def claim(key: str, at: datetime) -> bool:
        with database.transaction() as connection:
            return rate_limits.claim_telling(connection, "s", key=key, until=until, at=at)

    told = [claim(key, NOW) for key in ("first", "second", "first")]
    assert told == [True, False, True]
    assert claim("third", until - timedelta(seconds=1)) is False
    with database.transaction() as connection:
        again = rate_limits.claim_telling(
            connection, "s", key="fourth", until=until + HOUR, at=until
        )
    assert again


def grab(url: str, number: int, granted: "multiprocessing.Queue[int]") -> None:
    database = Database(url)
    count = 0
    for attempt in range(5):
        taken = take(database, f"{number}-{attempt}", 3, NOW + timedelta(milliseconds=attempt))
        count += taken is None
    database.dispose()
    granted.put(count)


def test_eight_processes_at_once_get_exactly_the_limit(url: str) -> None:
    database = Database(url)
    database.upgrade()
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([__name__, "psycopg"])
    granted: multiprocessing.Queue[int] = forks.Queue()
    workers = [forks.Process(target=grab, args=(url, n, granted)) for n in range(8)]
    for worker in workers:
        worker.start()
    counts = [granted.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(30)
    assert sum(counts) == USER.most
    with database.read() as connection:
        assert security_events.load_since(connection, NOW) == []
    database.dispose()


def test_security_events_are_kept_in_order(database: Database) -> None:
    events = [
        SecurityEvent(
            at=NOW + timedelta(seconds=second),
            kind=kind,
            organisation="contoso",
            job_id="edit-1",
            actor_id="u",
            facts={"code": "x"},
        )
        for second, kind in enumerate(SecurityEventKind)
    ]
    with database.transaction() as connection:
        for event in reversed(events):
            security_events.record(connection, event)
    with database.read() as connection:
        assert security_events.load_since(connection, NOW) == events
        assert security_events.load_since(connection, events[1].at) == events[1:]
