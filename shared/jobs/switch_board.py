"""Reads the switches from the records, as often as the settings say, and tells of changes."""

import threading
import time
from typing import TYPE_CHECKING

from shared.domain.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.store.database import Database


class SwitchBoard:
    """The switches, as this process knows them."""

    def __init__(self, open_database: "Callable[[], Database]", ttl_s: float) -> None:
        self._open_database = open_database
        self._ttl_s = ttl_s
        self._lock = threading.Lock()
        self._known = Switches()
        self._read_at = float("-inf")

    def read(self) -> Switches:
        """Answer how the switches stand, or stood a moment ago.

        Raises:
            StoreError: it is time to look, and the records do not answer. Nobody goes on with what
                may not be so any more.
        """
        with self._lock:
            if time.monotonic() - self._read_at >= self._ttl_s:
                self._known, before = self._load(), self._known
                self._read_at = time.monotonic()
                _tell(before, self._known)
            return self._known

    def _load(self) -> Switches:
        from shared.store import switches

        with self._open_database().read() as connection:
            return Switches.of_set(switches.load(connection))


def _tell(before: Switches, after: Switches) -> None:
    """Tell of each switch that stands elsewhere than it did; a process begins with none set."""
    if before == after:
        return
    from shared.telemetry.emit import emit
    from shared.telemetry.events import SwitchChanged

    old = before.to_plain()
    for name, value in after.to_plain().items():
        if old[name] != value:
            emit(SwitchChanged(switch=str(name), value=value))
