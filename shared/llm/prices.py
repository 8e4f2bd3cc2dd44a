"""What a call to a model costs, by its provider's public price list.

List prices of the providers' own interfaces, standard service, without regional surcharges or
discounts; checked on 2026-11-25 against the pages below, or dated copies of them. A model that is
not listed here has no price until the operators give one: one that is made up would be worse than
none. That holds for Azure OpenAI as well, where prices differ by region and contract.

Sources:
    https://platform.claude.com/docs/en/about-claude/pricing (cache writes: for 5 minutes)
    https://developers.openai.com/api/docs/pricing and /api/docs/models
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.names import STUB_PROVIDER
from shared.llm.provider import Usage

_FREE: Final = frozenset({STUB_PROVIDER, "ollama"})
"""Providers that bill nothing: no model, or the operators' own machine."""
_SNAPSHOT: Final = re.compile(r"-(latest|\d{8}|\d{4}-\d{2}-\d{2})$")
"""What may follow a model's name: every snapshot of it has its price, no other model has."""


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """US dollars for a million tokens, and so millionths of a dollar for one."""

    input: float
    cached: float
    """Input that the provider read from its cache."""
    cache_write: float
    """Input that it put into its cache; as dear as `input` where that is not billed apart."""
    output: float
    long_prompt: int | None = None
    """Tokens of input above which the whole call is dearer."""
    long_input_factor: float = 1.0
    long_output_factor: float = 1.0

    def cost_of(self, usage: Usage) -> int:
        """Answer the cost of one call in millionths of a US dollar."""
        plain = usage.tokens_in - usage.tokens_cached - usage.tokens_cache_written
        read = (
            plain * self.input
            + usage.tokens_cached * self.cached
            + usage.tokens_cache_written * self.cache_write
        )
        written = usage.tokens_out * self.output
        if self.long_prompt is not None and usage.tokens_in > self.long_prompt:
            read, written = read * self.long_input_factor, written * self.long_output_factor
        return round(read + written)


def _claude(input_: float, cached: float, output: float) -> ModelPrice:
    return ModelPrice(input_, cached, 1.25 * input_, output)


def _gpt(input_: float, cached: float, output: float) -> ModelPrice:
    return ModelPrice(input_, cached, input_, output)


def _gpt_long(input_: float, cached: float, output: float, *, write: float = 1.0) -> ModelPrice:
    # over 272,000 tokens of input: twice the input and 1.5 times the output
    return ModelPrice(input_, cached, write * input_, output, 272_000, 2.0, 1.5)


LIST_PRICES: Final[Mapping[str, Mapping[str, ModelPrice]]] = {
    "anthropic": {
        "claude-fable-5-1": _claude(10, 0.25, 50),
        "claude-fable-5": _claude(10, 1, 50),
        "claude-opus-5-5": _claude(4, 0.20, 20),
        "claude-opus-5": _claude(5, 0.50, 25),
        "claude-opus-4-8": _claude(5, 0.50, 25),
        "claude-opus-4-7": _claude(5, 0.50, 25),
        "claude-opus-4-6": _claude(5, 0.50, 25),
        "claude-opus-4-5": _claude(5, 0.50, 25),
        "claude-sonnet-5-5": _claude(2, 0.10, 10),
        "claude-sonnet-5": _claude(2, 0.20, 10),
        "claude-sonnet-4-6": _claude(3, 0.30, 15),
        # over 100,000 tokens of input: five times as much of everything
        "claude-haiku-5-5": ModelPrice(0.10, 0.01, 0.125, 0.50, 100_000, 5.0, 5.0),
        "claude-haiku-4-5": _claude(1, 0.10, 5),
    },
    "openai": {
        "gpt-6-astra": _gpt_long(10, 1, 50, write=1.25),
        "gpt-6.1-sol": _gpt_long(2, 0.10, 10, write=1.25),
        "gpt-6-sol": _gpt_long(2, 0.20, 10, write=1.25),
        "gpt-6.1-terra": _gpt_long(1, 0.05, 5, write=1.25),
        "gpt-6-luna": _gpt_long(0.10, 0.01, 0.50, write=1.25),
        "gpt-5.4": _gpt_long(2.50, 0.25, 15),
        "gpt-5.4-mini": _gpt(0.75, 0.075, 4.50),
        "gpt-5.4-nano": _gpt(0.20, 0.02, 1.25),
        "gpt-5.2": _gpt(1.75, 0.175, 14),
        "gpt-5.1": _gpt(1.25, 0.125, 10),
        "gpt-5": _gpt(1.25, 0.125, 10),
        "gpt-5-mini": _gpt(0.25, 0.025, 2),
        "gpt-5-nano": _gpt(0.05, 0.005, 0.40),
        "gpt-4.1": _gpt(2, 0.50, 8),
        "gpt-4.1-mini": _gpt(0.40, 0.10, 1.60),
        "gpt-4.1-nano": _gpt(0.10, 0.025, 0.40),
    },
}


def price(
    provider: str, model: str, usage: Usage, overrides: Mapping[str, ModelPrice]
) -> int | None:
    """Answer what one call costs in millionths of a US dollar; None when the price is unknown.

    Each call is priced by itself: long prompts are dearer, sums of short ones are not.

    Args:
        provider: as settings and records call it.
        model: as the provider calls it, or for Azure OpenAI the deployment.
        usage: of one call.
        overrides: the operators' prices (`read_overrides`), which come before the list.
    """
    known = _find_override(provider, model, overrides) or _find_listed(provider, model)
    if known is not None:
        return known.cost_of(usage)
    return 0 if provider in _FREE else None


def read_overrides(plain: Mapping[str, Any]) -> dict[str, ModelPrice]:
    """Read the operators' prices: `{"gpt-6-sol": {"input": 2, "output": 10, "cached": 0.2}}`.

    A key is the beginning of a model's name, or of `provider/model`; the longest that fits counts.
    `cached` and `cache_write` are as dear as `input` where they are not given.

    Raises:
        ValueError: naming the key that cannot be read.
    """
    prices = {}
    for name, numbers in plain.items():
        allowed = {"input", "output", "cached", "cache_write"}
        if not name or not isinstance(numbers, Mapping) or not numbers.keys() <= allowed:
            raise ValueError(f"{name}: input, output, cached and cache_write expected")
        if not {"input", "output"} <= numbers.keys():
            raise ValueError(f"{name}: input and output are needed")
        if not all(_is_amount(number) for number in numbers.values()):
            raise ValueError(f"{name}: US dollars for a million tokens expected")
        prices[name] = ModelPrice(
            input=float(numbers["input"]),
            cached=float(numbers.get("cached", numbers["input"])),
            cache_write=float(numbers.get("cache_write", numbers["input"])),
            output=float(numbers["output"]),
        )
    return prices


def _is_amount(number: Any) -> bool:
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return is_number and 0 <= number < 1_000_000


def _find_override(
    provider: str, model: str, overrides: Mapping[str, ModelPrice]
) -> ModelPrice | None:
    names = (model, f"{provider}/{model}")
    fitting = [key for key in overrides if any(name.startswith(key) for name in names)]
    return overrides[max(fitting, key=len)] if fitting else None


def _find_listed(provider: str, model: str) -> ModelPrice | None:
    listed = LIST_PRICES.get(provider, {})
    return listed.get(model) or listed.get(_SNAPSHOT.sub("", model))
