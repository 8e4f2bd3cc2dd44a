"""When a reply is of no use any more: between the events of a stream, and in the middle of none.

A read's own time limit begins anew with every byte, and a service's pings never reach us: so a
timer shuts the socket down when the time is over, which ends any read at once.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.domain.clock import Clock
from shared.llm.provider import ModelCode, ModelError, fail_at_provider

if TYPE_CHECKING:
    import httpx2

_TOLERANCE_S: Final = 0.01


class Deadline:
    """The time that is left for one reply."""

    def __init__(self, moment: datetime, clock: Clock) -> None:
        self._ends = time.monotonic() + (moment - clock()).total_seconds()

    @property
    def left_s(self) -> float:
        """Seconds that are left; none is 0."""
        return max(self._ends - time.monotonic(), 0.0)

    @property
    def is_over(self) -> bool:
        """Tell whether the time is over."""
        return self.left_s <= _TOLERANCE_S

    def check(self) -> None:
        """Go on only while there is time.

        Raises:
            ModelError: `model.out_of_time`.
        """
        if self.is_over:
            raise self.fail()

    def fail(self) -> ModelError:
        """Build the error that says that the time is over."""
        return fail_at_provider(
            ModelCode.OUT_OF_TIME, "The time limit came before the model's reply."
        )

    @contextlib.contextmanager
    def hang_up_in_time(self, response: "httpx2.Response") -> Iterator[None]:
        """Shut the connection of a response down when the time is over before the block is."""
        timer = threading.Timer(self.left_s, shut_down, (find_socket(response),))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def find_socket(response: "httpx2.Response") -> socket.socket | None:
    """Answer the socket that a response arrives on."""
    stream = response.extensions.get("network_stream")
    return stream.get_extra_info("socket") if stream is not None else None


def shut_down(connection: socket.socket | None) -> None:
    """End whatever reads from a socket, in whichever thread."""
    if connection is not None:
        with contextlib.suppress(OSError):  # closed already
            # the plain socket's: a TLS socket's own would unwrap it under the reader's feet
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
