import dataclasses
from datetime import UTC, datetime
from typing import Any

from shared.domain.comment_ref import CommentRef
from shared.domain.job import Job, Variant
from shared.domain.states import JobStatus, VariantStatus
from shared.pages.plain import job_to_plain, variant_to_plain
from shared.pages.render import render_job, render_variant

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ID = "11111111-1111-1111-1111-111111111111"
URL = "https://dev.azure.com/contoso"
JOB = Job(
    id="edit-" + "0" * 32,
    comment=CommentRef("contoso", ID, ID, 7, 5, 1),
    status=JobStatus.SUCCESS,
    intent="make it red",
    requested_variants=2,
    actor_id="u",
    correlation_id="c",
    project_name="Web Shop",
    repository_name="shop",
    pull_request_title="title",
    source_ref="refs/heads/x",
    base_commit="a" * 40,
    created_at=NOW,
    updated_at=NOW,
    finished_at=NOW,
)
STUB = Variant(
    JOB.id,
    1,
    VariantStatus.SUCCESS,
    "agents/x/v1",
    "smallest-change",
    NOW,
    llm_provider="stub",
    llm_model="stub",
    llm_duration_ms=3,
)
MADE = dataclasses.replace(
    STUB,
    llm_provider="anthropic",
    llm_model="claude-<5>",
    tokens_in=12_345,
    tokens_cached=9_000,
    tokens_out=678,
    cost_micro_usd=42_400,
    repair_rounds=2,
)
AGAIN = dataclasses.replace(
    STUB, number=2, llm_provider="anthropic", llm_model="claude-<5>", from_cache=True
)


def show_job(*rows: Variant) -> tuple[dict[str, Any], str]:
    plain = job_to_plain(JOB, rows, URL)
    return plain, " ".join(render_job(plain, nonce="n").split())


def show_variant(row: Variant) -> tuple[dict[str, Any], str]:
    plain = variant_to_plain(JOB, row, [row], URL)
    page = render_variant(job_to_plain(JOB, [row], URL), plain, None, nonce="n")
    return plain, " ".join(page.split())


def test_a_job_shows_what_its_models_took() -> None:
    plain, page = show_job(MADE, AGAIN)
    assert plain["model_use"] == {
        "models": [{"provider": "anthropic", "model": "claude-<5>"}],
        "tokens_in": 12_345,
        "tokens_cached": 9_000,
        "tokens_out": 678,
        "cost_usd": 0.0424,
        "cache_hits": 1,
        "repair_rounds": 2,
    }
    assert "<dt>Model</dt><dd>anthropic <code>claude-&lt;5&gt;</code></dd>" in page
    assert (
        "12,345 tokens in (9,000 from the provider's cache), 678 out · $0.042"
        " · 2 repair rounds · 1 result used again"
    ) in page


def test_a_job_of_the_stub_shows_nothing_of_models() -> None:
    plain, page = show_job(STUB)
    assert plain["model_use"] is None
    assert "Model" not in page
    assert "tokens" not in page


def test_a_price_that_is_unknown_is_left_out() -> None:
    plain, page = show_job(dataclasses.replace(MADE, cost_micro_usd=None))
    assert plain["model_use"]["cost_usd"] is None
    assert "$" not in page


def test_a_variant_shows_its_own_model() -> None:
    plain, page = show_variant(MADE)
    assert (plain["model"], plain["cost_usd"], plain["from_cache"]) == ("claude-<5>", 0.0424, False)
    assert "anthropic <code>claude-&lt;5&gt;</code>, 3 ms" in page
    assert "678 out · $0.042 · 2 repair rounds" in page
    plain, page = show_variant(AGAIN)
    assert plain["from_cache"] is True
    assert "an earlier result, used again" in page
    assert "tokens" not in page
    plain, page = show_variant(STUB)
    assert plain["model"] is None
    assert "<dd>stub, 3 ms</dd>" in page
    assert "tokens" not in page


def test_a_duplicate_says_whose_twin_it_is() -> None:
    twin = dataclasses.replace(
        MADE, number=2, status=VariantStatus.DUPLICATE, patch_digest="d" * 64
    )
    plain, page = show_job(dataclasses.replace(MADE, patch_digest="d" * 64), twin)
    assert plain["variants"][1]["same_as"] == 1
    assert "The same as variant 1." in page
