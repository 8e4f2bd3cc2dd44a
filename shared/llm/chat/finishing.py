"""Reads a stream to the end of its response, so that the connection can serve the next request.

OpenAI's SDK stops at `[DONE]` and closes the response, a few bytes before its end; a connection
with something left is not used again, and each request would need a new one.
Source: `__stream__` of `openai/_streaming.py`; only its asynchronous twin reads on.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

import httpx2
from typing_extensions import override

from shared.llm.chat.deadline import find_socket, shut_down

LAST_WORD: Final = b"\ndata: [DONE]"
"""At the beginning of a line, where no model can write it: JSON has no line breaks in a text."""
PATIENCE_S: Final = 1.0
"""Somebody who does not end after the last word is cut off."""


class FinishedStream(httpx2.SyncByteStream):
    """The bytes of a response; the end is read before the last word is handed on."""

    def __init__(self, response: httpx2.Response) -> None:
        self._bytes = response.stream
        self._socket = find_socket(response)

    @override
    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._bytes, httpx2.SyncByteStream)  # noqa: S101 - a synchronous client
        arriving = iter(self._bytes)
        tail = b"\n"
        for part in arriving:
            is_last = LAST_WORD in tail + part
            tail = (tail + part)[-len(LAST_WORD) :]
            yield part + self._read_on(arriving) if is_last else part

    @override
    def close(self) -> None:
        assert isinstance(self._bytes, httpx2.SyncByteStream)  # noqa: S101 - a synchronous client
        self._bytes.close()

    def _read_on(self, arriving: Iterator[bytes]) -> bytes:
        rest: list[bytes] = []
        timer = threading.Timer(PATIENCE_S, shut_down, (self._socket,))
        timer.start()
        try:
            with contextlib.suppress(httpx2.TransportError):
                rest.extend(arriving)
        finally:
            timer.cancel()
        return b"".join(rest)


def finish_stream(response: httpx2.Response) -> None:
    """Have a stream of events read to its end: a hook of the client."""
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        response.stream = FinishedStream(response)
