"""Runs the stand-in in a thread of its own, for tests and programs with their own event loop."""

from contextlib import AbstractContextManager

from local.model.server import ModelOptions, ModelStandIn, serve
from local.threads import serve_in_thread


def run_in_thread(options: ModelOptions | None = None) -> AbstractContextManager[ModelStandIn]:
    """Serve until the block is left; the brain may be replaced between requests."""
    return serve_in_thread(lambda: serve(options or ModelOptions()), name="model")
