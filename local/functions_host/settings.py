"""Application settings: local.settings.json into the environment, %NAME% out of it.

As `func start` does, a variable that the process already has wins over the file. Nothing is
written to disk.
"""

import json
import os
import re
from collections.abc import MutableMapping
from pathlib import Path

SETTINGS_FILES = ("local.settings.json", "local.settings.sample.json")
"""The first that exists is used."""

_PLACEHOLDER = re.compile(r"%([^%\s]+)%")


class SettingsError(ValueError):
    """A settings file, or a setting that it should hold, is wrong."""


def load_settings(app_dir: Path, environment: MutableMapping[str, str] = os.environ) -> Path | None:
    """Put the app's `Values` into the environment and return the file they came from.

    Raises:
        SettingsError: the file is not JSON, or a value is no text.
    """
    path = next((app_dir / name for name in SETTINGS_FILES if (app_dir / name).exists()), None)
    if path is None:
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig")).get("Values", {})
        for name, value in values.items():
            if not isinstance(value, str | int | float | bool):
                raise SettingsError(f"{path}: the value of {name} must be text")
            environment.setdefault(name, value if isinstance(value, str) else json.dumps(value))
    except (ValueError, AttributeError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{path} is not a settings file: {error}") from error
    return path


def resolve_placeholders(text: str, where: str) -> str:
    """Replace each %NAME% by the setting of that name.

    Raises:
        SettingsError: there is no such setting; `where` says who asked for it.
    """

    def look_up(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            raise SettingsError(f"{where}: %{match[1]}% names a setting that does not exist")
        return value

    return _PLACEHOLDER.sub(look_up, text)
