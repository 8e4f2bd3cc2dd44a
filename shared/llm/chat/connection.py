"""The HTTP client beneath an SDK: ours, so that nothing from the environment slips in.

Both SDKs take headers from variables (`ANTHROPIC_CUSTOM_HEADERS`, `OPENAI_CUSTOM_HEADERS`,
`OPENAI_ORG_ID`), httpx2 proxies and certificates, and `ANTHROPIC_LOG` or `OPENAI_LOG` make the SDKs
log whole prompts. Here only known headers leave, and the loggers keep quiet below a warning.
Sources: `anthropic/_client.py`, `openai/lib/_client_auth.py` and `_utils/_logs.py` of both.
"""

import logging
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import httpx2

KNOWN_HEADERS: Final = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-length", "content-type", "host"),
        *("user-agent", "anthropic-version", "authorization", "api-key"),
    }
)
KNOWN_PREFIX: Final = "x-stainless-"
"""What the SDKs tell of themselves: version, platform, time limits."""
MAX_KEPT_CONNECTIONS: Final = 20
KEEP_ALIVE_AFTER_S: Final = 60
"""Seconds of silence after which TCP probes: Azure drops what is silent for four minutes.
Source: https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-idle-timeout"""
QUIET_LOGGERS: Final = ("anthropic", "openai", "httpx2", "httpcore2")


def open_http_client(proxy_url: str = "") -> "httpx2.Client":
    """Open a pool of connections for one provider; threads may share it."""
    import httpx2

    from shared.llm.chat.finishing import finish_stream

    transport = httpx2.HTTPTransport(
        trust_env=False,
        limits=httpx2.Limits(max_keepalive_connections=MAX_KEPT_CONNECTIONS),
        proxy=proxy_url or None,
        socket_options=_list_socket_options(),
    )
    return httpx2.Client(
        transport=transport,
        trust_env=False,
        follow_redirects=False,  # a key goes nowhere else
        event_hooks={"request": [_drop_unknown_headers], "response": [finish_stream]},
    )


def quieten_loggers() -> None:
    """Keep prompts out of the logs, whatever a variable asks the SDKs for."""
    for name in QUIET_LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


def _list_socket_options() -> list[tuple[int, int, int]]:
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    if hasattr(socket, "TCP_KEEPIDLE"):  # not on macOS, where tests may run
        options.append((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEP_ALIVE_AFTER_S))
    return options


def _drop_unknown_headers(request: "httpx2.Request") -> None:
    for name in list(request.headers):
        if name not in KNOWN_HEADERS and not name.startswith(KNOWN_PREFIX):
            del request.headers[name]
