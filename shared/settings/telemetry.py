"""Settings about telemetry; read apart from the others too, as export begins with the process."""

from dataclasses import dataclass
from pathlib import Path

from shared.settings.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """Where telemetry goes, and how much of it."""

    connection_string: str
    """Of Application Insights; empty: nothing is exported."""
    uses_identity: bool
    """Whether a managed identity delivers: local authentication of the resource is off."""
    client_id: str
    """Of the user-assigned identity; empty: the host's own."""
    trace_ratio: float
    """Part of the traces that is exported, 0 to 1. Events, exceptions and metrics always are."""
    storage: Path
    """Where records wait while Application Insights is away."""


def read_telemetry_settings(reader: Reader) -> TelemetrySettings:
    """Read everything that is about telemetry; faults stay with the reader."""
    uses_identity, client_id = _read_authentication(reader)
    return TelemetrySettings(
        connection_string=reader.text("APPLICATIONINSIGHTS_CONNECTION_STRING"),
        uses_identity=uses_identity,
        client_id=client_id,
        trace_ratio=reader.number("CODE_AGENT_TRACE_RATIO", 1, 0, 1),
        storage=Path(reader.text("CODE_AGENT_DATA_DIR", ".local/app")) / "telemetry",
    )


def _read_authentication(reader: Reader) -> tuple[bool, str]:
    """Read `Authorization=AAD[;ClientId=…]`.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-app-settings
    """
    name = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
    text = reader.text(name)
    if not text:
        return False, ""
    pairs = dict(part.partition("=")[::2] for part in text.split(";") if part.strip())
    told = {key.strip().lower(): value.strip() for key, value in pairs.items()}
    if told.pop("authorization", "") != "AAD" or set(told) - {"clientid"}:
        reader.faults.append(f"{name}: Authorization=AAD;ClientId=… expected")
    return True, told.get("clientid", "")
