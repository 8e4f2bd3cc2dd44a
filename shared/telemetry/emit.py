"""Sends events as log records, in the form that Azure Monitor reads as custom events.

Source: https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-add-modify
"""

import json
import logging
from dataclasses import asdict

from shared.telemetry.events import Event
from shared.telemetry.redact import redact

_LOG = logging.getLogger("code_agent")


def emit(event: Event) -> None:
    """Send one event. Call it from activities, entities and HTTP functions: orchestrators replay.

    A measurement that is None was not taken, and is left out.
    """
    fields = asdict(event)
    taken = {key: fields.pop(key) for key in event.measurements}
    measurements = {key: number for key, number in taken.items() if number is not None}
    extra = {key: redact(str(value)) for key, value in fields.items()}
    extra["microsoft.custom_event.name"] = event.name
    extra["microsoft.custom_measurements"] = json.dumps(measurements)
    _LOG.info(event.name, extra=extra)
