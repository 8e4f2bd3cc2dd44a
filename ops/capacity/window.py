"""A quota over a sliding window: what Azure DevOps and the providers of models give an identity."""

from collections import deque


class Window:
    """So many units in any period of `length_s` seconds, first come, first served.

    Pure: it answers when there is room, the caller waits.
    """

    def __init__(self, limit: float, length_s: float) -> None:
        self.limit = limit
        self.length_s = length_s
        self._granted: deque[tuple[float, float]] = deque()
        """Instant and units, oldest first; instants may lie ahead."""
        self._sum = 0.0
        self.used = 0.0
        """Units that were granted since the beginning."""

    def find_start(self, units: float, now: float) -> float:
        """Answer the instant from which so many units fit, behind all that has been granted.

        What is more than the whole window holds counts as the whole window.
        """
        units = min(units, self.limit)
        begin = max(now, self._granted[-1][0]) if self._granted else now
        left = self._sum
        for granted_at, amount in self._granted:
            leaves_at = granted_at + self.length_s
            if leaves_at > begin and left + units <= self.limit * (1 + 1e-9):
                break
            begin = max(begin, leaves_at)
            left -= amount
        return begin

    def grant(self, units: float, at: float) -> None:
        """Note units that are used at an instant, which no earlier grant may lie behind."""
        units = min(units, self.limit)
        while self._granted and self._granted[0][0] + self.length_s <= at:
            self._sum -= self._granted.popleft()[1]
        self._granted.append((at, units))
        self._sum += units
        self.used += units
