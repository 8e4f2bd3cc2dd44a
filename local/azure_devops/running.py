"""Runs the stand-in in a thread of its own, for tests and programs with their own event loop."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from local.azure_devops.organisation import Organisation
from local.azure_devops.server import ServerOptions, serve
from local.threads import serve_in_thread


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
    with serve_in_thread(lambda: serve(options), name="azure-devops") as organisation:
        yield RunningAzureDevOps(organisation)
