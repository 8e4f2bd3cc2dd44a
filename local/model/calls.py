"""The log of every call and what it cost: the numbers that a bill would show. Never a key."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class LoggedCall:
    """One call of a model."""

    wire: str
    path: str
    model: str = ""
    status: int = 0
    error: str = ""
    """The service's name for the refusal."""
    key_accepted: bool = False
    streamed: bool = False
    tools: Sequence[str] = ()
    must_call: str | None = None
    temperature: float | None = None
    tokens_in: int = 0
    """All of the prompt."""
    tokens_cached: int = 0
    """Of those, read from the cache."""
    tokens_cache_written: int = 0
    """Of those, written into it."""
    tokens_out: int = 0
    finished: bool = False
    """Whether the last byte was sent."""
    hung_up: bool = False
    """Whether the caller closed the connection before."""
    connection: int = 0
    """The caller's port: equal for calls over one connection."""
    headers: Sequence[str] = ()
    """Names of the request's headers."""


@dataclass(slots=True)
class CallLog:
    """Calls since the log was cleared."""

    calls: list[LoggedCall] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, call: LoggedCall) -> None:
        """Log a call; its numbers follow as they become known."""
        with self._lock:
            self.calls.append(call)

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self.calls.clear()

    def to_plain(self) -> dict[str, Any]:
        """Write it as JSON, with the sums."""
        with self._lock:
            calls = list(self.calls)
        names = ("tokens_in", "tokens_cached", "tokens_cache_written", "tokens_out")
        sums = {name: sum(getattr(call, name) for call in calls) for name in names}
        return {"count": len(calls), **sums, "calls": [asdict(call) for call in calls]}
