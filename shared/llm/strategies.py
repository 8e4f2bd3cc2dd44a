"""What makes the variants of one request differ: each has a strategy of its own.

Ids sit in the database and in the result cache: add, never rename. Titles are for people.
"""

from dataclasses import dataclass
from typing import Final

from shared.domain.commands import MAX_VARIANTS


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to go about a request."""

    id: str
    title: str
    """One sentence for the pull request and the table of variants."""
    title_de: str

    def title_in(self, language: str) -> str:
        """Answer the title in a language of the setting CODE_AGENT_LANGUAGE."""
        return self.title_de if language == "de" else self.title


STRATEGIES: Final = (
    Strategy(
        "smallest",
        "The smallest change that does what was asked.",
        "Die kleinste Änderung, die das Gewünschte tut.",
    ),
    Strategy(
        "idiomatic",
        "In the idiom of this code base, one definition used everywhere.",
        "Im Stil dieses Projekts, eine Definition für alle Stellen.",
    ),
    Strategy(
        "additive",
        "Adds beside the existing code instead of changing it.",
        "Ergänzt den vorhandenen Code, statt ihn zu ändern.",
    ),
    Strategy(
        "thorough",
        "Covers the neighbouring cases too.",
        "Berücksichtigt auch die benachbarten Fälle.",
    ),
    Strategy(
        "modular",
        "Keeps the change in a place of its own.",
        "Hält die Änderung an einem eigenen Ort.",
    ),
    Strategy(
        "accessible",
        "Puts readability and accessibility first.",
        "Stellt Lesbarkeit und Barrierefreiheit voran.",
    ),
    Strategy(
        "consistent",
        "Keeps related places consistent with the change.",
        "Hält verwandte Stellen mit der Änderung im Einklang.",
    ),
    Strategy(
        "robust",
        "Guards the change against being undone by other code.",
        "Sichert die Änderung gegen anderen Code ab.",
    ),
    Strategy(
        "documented",
        "Explains the change where it is made.",
        "Erklärt die Änderung an Ort und Stelle.",
    ),
    Strategy(
        "configurable",
        "Makes the new behaviour easy to adjust later.",
        "Macht das neue Verhalten später leicht anpassbar.",
    ),
)
"""Strategies of the variants 1 to 10, in order."""

_BY_ID: Final = {strategy.id: strategy for strategy in STRATEGIES}


def name_strategy(variant: int) -> str:
    """Answer the id of a variant's strategy (1-based).

    Raises:
        ValueError: no such variant.
    """
    if not 1 <= variant <= MAX_VARIANTS:
        raise ValueError(f"variants are numbered 1 to {MAX_VARIANTS}, not {variant}")
    return STRATEGIES[variant - 1].id


def find_strategy(strategy_id: str) -> Strategy | None:
    """Look a strategy up by its id."""
    return _BY_ID.get(strategy_id)
