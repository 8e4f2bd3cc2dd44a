"""Runs a stand-in until it is told to stop, for the command lines."""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

StandIn = TypeVar("StandIn")


async def serve_until_signal(
    server: AbstractAsyncContextManager[StandIn],
    describe: Callable[[StandIn], str],
    *,
    ready_file: Path | None,
    write_ready: Callable[[StandIn], str],
) -> None:
    """Serve until SIGINT or SIGTERM; say on standard output what is served.

    `ready_file` gets what `write_ready` answers, whole or not at all, when requests are answered.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with server as stand_in:
        sys.stdout.write(describe(stand_in))
        sys.stdout.flush()
        if ready_file is not None:
            partial = ready_file.with_suffix(".part")
            partial.write_text(write_ready(stand_in), encoding="ascii")
            partial.replace(ready_file)
        await stopping.wait()
