"""What asking models took: tokens, money, rounds. Money is counted in millionths of a US dollar."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.job import Variant
from shared.domain.names import STUB_PROVIDER


class UsagePurpose(StrEnum):
    """What a call to a model was for."""

    DRAFT = "draft"
    REPAIR = "repair"
    """A further round: the model was shown what was wrong with its edit."""
    WARM = "warm"
    """To look up what all variants need, and fill the provider's cache, before they are drafted."""
    CLARIFY = "clarify"


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What the models of one job took, for people."""

    models: tuple[tuple[str, str], ...]
    """Provider and model of those that served, each once, in the order of the variants."""
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_micro_usd: int | None
    """None when one of the prices is unknown."""
    cache_hits: int
    """Variants that took an earlier result for the same question."""
    repair_rounds: int


def find_model_use(rows: Sequence[Variant]) -> ModelUse | None:
    """Sum up what the variants of a job took; None when no model had a part in it."""
    served = [row for row in rows if is_model_made(row)]
    if not served:
        return None
    pairs = [(row.llm_provider or "", row.llm_model or "") for row in served]
    costs = [row.cost_micro_usd for row in served if not row.from_cache]
    known = [cost for cost in costs if cost is not None]
    return ModelUse(
        models=tuple(dict.fromkeys(pairs)),
        tokens_in=sum(row.tokens_in for row in served),
        tokens_cached=sum(row.tokens_cached for row in served),
        tokens_out=sum(row.tokens_out for row in served),
        cost_micro_usd=sum(known) if len(known) == len(costs) else None,
        cache_hits=sum(row.from_cache for row in served),
        repair_rounds=sum(row.repair_rounds for row in served),
    )


def is_model_made(row: Variant) -> bool:
    """Answer whether a model was asked for a variant, or had been for the result it took."""
    return row.llm_model is not None and row.llm_provider != STUB_PROVIDER
