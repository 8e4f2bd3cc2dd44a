"""What this process has measured since it began, for whoever scrapes it. Plain counting, no I/O."""

import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

Labels = tuple[str, ...]


@dataclass(slots=True)
class Distribution:
    """A histogram: how many values were at or below each bound, and what they add up to."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    """One for each bound and one above the last; not cumulative."""
    total: float = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        if not self.counts:
            self.counts = [0] * (len(self.bounds) + 1)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Measured:
    """Sums, latest values and distributions, each by name and labels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, dict[Labels, float]] = {}
        self._distributions: dict[str, dict[Labels, Distribution]] = {}

    def count(self, name: str, labels: Labels, value: float) -> None:
        """Add to a sum."""
        with self._lock:
            sums = self._numbers.setdefault(name, {})
            sums[labels] = sums.get(labels, 0.0) + value

    def put(self, name: str, labels: Labels, value: float) -> None:
        """Replace the latest value."""
        with self._lock:
            self._numbers.setdefault(name, {})[labels] = value

    def distribute(
        self, name: str, labels: Labels, value: float, bounds: tuple[float, ...]
    ) -> None:
        """Add to a distribution."""
        with self._lock:
            known = self._distributions.setdefault(name, {})
            known.setdefault(labels, Distribution(bounds)).add(value)

    def forget(self, name: str) -> None:
        """Drop the latest values: they cannot be told any more."""
        with self._lock:
            self._numbers.pop(name, None)

    def numbers(self, name: str) -> Iterator[tuple[Labels, float]]:
        """Iterate over sums or latest values."""
        with self._lock:
            found = list(self._numbers.get(name, {}).items())
        yield from found

    def distributions(self, name: str) -> Iterator[tuple[Labels, Distribution]]:
        """Iterate over distributions as they are now."""
        with self._lock:
            found = [
                (labels, Distribution(one.bounds, list(one.counts), one.total))
                for labels, one in self._distributions.get(name, {}).items()
            ]
        yield from found


MEASURED = Measured()
"""Of this process."""
