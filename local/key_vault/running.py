"""Runs the stand-in in a thread of its own, for tests and programs with their own event loop."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from local.key_vault.server import VaultOptions, VaultStandIn, serve


@contextlib.contextmanager
def run_in_thread(options: VaultOptions) -> Iterator[VaultStandIn]:
    """Serve until the block is left; its state may be changed between requests."""
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    found: list[VaultStandIn] = []
    failed: list[BaseException] = []

    async def run() -> None:
        async with serve(options) as stand_in:
            found.append(stand_in)
            started.set()
            await stopping.wait()

    def work() -> None:
        try:
            loop.run_until_complete(run())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            failed.append(error)
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=work, name="key-vault", daemon=True)
    thread.start()
    started.wait()
    if failed:
        raise failed[0]
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
