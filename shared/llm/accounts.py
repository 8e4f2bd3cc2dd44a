"""What a call to a model is charged to: asked before each call, told after it."""

from dataclasses import dataclass
from typing import Protocol

from shared.llm.provider import Usage


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call that was answered and is billed."""

    purpose: str
    """draft, repair, warm or clarify."""
    provider: str
    model: str
    usage: Usage
    duration_ms: int
    round: int
    """1 for the first call of a draft, then counted up."""


class Account(Protocol):
    """Where calls are charged."""

    def check(self) -> None:
        """Return when another call may be made.

        Raises:
            PolicyError: a budget is exhausted; the message says which, and until when.
        """

    def charge(self, call: CallRecord) -> None:
        """Keep what a call was billed for."""


class NoAccount:
    """Charges nobody: for the stub and for trying out."""

    def check(self) -> None:
        """Allow everything."""

    def charge(self, call: CallRecord) -> None:
        """Keep nothing."""
