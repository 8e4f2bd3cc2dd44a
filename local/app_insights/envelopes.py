"""Reads one telemetry item as exporters send it, and answers the row that it becomes.

Pure. What the service refuses is refused in its words, which end up in the exporters' logs.
Sources: the contracts in https://github.com/microsoft/ApplicationInsights-Home (EndpointSpecs), the
limits in https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

Row = dict[str, Any]
Plain = Mapping[str, Any]

MAX_ITEM_BYTES: Final = 65_536
MAX_AGE: Final = timedelta(hours=48)
MAX_LEAD: Final = timedelta(hours=2)
_LONGEST: Final = {"name": 1024, "message": 32_768, "typeName": 1024, "id": 512, "url": 2048}
_DURATION: Final = re.compile(r"(?:(\d+)\.)?(\d\d):(\d\d):(\d\d(?:\.\d{1,7})?)")
_BUCKETS_MS: Final = (250, 500, 1000, 3000, 7000, 15_000, 30_000, 60_000, 120_000, 300_000)
_TAGS: Final = {
    "operation_Name": "ai.operation.name",
    "operation_Id": "ai.operation.id",
    "operation_ParentId": "ai.operation.parentId",
    "operation_SyntheticSource": "ai.operation.syntheticSource",
    "session_Id": "ai.session.id",
    "user_Id": "ai.user.id",
    "user_AuthenticatedId": "ai.user.authUserId",
    "user_AccountId": "ai.user.accountId",
    "application_Version": "ai.application.ver",
    "client_Type": "ai.device.type",
    "client_Model": "ai.device.model",
    "client_OS": "ai.device.osVersion",
    "cloud_RoleName": "ai.cloud.role",
    "cloud_RoleInstance": "ai.cloud.roleInstance",
    "sdkVersion": "ai.internal.sdkVersion",
}


class ItemError(ValueError):
    """The service would not take this item; the message is the service's."""


def read_item(item: Any, *, key: str, now: datetime) -> tuple[str, Row] | None:
    """Answer table and row of an item; None for one that is taken and not shown.

    Raises:
        ItemError: it is refused.
    """
    if not isinstance(item, dict):
        raise ItemError("Invalid telemetry item")
    if len(json.dumps(item, separators=(",", ":")).encode()) > MAX_ITEM_BYTES:
        raise ItemError(f"Telemetry item length must not exceed {MAX_ITEM_BYTES}")
    _take_text(item, "name", "Envelope")
    if str(item.get("iKey", "")).lower() != key.lower():
        raise ItemError("Invalid instrumentation key")
    at = _read_time(item, now)
    data = item.get("data")
    base_type = data.get("baseType") if isinstance(data, dict) else None
    base = data.get("baseData") if isinstance(data, dict) else None
    reader = _READERS.get(str(base_type))
    if reader is None or not isinstance(base, dict):
        raise ItemError(f"107: Field 'baseType' on type 'Data' is unknown. Actual: {base_type}")
    table, read = reader
    own = read(base, f"{base_type}")
    if own is None:
        return None
    rate = item.get("sampleRate")
    tags = item.get("tags") or {}
    row: Row = {
        "timestamp": at.isoformat(),
        **own,
        "itemType": str(item["name"]).rpartition(".")[2].lower(),
        "customDimensions": base.get("properties") or {},
        **{column: tags[tag] for column, tag in _TAGS.items() if tag in tags},
        "client_IP": "0.0.0.0",  # noqa: S104 - what the service stores instead of an address
        "iKey": item["iKey"],
        "itemId": str(uuid4()),
        "itemCount": round(100 / rate) if isinstance(rate, int | float) and rate > 0 else 1,
    }
    if table != "customMetrics":
        row["customMeasurements"] = base.get("measurements") or {}
    return table, row


def _read_time(item: Plain, now: datetime) -> datetime:
    text = _take_text(item, "time", "Envelope")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ItemError("105: Field 'time' on type 'Envelope' is not a date") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at < now - MAX_AGE:
        raise ItemError(
            "103: Field 'time' on type 'Envelope' is older than the allowed min date. "
            f"Expected: now - {MAX_AGE // timedelta(milliseconds=1)}ms"
        )
    if at > now + MAX_LEAD:
        raise ItemError(
            "103: Field 'time' on type 'Envelope' is newer than the allowed max date. "
            f"Expected: now + {MAX_LEAD // timedelta(milliseconds=1)}ms"
        )
    return at.astimezone(UTC)


def _take_text(plain: Plain, field: str, kind: str) -> str:
    value = plain.get(field)
    if not isinstance(value, str) or not value:
        raise ItemError(
            f"109: Field '{field}' on type '{kind}' is required but missing or empty. "
            "Expected: string, Actual: undefined"
        )
    longest = _LONGEST.get(field)
    if longest is not None and len(value) > longest:
        raise ItemError(
            f"100: Field '{field}' on type '{kind}' is too long. "
            f"Expected: {longest} characters, Actual: {len(value)}"
        )
    return value


