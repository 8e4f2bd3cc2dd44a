"""One trace for each command, from its delivery to its last comment. Never carries content.

The trace's id is the job's correlation id. It travels as a W3C `traceparent` in the orchestration's
input, made once where the delivery comes in: so a replay finds the same one. Spans are made in
steps, never in orchestrators. Without an exporter all of it does nothing.
Source: https://www.w3.org/TR/trace-context/
"""

import contextlib
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanKind

_FORM: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
Attributes = Mapping[str, str | int | float | bool]


def make_traceparent(given: str | None = None) -> str:
    """Answer what the host began, if it began a trace, or else the beginning of one."""
    if given and read_trace_id(given):
        return given
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def read_trace_id(traceparent: str) -> str | None:
    """Read the id of the trace; None when it cannot be read."""
    match = _FORM.fullmatch(traceparent)
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return None
    return match[1]


@contextlib.contextmanager
def follow(traceparent: str | None, name: str, attributes: Attributes) -> Iterator["Span"]:
    """Make a span below a `traceparent`, as the parent of those made within."""
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {"traceparent": traceparent or ""}
    above = TraceContextTextMapPropagator().extract(carrier)
    with trace.get_tracer("code_agent").start_as_current_span(
        name,
        above,
        attributes=attributes,
        record_exception=False,  # its text may quote content; the host tells of it
        set_status_on_exception=False,
    ) as span:
        yield span


@contextlib.contextmanager
def call_out(name: str, attributes: Attributes) -> Iterator["Span"]:
    """Make a span of a call to another service, below the present one."""
    from opentelemetry import trace

    kind: SpanKind = trace.SpanKind.CLIENT
    with trace.get_tracer("code_agent").start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield span


def write_traceparent(span: "Span") -> str:
    """Write the `traceparent` of what happens below a span."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def mark_failed(span: "Span", code: str, **attributes: Any) -> None:
    """Say that what a span stands for failed, by the code of the error."""
    from opentelemetry.trace import Status, StatusCode

    span.set_status(Status(StatusCode.ERROR, code))
    # the exporter leaves the standard name out of what queries see
    span.set_attributes({"error.type": code, "error_code": code, **attributes})
