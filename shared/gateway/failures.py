"""Tells of requests that did not prove who they are from, and slows down whoever makes many.

A request that carries the right secret is never counted and never slowed down.
"""

import json
import threading
import time
from typing import Final

import azure.functions as func

from shared.composition import read_cached_settings
from shared.webhook.source import find_source_address, name_neighbourhood
from shared.webhook.throttle import FailureThrottle

_THROTTLE: Final = FailureThrottle()
_LOCK: Final = threading.Lock()


def note_failure(
    request: func.HttpRequest, *, component: str, is_signature: bool = False
) -> int | None:
    """Count a failed request; answers the seconds its address should wait, None when it need not.

    `is_signature` says that a signature was offered, and was wrong. What is throttled emits
    nothing: the next event of its address says how many there were.
    """
    hops = read_cached_settings().trusted_proxy_hops
    address = find_source_address(request.headers, proxy_hops=hops)
    with _LOCK:
        failure = _THROTTLE.note(name_neighbourhood(address), now_s=time.monotonic())
    if failure.is_throttled:
        return failure.retry_after_s
    from shared.telemetry.emit import emit
    from shared.telemetry.events import AuthenticationFailed, InvalidSignature

    kind = InvalidSignature if is_signature else AuthenticationFailed
    emit(kind(source_ip=address, component=component, failures=failure.count))
    return None


def refuse_throttled(wait_s: int) -> func.HttpResponse:
    """Answer somebody who has failed too often."""
    return func.HttpResponse(
        json.dumps({"status": "refused", "reason": "throttled"}),
        status_code=429,
        mimetype="application/json",
        headers={"Retry-After": str(wait_s), "Cache-Control": "no-store"},
    )
