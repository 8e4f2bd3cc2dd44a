"""Serves a handler on loopback while a test runs: other services, as far as a test needs them."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serve_on_loopback(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve until the block is left; gives the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
