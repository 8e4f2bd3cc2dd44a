import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.llm.prices import LIST_PRICES, price, read_overrides
from shared.llm.provider import Usage

MILLION = Usage(tokens_in=1_000_000, tokens_out=1_000_000)
CALL = Usage(tokens_in=10_000, tokens_cached=6_000, tokens_cache_written=3_000, tokens_out=500)


@pytest.mark.parametrize(
    ("provider", "model", "micro_usd"),
    [
        # 1,000 plain, 6,000 read from the cache, 3,000 written to it, 500 out
        pytest.param("anthropic", "claude-opus-5-5", 4_000 + 1_200 + 15_000 + 10_000, id="claude"),
        pytest.param("openai", "gpt-6.1-sol", 2_000 + 600 + 7_500 + 5_000, id="gpt"),
        pytest.param("openai", "gpt-5", 1_250 + 750 + 3_750 + 5_000, id="writes-not-apart"),
        pytest.param("ollama", "llama4", 0, id="own-machine"),
        pytest.param("stub", "stub", 0, id="no-model"),
    ],
)
def test_a_call_costs_what_each_kind_of_token_costs(
    provider: str, model: str, micro_usd: int
) -> None:
    assert price(provider, model, CALL, {}) == micro_usd


@pytest.mark.parametrize(
    ("provider", "model", "same_as"),
    [
        ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("anthropic", "claude-opus-5-latest", "claude-opus-5"),
        ("openai", "gpt-6.1-sol-2026-09-29", "gpt-6.1-sol"),
        ("openai", "gpt-5.4-mini-2026-03-17", "gpt-5.4-mini"),
    ],
)
def test_a_snapshot_costs_what_its_model_costs(provider: str, model: str, same_as: str) -> None:
    assert price(provider, model, CALL, {}) == LIST_PRICES[provider][same_as].cost_of(CALL)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-opus-5-9"),
        ("anthropic", "gpt-5"),
        ("openai", "gpt-5-pro"),
        ("openai", "gpt-5.4-pro-2026-03-05"),
        ("azure-openai", "gpt-5"),
        ("openai", ""),
    ],
)
def test_what_is_not_listed_has_no_price(provider: str, model: str) -> None:
    assert price(provider, model, CALL, {}) is None


@pytest.mark.parametrize(
    ("provider", "model", "limit", "short", "long"),
    [
        ("openai", "gpt-6-sol", 272_000, 2.0, 4.0),
        ("anthropic", "claude-haiku-5-5", 100_000, 0.1, 0.5),
    ],
)
def test_a_long_prompt_is_dearer_from_the_first_token(
    provider: str, model: str, limit: int, short: float, long: float
) -> None:
    assert price(provider, model, Usage(tokens_in=limit), {}) == round(limit * short)
    assert price(provider, model, Usage(tokens_in=limit + 1), {}) == round((limit + 1) * long)


def test_the_answer_to_a_long_prompt_is_dearer_too() -> None:
    usage = Usage(tokens_in=300_000, tokens_cached=300_000, tokens_out=1_000)
    assert price("openai", "gpt-6-sol", usage, {}) == 300_000 * 0.4 + 1_000 * 15


def test_the_operators_price_comes_before_the_list() -> None:
    overrides = read_overrides(
        {
            "gpt-5": {"input": 1, "output": 2},
            "azure-openai/": {"input": 3, "output": 4},
            "azure-openai/cheap": {"input": 0.5, "cached": 0.1, "cache_write": 0.6, "output": 1},
            "ollama/": {"input": 0.01, "output": 0.01},
        }
    )
    assert price("openai", "gpt-5-2025-08-07", MILLION, overrides) == 3_000_000
    assert price("azure-openai", "our-deployment", MILLION, overrides) == 7_000_000
    assert price("azure-openai", "cheap-1", CALL, overrides) == 500 + 600 + 1_800 + 500
    assert price("ollama", "llama4", MILLION, overrides) == 20_000
    assert price("anthropic", "claude-opus-5", CALL, overrides) == price(
        "anthropic", "claude-opus-5", CALL, {}
    )


def test_input_that_a_cache_served_is_as_dear_as_any_where_nothing_else_is_said() -> None:
    overrides = read_overrides({"m": {"input": 2, "output": 10}})
    assert price("openai", "m", CALL, overrides) == 10_000 * 2 + 500 * 10


@pytest.mark.parametrize(
    "numbers",
    [
        {"input": 1},
        {"input": 1, "output": -1},
        {"input": True, "output": 1},
        {"input": "1", "output": 1},
        {"input": float("nan"), "output": 1},
        {"input": 1, "output": 1, "typo": 1},
        5,
    ],
)
def test_a_price_that_cannot_be_read_is_named(numbers: object) -> None:
    with pytest.raises(ValueError, match="the-model"):
        read_overrides({"the-model": numbers})


@given(st.sampled_from([(p, m) for p in LIST_PRICES for m in LIST_PRICES[p]]), st.data())
def test_what_a_cache_serves_is_never_dearer(model: tuple[str, str], data: st.DataObject) -> None:
    tokens_in = data.draw(st.integers(0, 1_000_000))
    cached = data.draw(st.integers(0, tokens_in))
    with_cache = price(*model, Usage(tokens_in, cached, 0, 100), {})
    without = price(*model, Usage(tokens_in, 0, 0, 100), {})
    assert with_cache is not None
    assert without is not None
    assert 0 < with_cache <= without
