"""Callers first: a new orchestration lets the HTTP function that started it answer before it runs.

Without it the first replay, which is pure computation, would delay the answer that the caller
waits for.
"""

import asyncio
import contextlib
from collections.abc import Iterator

_LONGEST_WAIT_S = 0.01  # a function that takes its time holds nobody up


class Courtesy:
    """Counts the HTTP functions that are being answered."""

    def __init__(self) -> None:
        self._visitors = 0
        self._alone = asyncio.Event()
        self._alone.set()

    @contextlib.contextmanager
    def visit(self) -> Iterator[None]:
        """Be a caller inside the block."""
        self._visitors += 1
        self._alone.clear()
        try:
            yield
        finally:
            self._visitors -= 1
            if not self._visitors:
                self._alone.set()

    async def let_pass(self) -> None:
        """Wait until the callers have their answers, or for a moment."""
        if self._visitors:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._alone.wait(), _LONGEST_WAIT_S)
            await asyncio.sleep(0)  # the answer is written after the function returned
