"""Runs the stand-in in a thread of its own, for tests and programs with their own event loop."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from local.azure_devops.organisation import Organisation
from local.azure_devops.server import ServerOptions, serve


@dataclass(frozen=True, slots=True)
class RunningAzureDevOps:
    """A server that listens."""

    organisation: Organisation
    """Its state, faults and call log. Read freely; change between requests."""

    @property
    def url(self) -> str:
        """Base URL of the server."""
        return self.organisation.base_url

    @property
    def organisation_url(self) -> str:
        """Base URL of the organisation."""
        return self.organisation.url


@contextlib.contextmanager
def run_in_thread(options: ServerOptions) -> Iterator[RunningAzureDevOps]:
    """Serve until the block is left."""
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    found: list[Organisation] = []
    failed: list[BaseException] = []

    async def run() -> None:
        async with serve(options) as organisation:
            found.append(organisation)
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

    thread = threading.Thread(target=work, name="azure-devops", daemon=True)
    thread.start()
    started.wait()
    if failed:
        raise failed[0]
    try:
        yield RunningAzureDevOps(found[0])
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
