"""Sends what waits at the end of a step, without letting anybody wait for it longer than a moment.

The host may stop a process soon after its last step. A flush that takes too long goes on by
itself, and for a while the next steps do not wait at all: Application Insights is away then, and
records wait on disk.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

LIMIT_S: Final = 1.0
"""The longest that a step waits; a delivery within a region takes about 50 ms."""
REST_S: Final = 60.0
"""How long nobody waits after a flush that took too long."""


class Flusher:
    """Flushes in a thread of its own, which ends with the process."""

    def __init__(
        self, send: Callable[[], object], *, limit_s: float = LIMIT_S, rest_s: float = REST_S
    ) -> None:
        self._send = send
        self._limit_s = limit_s
        self._rest_s = rest_s
        self._wanted: queue.SimpleQueue[threading.Event] = queue.SimpleQueue()
        self._resting_until = 0.0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def flush(self) -> bool:
        """Send what waits; False when it was not waited for to the end."""
        if time.monotonic() < self._resting_until:
            return False
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="code-agent-flush", daemon=True
                )
                self._thread.start()
        done = threading.Event()
        self._wanted.put(done)
        if done.wait(self._limit_s):
            return True
        self._resting_until = time.monotonic() + self._rest_s
        return False

    def _work(self) -> None:
        while True:
            waiting = [self._wanted.get()]
            while not self._wanted.empty():  # whoever came meanwhile is served by the same flush
                waiting.append(self._wanted.get())
            with contextlib.suppress(Exception):  # telemetry never fails, nor ends this thread
                self._send()
            for done in waiting:
                done.set()
