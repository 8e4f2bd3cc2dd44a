"""How many commands are taken in a while: the operators' limits, and the window that slides.

A window is the list of what was taken in it. All that is decided here is decided from that list, so
that whoever keeps it under a lock decides rightly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """The most that is taken; 0 is unlimited."""

    user_jobs: int = 10
    """Jobs of one person in `user_window_s`."""
    user_window_s: int = 300
    user_answers: int = 20
    """Answers to commands of one person that start no job, in `user_window_s`: what ends a loop of
    two bots."""
    repository_variants: int = 50
    """Variants in one repository in an hour."""
    organisation_variants: int = 0
    """Variants in an organisation in an hour."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What one command has taken."""

    key: str
    """Of whoever took it: the same one takes once."""
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of one user, repository or organisation."""

    name: str
    """`user_jobs`, `repository_variants` or `organisation_variants`."""
    scope: str
    """Of whom it is; the same scope is counted together."""
    most: int
    window: timedelta


def keep_recent(takings: Sequence[Taking], limit: Limit, *, now: datetime) -> list[Taking]:
    """Answer the takings that still count, oldest first."""
    return sorted(
        (taking for taking in takings if taking.at > now - limit.window),
        key=lambda taking: taking.at,
    )


def find_free_instant(
    takings: Sequence[Taking], limit: Limit, amount: int, *, now: datetime
) -> datetime | None:
    """Find when so much may be taken: now or later; None when it is more than ever may.

    Args:
        takings: that still count, oldest first (`keep_recent`).
        limit: whose they are.
        amount: that is asked for.
        now: the instant of the request.
    """
    if amount > limit.most:
        return None
    used = sum(taking.amount for taking in takings)
    if used + amount <= limit.most:
        return now
    for taking in takings:
        used -= taking.amount
        if used + amount <= limit.most:
            return taking.at + limit.window
    return None
