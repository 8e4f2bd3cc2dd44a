"""Writes numbers and sums of money for people; the signs of a language are data, as its words."""

from dataclasses import dataclass
from typing import Final

_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class NumberSigns:
    """How a language writes numbers."""

    thousands: str = ","
    decimal: str = "."
    money: str = "${amount}"
    """Where the amount stands beside the sign of the US dollar."""


def write_count(number: int, signs: NumberSigns = NumberSigns()) -> str:
    """Write a whole number with its thousands apart, such as `12,345`."""
    return _localise(f"{number:,}", signs)


def write_usd(micro_usd: int, signs: NumberSigns = NumberSigns()) -> str:
    """Write millionths of a US dollar, such as `$0.042` or `$1.30`; never as nothing."""
    if 0 < micro_usd < 1000:
        return "<" + write_usd(1000, signs)
    digits = 0 if micro_usd == 0 else 3 if micro_usd < _MICRO else 2
    return signs.money.format(amount=_localise(f"{micro_usd / _MICRO:,.{digits}f}", signs))


def _localise(text: str, signs: NumberSigns) -> str:
    whole, point, rest = text.partition(".")
    return whole.replace(",", signs.thousands) + point.replace(".", signs.decimal) + rest
