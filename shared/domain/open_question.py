"""The open question of a thread: which job waits for an answer there, and for which event.

Pure: the durable entity `open_question` keeps this state, one for each thread; the webhook reads it
to find out whom a reply is for. One job at a time may ask in a thread. A job that is lost leaves
the thread to others when its lease ends; every operation is safe to repeat.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from shared.domain.clock import format_instant, parse_instant


@dataclass(slots=True)
class OpenQuestion:
    """Who waits for an answer in a thread."""

    job_id: str = ""
    """Instance id of the job that waits; empty when none does."""
    event: str = ""
    """The external event that the job listens to now."""
    until: str = ""
    """End of the lease (ISO 8601, UTC)."""

    def listen(self, job_id: str, event: str, *, lease_s: float, now: datetime) -> bool:
        """Let a job wait for an event; False when another job waits in this thread."""
        if self.job_id not in ("", job_id) and parse_instant(self.until) > now:
            return False
        self.job_id, self.event = job_id, event
        self.until = format_instant(now + timedelta(seconds=lease_s))
        return True

    def leave(self, job_id: str) -> None:
        """Say that a job waits no longer."""
        if self.job_id == job_id:
            self.job_id = self.event = self.until = ""

    def to_plain(self) -> dict[str, Any]:
        """Write the state as plain JSON."""
        return {"job_id": self.job_id, "event": self.event, "until": self.until}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> Self:
        """Read what `to_plain` wrote; None is a thread in which nobody waits."""
        return cls(**(plain or {}))
