"""Tells typed events and metrics through the real exporter, as of an instant in the past.

An event's time is that of its log record, a request's that of its span; both are set. Metrics are
of the moment in which they are exported.
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.trace import SpanKind, Status, StatusCode

from shared.telemetry.emit import emit
from shared.telemetry.events import Event
from shared.telemetry.failures import tell_failure
from shared.telemetry.metrics import Metric

_MINUTE_S: Final = 60.0


class Teller:
    """What a scenario tells with. Instants are minutes before now."""

    def event(self, event: Event, *, ago_min: float = 1) -> None:
        """Tell of an event."""
        with _as_of(time.time() - ago_min * _MINUTE_S):
            emit(event)

    def failure(self, code: str, verdict: str, *, ago_min: float = 1) -> None:
        """Tell of a final failure."""
        with _as_of(time.time() - ago_min * _MINUTE_S):
            tell_failure(
                code, verdict, operation="produce_variant", job_id="edit-1", correlation_id="c"
            )

    def metric(self, metric: Metric, value: float, **dimensions: str | int) -> None:
        """Record a value, and export it now: it is one row."""
        metric.record(value, **dimensions)
        self.flush()

    def request(
        self,
        status: int = 200,
        *,
        route: str = "webhook/ado",
        took_ms: float = 40,
        ago_min: float = 1,
    ) -> None:
        """Tell of a request, as the Functions host does."""
        began = time.time() - ago_min * _MINUTE_S
        span = trace.get_tracer("host").start_span(
            f"POST /gateway/{route}",
            kind=SpanKind.SERVER,
            start_time=round(began * 1e9),
            attributes={
                "http.request.method": "POST",
                "url.full": f"https://code-agent.example/gateway/{route}",
                "http.response.status_code": status,
            },
        )
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(round((began + took_ms / 1000) * 1e9))

    def web_test(self, *, passed: bool, ago_min: float = 1) -> None:
        """Tell of a web test, as Azure's agents do."""
        with _as_of(time.time() - ago_min * _MINUTE_S):
            logging.getLogger("code_agent.web_test").info(
                "web test",
                extra={
                    "microsoft.availability.id": f"test-{time.monotonic_ns()}",
                    "microsoft.availability.name": "ready-code-agent",
                    "microsoft.availability.duration": "00:00:00.120",
                    "microsoft.availability.success": str(passed),
                    "microsoft.availability.runLocation": "West Europe",
                },
            )

    def flush(self) -> None:
        """Deliver everything."""
        providers: tuple[Any, ...] = (
            get_logger_provider(),
            trace.get_tracer_provider(),
            metrics.get_meter_provider(),
        )
        for provider in providers:
            provider.force_flush()


@contextlib.contextmanager
def _as_of(instant: float) -> Iterator[None]:
    """Date the log records that are made meanwhile."""
    make = logging.getLogRecordFactory()

    def make_dated(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.created = instant
        return record

    logging.setLogRecordFactory(make_dated)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)
