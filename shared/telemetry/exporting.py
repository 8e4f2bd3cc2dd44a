"""Exports telemetry to Application Insights when a connection string is set; costs nothing else.

The one place that configures azure-monitor-opentelemetry. Instrumentations are off: spans are made
by the app itself (`tracing`), so that none carries more than it says. The host sends its own
records (`telemetryMode` in host.json) and, as `PYTHON_ENABLE_OPENTELEMETRY` tells it, not ours.
Source: https://learn.microsoft.com/azure/azure-functions/opentelemetry-howto
"""

import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from shared.settings.telemetry import TelemetrySettings
    from shared.telemetry.flushing import Flusher

LOGGER: Final = "code_agent"
"""Parent of every logger of the app: what it hears is exported."""
_INSTRUMENTATIONS: Final = (
    "azure_sdk",
    "django",
    "fastapi",
    "flask",
    "httpx",
    "httpx2",
    "psycopg2",
    "requests",
    "urllib",
    "urllib3",
)
_QUIET: Final = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
}
"""The exporter tells its makers, and our tables, of itself, unless it is told not to."""

_TALKATIVE: Final = (
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.monitor.opentelemetry",
)
"""They tell of each delivery."""
_TIMEOUT_S: Final = 5.0
"""For one delivery; 10 by the exporter's own choice."""
_FLUSHERS: Final["list[Flusher]"] = []
"""Of the whole, then of logs and spans alone; empty while nothing is exported."""


def start_exporting(
    environment: Mapping[str, str] = os.environ,
    *,
    open_identity: Callable[[], object] | None = None,
) -> bool:
    """Export from now on, if the settings say where to; answers whether they do.

    Args:
        environment: with the settings.
        open_identity: makes the credential of a program that is no app, instead of the managed
            identity.

    Never raises: without telemetry the app still does its work.
    """
    if not environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "").strip() or _FLUSHERS:
        return bool(_FLUSHERS)
    from shared.settings.reader import Reader
    from shared.settings.telemetry import read_telemetry_settings

    settings = read_telemetry_settings(Reader(environment))
    try:
        _configure(settings, open_identity or partial(_open_identity, settings))
    except Exception:  # a connection string that cannot be read, first of all
        logging.getLogger(f"{LOGGER}.telemetry").exception("telemetry is not exported")
        return False
    return True


def flush(*, metrics: bool = False) -> bool:
    """Send what waits, within a second; False when nothing is exported or it took longer.

    Metrics are sent every minute; asked for here, each point is what came since the last time.
    """
    return bool(_FLUSHERS) and _FLUSHERS[0 if metrics else 1].flush()


def deliver() -> None:
    """Send what waits, however long it takes: for a program that ends with it."""
    from opentelemetry._logs import get_logger_provider

    logs: Any = get_logger_provider()
    logs.force_flush()


def _configure(settings: "TelemetrySettings", open_identity: Callable[[], object]) -> None:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if not settings.uses_identity:  # the exporter takes an empty one for a broken one
        os.environ.pop("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", None)
    from azure.monitor.opentelemetry import configure_azure_monitor
    from opentelemetry import metrics, trace
    from opentelemetry._logs import get_logger_provider
    from opentelemetry.sdk.resources import Resource

    from shared.telemetry.cleaning import CleaningLogProcessor, CleaningSpanProcessor
    from shared.telemetry.flushing import Flusher

    # both are Azure's; without them: the app's name, and an instance's of the SDK's choice
    attributes = {"service.name": os.environ.get("WEBSITE_SITE_NAME") or "code-agent"}
    if instance := os.environ.get("WEBSITE_INSTANCE_ID"):
        attributes["service.instance.id"] = instance
    options: dict[str, Any] = {
        "connection_string": settings.connection_string,
        "credential": open_identity() if settings.uses_identity else None,
        "logger_name": LOGGER,
        "resource": Resource(attributes),
        "sampling_ratio": settings.trace_ratio,
        "storage_directory": str(settings.storage),
        "retry_total": 0,  # what cannot be delivered goes to disk, and from there again in a minute
        "timeout": _TIMEOUT_S,
        "enable_live_metrics": False,
        "enable_performance_counters": False,
        "instrumentation_options": {name: {"enabled": False} for name in _INSTRUMENTATIONS},
        "span_processors": [CleaningSpanProcessor()],
        "log_record_processors": [CleaningLogProcessor()],
    }
    configure_azure_monitor(**options)
    for talkative in _TALKATIVE:
        logging.getLogger(talkative).setLevel(logging.WARNING)
    logging.getLogger(LOGGER).setLevel(logging.INFO)
    logs: Any = get_logger_provider()
    spans: Any = trace.get_tracer_provider()
    numbers: Any = metrics.get_meter_provider()
    _FLUSHERS.append(
        Flusher(lambda: (logs.force_flush(), spans.force_flush(), numbers.force_flush()))
    )
    _FLUSHERS.append(Flusher(lambda: (logs.force_flush(), spans.force_flush())))


def _open_identity(settings: "TelemetrySettings") -> object:
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=settings.client_id or None)
