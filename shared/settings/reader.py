"""Reads environment variables into values, and remembers every one that is wrong."""

import re
from collections.abc import Mapping


class SettingsError(Exception):
    """The settings cannot be used; the message names every one that is wrong."""


class Reader:
    """Reads the variables of one environment; faults are collected, not raised."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """Read a text; blanks around it do not count."""
        return self._environment.get(name, "").strip() or default

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Read one of several words; the first where nothing is set."""
        value = self.text(name, choices[0])
        if value not in choices:
            self.faults.append(f"{name}: one of {', '.join(choices)} expected")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Read a number within its bounds."""
        raw = self.text(name, str(default))
        try:
            value = float(raw)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.faults.append(f"{name}: a number from {low:g} to {high:g} expected")
            return default
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Read a whole number within its bounds."""
        value = self.number(name, default, low, high)
        if value != int(value):
            self.faults.append(f"{name}: a whole number expected")
        return int(value)

    def listed(self, name: str) -> tuple[str, ...]:
        """Read names separated by commas, in their order."""
        parts = re.split(r"[,;\n]", self.text(name))
        return tuple(part.strip() for part in parts if part.strip())

    def names(self, name: str) -> frozenset[str]:
        """Read names separated by commas, whose order says nothing."""
        return frozenset(self.listed(name))
