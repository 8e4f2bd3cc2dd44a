"""Who may run now: a bounded number of jobs, the rest in the order they came.

Pure: the durable entity `job_slots` keeps this state and asks it. A holder that is lost gives its
slot back when its lease ends; every operation is safe to repeat.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from shared.domain.clock import format_instant, parse_instant

CLAIM_S = 180
"""Seconds a job that was granted a slot while it waited has to come and take it."""


@dataclass(frozen=True, slots=True)
class SlotAnswer:
    """What a job learns when it asks for a slot."""

    granted: bool
    position: int
    """Place in the queue, 1 for the next; 0 when granted."""


@dataclass(slots=True)
class JobSlots:
    """The slots of one organisation: running jobs with their leases, waiting jobs in order."""

    running: dict[str, str] = field(default_factory=dict)
    """Instance id to the end of its lease (ISO 8601, UTC)."""
    waiting: list[str] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    """Waiting job to the capacity that it was admitted under: who leaves may know a larger one."""

    def acquire(
        self, instance_id: str, *, capacity: int, lease_s: float, now: datetime
    ) -> SlotAnswer:
        """Give a slot, or a place in the queue, or the same answer as before with a new lease."""
        self._expire(now)
        if instance_id not in self.running and instance_id not in self.waiting:
            self.waiting.append(instance_id)
        if instance_id in self.waiting:
            self.limits[instance_id] = capacity
        self._fill(capacity, now)
        if instance_id in self.running:
            self.running[instance_id] = format_instant(now + timedelta(seconds=lease_s))
            return SlotAnswer(granted=True, position=0)
        return SlotAnswer(granted=False, position=self.waiting.index(instance_id) + 1)

    def release(self, instance_id: str, *, capacity: int, now: datetime) -> list[str]:
        """Take the slot or the place back; answer the jobs that were granted one by that."""
        self.running.pop(instance_id, None)
        if instance_id in self.waiting:
            self.waiting.remove(instance_id)
            self.limits.pop(instance_id, None)
        self._expire(now)
        return self._fill(capacity, now)

    def _expire(self, now: datetime) -> None:
        lost = [key for key, until in self.running.items() if parse_instant(until) <= now]
        for key in lost:
            del self.running[key]

    def _fill(self, capacity: int, now: datetime) -> list[str]:
        granted: list[str] = []
        # a job that came to wait before there were limits goes by whoever asks
        while self.waiting and len(self.running) < max(
            1, self.limits.get(self.waiting[0], capacity)
        ):
            instance_id = self.waiting.pop(0)
            self.limits.pop(instance_id, None)
            self.running[instance_id] = format_instant(now + timedelta(seconds=CLAIM_S))
            granted.append(instance_id)
        return granted

    def to_plain(self) -> dict[str, Any]:
        """Write the state as plain JSON."""
        return {"running": self.running, "waiting": self.waiting, "limits": self.limits}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> Self:
        """Read what `to_plain` wrote; None is an empty state."""
        plain = plain or {}
        return cls(
            dict(plain.get("running", {})),
            list(plain.get("waiting", [])),
            dict(plain.get("limits", {})),
        )
