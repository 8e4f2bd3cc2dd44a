"""One clock for everything due later: a heap of Unix times and one timer of the event loop.

It calls back; it knows nothing of what it wakes, and keeps nothing across restarts (the store
does).
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable

_LONGEST_SLEEP_S = 30.0  # a laptop that slept, or a clock that was set, is noticed this soon


class Alarm:
    """Calls functions at Unix times."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._handle: asyncio.TimerHandle | None = None

    def set(self, due_s: float, call: Callable[[], None]) -> None:
        """Call back at a Unix time, or soon if it has passed."""
        heapq.heappush(self._heap, (due_s, next(self._order), call))
        if self._heap[0][0] == due_s:
            self._arm()

    def stop(self) -> None:
        """Forget everything."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._heap:
            delay_s = min(max(self._heap[0][0] - time.time(), 0.0), _LONGEST_SLEEP_S)
            self._handle = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        now_s = time.time()
        while self._heap and self._heap[0][0] <= now_s:
            heapq.heappop(self._heap)[2]()
        self._arm()
