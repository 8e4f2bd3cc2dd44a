"""What an app's host.json says, as far as this host honours it.

It reads one file and checks it; unknown keys are left alone, because the real host knows more of
them.
Source: https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from local.functions_host.settings import SettingsError, resolve_placeholders
from local.functions_host.versions import FailureStrategy, MatchStrategy, VersionRule

_Choice = TypeVar("_Choice", bound=StrEnum)

_CONCURRENT_PER_CORE = 10  # the extension's default outside the Consumption plan


@dataclass(frozen=True, slots=True)
class HostJson:
    """The settings of one app's host."""

    route_prefix: str
    hub_name: str
    versions: VersionRule
    max_concurrent_activities: int
    max_concurrent_orchestrators: int
    log_level: str


def load_host_json(app_dir: Path) -> HostJson:
    """Read host.json of an app, or take the defaults if there is none.

    Raises:
        SettingsError: the file is not JSON, or names a setting that does not exist.
    """
    path = app_dir / "host.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig")) if path.exists() else {}
    except ValueError as error:
        raise SettingsError(f"{path} is not valid JSON: {error}") from error
    extensions = _get_object(document, "extensions")
    durable = _get_object(extensions, "durableTask")
    log_levels = _get_object(_get_object(document, "logging"), "logLevel")
    default_limit = _CONCURRENT_PER_CORE * (os.cpu_count() or 1)
    return HostJson(
        route_prefix=str(_get_object(extensions, "http").get("routePrefix", "api")).strip("/"),
        hub_name=resolve_placeholders(str(durable.get("hubName", "TestHubName")), "host.json"),
        versions=VersionRule(
            str(durable.get("defaultVersion") or ""),
            _get_choice(durable, "versionMatchStrategy", MatchStrategy.CURRENT_OR_OLDER),
            _get_choice(durable, "versionFailureStrategy", FailureStrategy.REJECT),
        ),
        max_concurrent_activities=_get_limit(
            durable, "maxConcurrentActivityFunctions", default_limit
        ),
        max_concurrent_orchestrators=_get_limit(
            durable, "maxConcurrentOrchestratorFunctions", default_limit
        ),
        log_level=str(log_levels.get("default", "Information")),
    )


def _get_object(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _get_choice(section: dict[str, Any], key: str, default: _Choice) -> _Choice:
    value = section.get(key, default.value)
    for choice in type(default):
        if choice.value.casefold() == str(value).casefold():
            return choice
    raise SettingsError(f"host.json: {key} is one of {', '.join(type(default))}, not {value!r}")


def _get_limit(section: dict[str, Any], key: str, default: int) -> int:
    value = section.get(key, default)
    if not isinstance(value, int) or value < 1:
        raise SettingsError(f"host.json: {key} must be a whole number of at least 1, not {value!r}")
    return value
