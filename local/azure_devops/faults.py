"""Misbehaviour on demand: throttling, outages and lost answers, for the agent's REST calls only.

The same seed and the same order of calls give the same faults. A `Hold` freezes one
write, so that a test can kill the caller right before or right after its effect.
"""

import asyncio
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """What can go wrong."""

    THROTTLE_429 = "throttle_429"
    """Refused with Retry-After; no effect."""
    UNAVAILABLE_503 = "unavailable_503"
    """Refused with Retry-After; no effect."""
    DELAYED_200 = "delayed_200"
    """Done, and asked to slow down."""
    DELAY = "delay"
    """Done, late."""
    RESET_BEFORE = "reset_before"
    """The connection breaks; no effect."""
    RESET_AFTER = "reset_after"
    """The connection breaks when the effect has happened."""
    HTML_OUTAGE = "html_outage"
    """A page with status 200; no effect."""
    SIGN_IN_203 = "sign_in_203"
    """The sign-in page of a bad credential; no effect."""


DEFAULT_KINDS = (
    FaultKind.THROTTLE_429,
    FaultKind.UNAVAILABLE_503,
    FaultKind.DELAY,
    FaultKind.RESET_BEFORE,
    FaultKind.RESET_AFTER,
)


@dataclass(slots=True)
class Faults:
    """Which calls go wrong, and how."""

    rate: float = 0.0
    """Part of the calls, 0 to 1."""
    seed: int = 0
    kinds: Sequence[FaultKind] = DEFAULT_KINDS
    retry_after_s: float = 0.05
    """What Retry-After says; the real service sends whole seconds."""
    delay_s: float = 0.05
    count: int = 0
    """Calls that were looked at."""
    made: list[str] = field(default_factory=list)
    """`kind operation` of every fault."""

    def choose(self, operation: str) -> FaultKind | None:
        """Choose the fault of the next call, or none."""
        self.count += 1
        dice = random.Random(f"{self.seed}:{self.count}")  # noqa: S311 - reproducible, no secret
        if dice.random() >= self.rate or not self.kinds:
            return None
        kind = dice.choice(list(self.kinds))
        self.made.append(f"{kind} {operation}")
        return kind


@dataclass(slots=True)
class Hold:
    """Freezes the n-th write (1-based) before or after its effect until it is released."""

    write_number: int
    moment: str
    """`before` or `after`."""
    reached: threading.Event = field(default_factory=threading.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int = 0

    def is_due(self) -> bool:
        """Count a write; answer whether it is the one."""
        self.seen += 1
        return self.seen == self.write_number
