from dataclasses import replace
from datetime import UTC, datetime

from shared.domain.job import Variant
from shared.domain.model_use import ModelUse, find_model_use
from shared.domain.states import VariantStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BARE = Variant("edit-1", 1, VariantStatus.SUCCESS, "agents/x/v1", "s", NOW)
MADE = replace(
    BARE,
    llm_provider="anthropic",
    llm_model="claude-sonnet-5",
    tokens_in=1000,
    tokens_cached=600,
    tokens_out=100,
    cost_micro_usd=1500,
    repair_rounds=1,
)


def test_a_job_without_a_model_has_used_none() -> None:
    stub = replace(BARE, llm_provider="stub", llm_model="stub")
    assert find_model_use([]) is None
    assert find_model_use([BARE, stub]) is None


def test_what_the_variants_took_adds_up() -> None:
    other = replace(MADE, number=2, llm_provider="openai", llm_model="gpt-6-sol", repair_rounds=0)
    assert find_model_use([MADE, BARE, other, MADE]) == ModelUse(
        models=(("anthropic", "claude-sonnet-5"), ("openai", "gpt-6-sol")),
        tokens_in=3000,
        tokens_cached=1800,
        tokens_out=300,
        cost_micro_usd=4500,
        cache_hits=0,
        repair_rounds=2,
    )


def test_a_variant_that_failed_has_still_taken_what_it_took() -> None:
    use = find_model_use([replace(MADE, status=VariantStatus.FAILED)])
    assert use is not None
    assert use.cost_micro_usd == 1500


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    use = find_model_use([MADE, replace(MADE, cost_micro_usd=None)])
    assert use is not None
    assert use.cost_micro_usd is None


def test_an_earlier_result_costs_nothing() -> None:
    again = replace(BARE, llm_provider="openai", llm_model="gpt-6-sol", from_cache=True)
    use = find_model_use([again])
    assert use is not None
    assert (use.cost_micro_usd, use.cache_hits) == (0, 1)
