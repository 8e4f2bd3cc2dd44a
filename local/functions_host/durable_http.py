"""The request behind `context.call_http`: one HTTP call, or one step of polling a 202.

It sends and reads; when to poll again is returned to the caller, who keeps it in the store.
Managed-identity tokens are refused: there is no managed identity on this host.
Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-features
"""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import aiohttp

DEFAULT_POLL_INTERVAL_S = 30.0  # the extension's defaultAsyncRequestSleepTimeMilliseconds
_TIMEOUT = aiohttp.ClientTimeout(total=100)  # .NET's HttpClient default, which the extension keeps


@dataclass(frozen=True, slots=True)
class HttpPoll:
    """The server has accepted the request; ask again with this one at that Unix time."""

    request: dict[str, Any]
    due_s: float


async def run_http_request(request: dict[str, Any]) -> dict[str, Any] | HttpPoll:
    """Send one request; return the response as the SDK knows it, or the poll that must follow.

    Raises:
        aiohttp.ClientError: no answer; an answer of any status is no error.
    """
    if request.get("tokenSource"):
        raise NotImplementedError("call_http with a token source needs a managed identity")
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT) as session,
        session.request(
            request["method"],
            request["uri"],
            data=request.get("content"),
            headers=_build_headers(request),
        ) as response,
    ):
        location = response.headers.get("Location")
        if response.status == 202 and location and request.get("asynchronousPatternEnabled", True):
            poll = {
                "method": "GET",
                "uri": urljoin(str(response.url), location),
                "headers": request.get("headers"),
            }
            return HttpPoll(poll, time.time() + _read_interval_s(response.headers))
        return {
            "statusCode": response.status,
            "headers": dict(response.headers),
            "content": await response.text(errors="replace"),
        }


def _build_headers(request: dict[str, Any]) -> dict[str, str]:
    headers = dict(request.get("headers") or {})
    if request.get("content") is not None:
        headers.setdefault("Content-Type", "application/json")
    return headers


def _read_interval_s(headers: Any) -> float:
    retry_after = headers.get("Retry-After", "")
    return float(retry_after) if retry_after.isdecimal() else DEFAULT_POLL_INTERVAL_S
