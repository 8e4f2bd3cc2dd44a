"""Runs the stand-in in a thread of its own, for tests and programs with their own event loop."""

from contextlib import AbstractContextManager

from local.key_vault.server import VaultOptions, VaultStandIn, serve
from local.threads import serve_in_thread


def run_in_thread(options: VaultOptions) -> AbstractContextManager[VaultStandIn]:
    """Serve until the block is left; its state may be changed between requests."""
    return serve_in_thread(lambda: serve(options), name="key-vault")
