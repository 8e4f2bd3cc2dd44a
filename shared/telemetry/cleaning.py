"""Cleans every record and span on its way out, whoever made it: the last net before the exporter.

Importing this module imports the OpenTelemetry SDK: only `exporting` does, when it exports.
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from typing_extensions import override

from shared.telemetry.redact import redact


def clean_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Clean the texts among attributes."""
    return {name: _clean(value) for name, value in (attributes or {}).items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return tuple(_clean(part) for part in value)
    return value


class CleaningLogProcessor(LogRecordProcessor):
    """Cleans log records: their text, their attributes, and so their exceptions."""

    @override
    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Clean one record in place."""
        record = log_record.log_record
        record.attributes = clean_attributes(record.attributes)
        record.body = _clean(record.body)

    @override
    def shutdown(self) -> None:
        """Keep nothing."""

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Keep nothing."""
        return True


class CleaningSpanProcessor(SpanProcessor):
    """Cleans spans that have ended, with their events and what they say of a failure."""

    @override
    def on_end(self, span: ReadableSpan) -> None:
        """Clean one span in place; its API is read-only, and processors behind get the same one."""
        span._attributes = clean_attributes(span.attributes)  # noqa: SLF001 - as said above
        span._name = redact(span.name)  # noqa: SLF001 - as above
        for event in span.events:
            event._attributes = clean_attributes(event.attributes)  # noqa: SLF001 - as above
