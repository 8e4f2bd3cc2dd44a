"""What a comment can ask for, as values."""

from dataclasses import dataclass
from typing import Final

MAX_VARIANTS: Final = 10
"""The grammar's own limit (DESIGN section 2); operators may set a lower one."""
INTENT_LENGTH_MIN: Final = 5
INTENT_LENGTH_MAX: Final = 2000
"""Characters of the intent (DESIGN section 2)."""


@dataclass(frozen=True, slots=True)
class EditCommand:
    """`/edit [/N] intent`."""

    intent: str
    variants: int | None = None
    """1 to 10, or None where the comment names no number."""


@dataclass(frozen=True, slots=True)
class HelpCommand:
    """`/help`."""


@dataclass(frozen=True, slots=True)
class StatusCommand:
    """`/status`."""


@dataclass(frozen=True, slots=True)
class CancelCommand:
    """`/cancel`."""


@dataclass(frozen=True, slots=True)
class RetryCommand:
    """`/retry [k]`."""

    variant: int | None = None
    """The variant to produce again, or None for all that did not succeed."""


COMMAND_TYPES: Final = {
    "edit": EditCommand,
    "help": HelpCommand,
    "status": StatusCommand,
    "cancel": CancelCommand,
    "retry": RetryCommand,
}
"""Command words, as they are written after the slash."""

Command = EditCommand | HelpCommand | StatusCommand | CancelCommand | RetryCommand
