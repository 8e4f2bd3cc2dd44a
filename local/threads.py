"""Runs a stand-in in a thread of its own, for tests and programs with their own event loop."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeVar

STOPPING_TIME_S: Final = 10.0

StandIn = TypeVar("StandIn")


@contextlib.contextmanager
def serve_in_thread(
    serve: Callable[[], AbstractAsyncContextManager[StandIn]], *, name: str
) -> Iterator[StandIn]:
    """Serve until the block is left; answers what the server is entered as.

    Args:
        serve: opens the server in the thread's event loop.
        name: of the thread.

    Raises:
        BaseException: what opening the server raised.
    """
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    found: list[StandIn] = []
    failed: list[BaseException] = []

    async def run() -> None:
        async with serve() as stand_in:
            found.append(stand_in)
            started.set()
            await stopping.wait()
        await asyncio.sleep(0)  # what was broken off is closed in the loop's next turn

    def work() -> None:
        try:
            loop.run_until_complete(run())
            loop.run_until_complete(loop.shutdown_default_executor())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            failed.append(error)
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    started.wait()
    if failed:
        raise failed[0]
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(STOPPING_TIME_S)
