import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from shared.domain.model_use import UsagePurpose
from shared.store import result_cache, usage
from shared.store.database import Database
from shared.store.usage import Spent, UsageEntry

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENTRY = UsageEntry(
    job_id="edit-1",
    number=1,
    organisation="Contoso",
    actor_id="u",
    purpose=UsagePurpose.DRAFT,
    provider="anthropic",
    model="claude-sonnet-5",
    tokens_in=1000,
    tokens_cached=800,
    tokens_cache_written=100,
    tokens_out=50,
    cost_micro_usd=1_234,
    duration_ms=900,
    round=1,
    at=NOW,
)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.transaction() as connection:
        yield connection


def spend(connection: Connection, **changes: Any) -> None:
    usage.record(connection, dataclasses.replace(ENTRY, **changes))


def test_nothing_spent_is_nothing(connection: Connection) -> None:
    assert usage.spent_by_job(connection, "edit-1") == Spent()
    assert usage.spent_by_variant(connection, "edit-1", 1) == Spent()


def test_a_job_has_spent_what_its_calls_took(connection: Connection) -> None:
    spend(connection)
    spend(connection, number=2, round=2, purpose=UsagePurpose.REPAIR)
    spend(connection, job_id="edit-2")
    assert usage.spent_by_job(connection, "edit-1") == Spent(2000, 1600, 100, 2468, calls=2)


def test_a_call_without_a_price_is_told_apart_from_one_that_costs_nothing(
    connection: Connection,
) -> None:
    spend(connection)
    spend(connection, provider="ollama", cost_micro_usd=0)
    spend(connection, model="new-model", cost_micro_usd=None)
    spent = usage.spent_by_job(connection, "edit-1")
    assert (spent.cost_micro_usd, spent.calls, spent.unpriced_calls) == (1234, 3, 1)


def test_a_person_and_an_organisation_spend_from_an_instant_on(connection: Connection) -> None:
    spend(connection)
    spend(connection, at=NOW - timedelta(microseconds=1))
    spend(connection, actor_id="v", job_id="edit-2")
    spend(connection, organisation="fabrikam", job_id="edit-3")
    for name in ("contoso", "CONTOSO"):
        assert usage.spent_by_actor_since(connection, name, "u", NOW).calls == 1
        assert usage.spent_by_organisation_since(connection, name, NOW).calls == 2
    early = NOW - timedelta(days=1)
    assert usage.spent_by_actor_since(connection, "contoso", "u", early).calls == 2


def test_each_variant_is_summed_up_by_itself(connection: Connection) -> None:
    spend(connection, number=1, purpose=UsagePurpose.WARM)
    spend(connection, job_id="edit-2", number=2)
    spend(connection, number=2)
    spend(connection, number=2, purpose=UsagePurpose.REPAIR, round=2, cost_micro_usd=None)
    assert [usage.spent_by_variant(connection, "edit-1", number) for number in (1, 2, 3)] == [
        Spent(1000, 800, 50, 1234, calls=1),
        Spent(2000, 1600, 100, 1234, calls=2, unpriced_calls=1),
        Spent(),
    ]


def test_more_money_than_32_bits_hold_is_kept(connection: Connection) -> None:
    spend(connection, cost_micro_usd=3_000_000_000)
    assert usage.spent_by_job(connection, "edit-1").cost_micro_usd == 3_000_000_000


def test_the_database_itself_refuses_an_unknown_purpose(connection: Connection) -> None:
    with pytest.raises(IntegrityError), connection.begin_nested():
        spend(connection, purpose="fun")


def test_a_result_is_found_until_it_expires(connection: Connection) -> None:
    later = NOW + timedelta(hours=1)
    assert result_cache.find(connection, "k", NOW) is None
    result_cache.keep(connection, "k", "sha256:a", NOW, later)
    assert result_cache.find(connection, "k", NOW) == "sha256:a"
    assert result_cache.find(connection, "other", NOW) is None
    assert result_cache.find(connection, "k", later) is None


def test_a_result_kept_again_is_the_last_one_for_its_whole_time(connection: Connection) -> None:
    later = NOW + timedelta(hours=1)
    result_cache.keep(connection, "k", "sha256:a", NOW, later)
    result_cache.keep(connection, "k", "sha256:b", later, later + timedelta(hours=1))
    assert result_cache.find(connection, "k", later) == "sha256:b"


def test_results_whose_time_is_over_are_purged(connection: Connection) -> None:
    for number in range(3):
        result_cache.keep(connection, str(number), "a", NOW, NOW + timedelta(hours=number))
    soon = NOW + timedelta(hours=1)
    assert result_cache.delete_expired(connection, soon, 1) == 1
    assert result_cache.delete_expired(connection, soon, 9) == 1
    assert result_cache.delete_expired(connection, soon, 9) == 0
    assert result_cache.find(connection, "2", NOW) == "a"
