"""What the host tells the developer: one line per event, on one stream, and nowhere else.

It formats and writes; it keeps nothing. `--verbose` adds the history of every episode.
"""

import logging
import sys
import traceback
from collections.abc import Iterable
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from typing_extensions import override

_COLOURS = {"info": "", "good": "\x1b[32m", "bad": "\x1b[31m", "dim": "\x1b[2m"}
_RESET = "\x1b[0m"

_CALLERS = (
    str(Path(__file__).parent),
    futures.__file__.removesuffix("__init__.py"),
    "<frozen importlib",
)
"""Folders of the code between the event loop and a function of the app."""


class Console:
    """A line writer; `quiet` keeps everything but errors to itself."""

    def __init__(
        self, stream: TextIO | None = None, *, verbose: bool = False, quiet: bool = False
    ) -> None:
        self._stream = stream or sys.stderr
        self._has_colours = self._stream.isatty()
        self.is_verbose = verbose
        self._is_quiet = quiet

    def say(self, text: str, tone: str = "info") -> None:
        """Write one line with the time."""
        if not self._is_quiet or tone == "bad":
            now = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
            self._write(f"[{now}] {text}", tone)

    def show(self, lines: Iterable[str]) -> None:
        """Write lines as they are."""
        if not self._is_quiet:
            for line in lines:
                self._write(line, "info")

    def tell_instance(self, name: str, instance_id: str, what: str, tone: str = "info") -> None:
        """Write one event of an orchestration or an entity."""
        self.say(f"{name} {instance_id}  {what}", tone)

    def tell_history(self, instance_id: str, events: Iterable[str]) -> None:
        """With `--verbose`, write what an episode added to a history."""
        if self.is_verbose:
            for event in events:
                self.say(f"  {instance_id}  {event}", "dim")

    def tell_failure(self, what: str, error: BaseException) -> None:
        """Write an exception with its stack."""
        stack = format_stack(error).rstrip()
        self.say(f"{what}\n{stack}", "bad")

    def _write(self, text: str, tone: str) -> None:
        colour = _COLOURS[tone] if self._has_colours else ""
        self._stream.write(f"{colour}{text}{_RESET if colour else ''}\n")
        self._stream.flush()


def format_stack(error: BaseException) -> str:
    """Format an exception of the app without the frames of the host that called it."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_CALLERS):
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame or error.__traceback__))


class ConsoleHandler(logging.Handler):
    """Shows the app's own log records, as `func start` does."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        tone = "bad" if record.levelno >= logging.ERROR else "info"
        self._console.say(self.format(record), tone)
