"""Stands round every activity: a span below the job's trace, and sending what waits at its end."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from activities.envelope import Payload

_SYSTEM = ("retry", "bug")
Activity = Callable[[Payload], dict[str, Any]]


def observe(activity: Activity) -> Activity:
    """Make a span of each try of an activity; without an exporter it is no more than the call."""

    @wraps(activity)
    def carry_out(payload: Payload) -> dict[str, Any]:
        from shared.telemetry.exporting import flush
        from shared.telemetry.tracing import follow, mark_failed

        told = {"jobId": payload.get("job_id"), "variant": payload.get("number")}
        attributes = {name: value for name, value in told.items() if value is not None}
        try:
            with follow(payload.get("traceparent"), activity.__name__, attributes) as span:
                try:
                    envelope = activity(payload)
                except Exception:
                    mark_failed(span, "app.unexpected")
                    raise
                if not envelope["ok"]:
                    error = envelope["error"]
                    if error["verdict"] in _SYSTEM:
                        mark_failed(span, error["code"])
                    else:
                        span.set_attribute("error_code", error["code"])
                return envelope
        finally:
            flush()

    return carry_out
