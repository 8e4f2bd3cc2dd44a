"""Runs the stand-in in a thread of its own, for tests and programs with their own event loop."""

from contextlib import AbstractContextManager

from local.app_insights.server import InsightsOptions, InsightsStandIn, serve
from local.threads import serve_in_thread


def run_in_thread(
    options: InsightsOptions | None = None,
) -> AbstractContextManager[InsightsStandIn]:
    """Serve until the block is left; its faults may be changed between deliveries."""
    return serve_in_thread(lambda: serve(options or InsightsOptions()), name="app-insights")
