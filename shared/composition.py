"""Reads the settings and answers the world of this process: the one place where the parts meet.

Nothing is built at import: a cold start pays only for what the first request needs.
"""

import os
import threading
from functools import cache

from shared.domain.clock import read_utc_clock
from shared.jobs.world import World
from shared.settings import Settings, read_settings

_LOCK = threading.RLock()


@cache
def read_cached_settings() -> Settings:
    """Read the settings of this process, once."""
    return read_settings(os.environ)


@cache
def _build_world() -> World:
    return World(read_cached_settings(), read_utc_clock)


def compose() -> World:
    """Answer the world of this process."""
    with _LOCK:
        return _build_world()