def _read_duration(base: Plain, kind: str) -> float:
    """Read `[d.]hh:mm:ss[.fffffff]` as milliseconds."""
    text = _take_text(base, "duration", kind)
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ItemError(f"105: Field 'duration' on type '{kind}' is not a time span")
    days, hours, minutes, seconds = match.groups()
    whole_s = int(days or 0) * 86_400 + int(hours) * 3600 + int(minutes) * 60
    return round(1000 * (whole_s + float(seconds)), 4)


def _name_bucket(duration_ms: float) -> str:
    limit = next((limit for limit in _BUCKETS_MS if duration_ms < limit), None)
    return f"<{limit}ms" if limit else f">={_BUCKETS_MS[-1]}ms"


def _read_event(base: Plain, kind: str) -> Row:
    return {"name": _take_text(base, "name", kind)}


def _read_message(base: Plain, kind: str) -> Row:
    return {
        "message": _take_text(base, "message", kind),
        "severityLevel": _read_severity(base),
    }


def _read_metric(base: Plain, kind: str) -> Row | None:
    metrics = base.get("metrics")
    if not isinstance(metrics, list) or len(metrics) != 1 or not isinstance(metrics[0], dict):
        raise ItemError(f"109: Field 'metrics' on type '{kind}' is required but missing or empty")
    metric = metrics[0]
    name = _take_text(metric, "name", "DataPoint")
    value = metric.get("value")
    if not isinstance(value, int | float):
        raise ItemError("109: Field 'value' on type 'DataPoint' is required but missing or empty")
    if name == "_OTELRESOURCE_":  # attributes of the resource: not shown in customMetrics
        return None
    count = metric.get("count")
    return {
        "name": name,
        "value": value,
        "valueSum": value,
        "valueCount": count if isinstance(count, int) else 1,
        "valueMin": metric.get("min", value),
        "valueMax": metric.get("max", value),
        "valueStdDev": metric.get("stdDev"),
    }


def _read_exception(base: Plain, kind: str) -> Row:
    told = base.get("exceptions")
    if not isinstance(told, list) or not told or not isinstance(told[0], dict):
        raise ItemError(
            f"109: Field 'exceptions' on type '{kind}' is required but missing or empty"
        )
    outer, inner = told[0], told[-1]
    message = _take_text(outer, "message", "ExceptionDetails")
    type_name = _take_text(outer, "typeName", "ExceptionDetails")
    return {
        "problemId": base.get("problemId") or type_name,
        "type": type_name,
        "message": message,
        "outerType": type_name,
        "outerMessage": message,
        "innermostType": inner.get("typeName"),
        "innermostMessage": inner.get("message"),
        "severityLevel": _read_severity(base),
        "details": told,
    }


def _read_severity(base: Plain) -> int | None:
    """Read a level, which is sent as its name or its number."""
    level = base.get("severityLevel")
    names = ("Verbose", "Information", "Warning", "Error", "Critical")
    return names.index(level) if level in names else level


def _read_call(base: Plain, kind: str) -> Row:
    duration_ms = _read_duration(base, kind)
    return {
        "id": base.get("id"),
        "name": base.get("name"),
        "success": str(bool(base.get("success", True))),
        "resultCode": str(base.get("responseCode", base.get("resultCode", ""))),
        "duration": duration_ms,
        "performanceBucket": _name_bucket(duration_ms),
    }


def _read_request(base: Plain, kind: str) -> Row:
    _take_text(base, "id", kind)
    _take_text(base, "responseCode", kind)
    return _read_call(base, kind) | {"url": base.get("url"), "source": base.get("source")}


def _read_dependency(base: Plain, kind: str) -> Row:
    _take_text(base, "name", kind)
    return _read_call(base, kind) | {key: base.get(key) for key in ("target", "type", "data")}


def _read_availability(base: Plain, kind: str) -> Row:
    for field in ("id", "name"):
        _take_text(base, field, kind)
    duration_ms = _read_duration(base, kind)
    return {
        "id": base["id"],
        "name": base["name"],
        "location": base.get("runLocation"),
        "success": str(bool(base.get("success"))),
        "message": base.get("message"),
        "duration": duration_ms,
        "performanceBucket": _name_bucket(duration_ms),
    }


_READERS: Final[Mapping[str, tuple[str, Callable[[Plain, str], Row | None]]]] = {
    "EventData": ("customEvents", _read_event),
    "MessageData": ("traces", _read_message),
    "MetricData": ("customMetrics", _read_metric),
    "ExceptionData": ("exceptions", _read_exception),
    "RequestData": ("requests", _read_request),
    "RemoteDependencyData": ("dependencies", _read_dependency),
    "AvailabilityData": ("availabilityResults", _read_availability),
}
"""Base type of an item to the table it belongs to, and who reads it."""
