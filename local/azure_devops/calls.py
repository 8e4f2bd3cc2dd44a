"""The log of the agent's REST calls: how many, which, and how many of them write."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class CallLog:
    """Calls of the bot since the log was cleared."""

    operations: list[str] = field(default_factory=list)
    writes: int = 0

    def note(self, operation: str, *, is_write: bool) -> None:
        """Count a call."""
        self.operations.append(operation)
        self.writes += is_write

    def clear(self) -> None:
        """Begin anew."""
        self.operations.clear()
        self.writes = 0

    def to_plain(self) -> dict[str, object]:
        """Write it as JSON."""
        return {
            "count": len(self.operations),
            "writes": self.writes,
            "by_operation": dict(Counter(self.operations)),
            "operations": list(self.operations),
        }
