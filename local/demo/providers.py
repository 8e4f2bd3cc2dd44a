"""Chooses who drafts in the demo: the stub, the scripted model server, or the real service.

The real service is asked on request only (`--live`). Otherwise no process of the demo is given a
key of the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from local.model.server import DEFAULT_KEY

STUB: Final = "stub"
_KEYS: Final = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "azure-openai": "AZURE_OPENAI_API_KEY",
    "openai-compatible": "COMPATIBLE_API_KEY",
}
_PREFIXES: Final = {
    "anthropic": "CODE_AGENT_ANTHROPIC",
    "openai": "CODE_AGENT_OPENAI",
    "azure-openai": "CODE_AGENT_AZURE_OPENAI",
    "ollama": "CODE_AGENT_OLLAMA",
    "openai-compatible": "CODE_AGENT_COMPATIBLE",
}
_PATHS: Final = {"openai": "/v1", "ollama": "/ollama/v1", "openai-compatible": "/v1"}
"""Of the model server's addresses; the others have none."""
_NAMELESS: Final = frozenset({"azure-openai", "ollama", "openai-compatible"})
"""Those for which the app has no default model."""
PROVIDERS: Final = (STUB, *_PREFIXES)


class ChoiceError(Exception):
    """It cannot be run like that; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who drafts."""

    provider: str
    is_live: bool

    @property
    def is_scripted(self) -> bool:
        """Whether the model server plays the model."""
        return self.provider != STUB and not self.is_live

    def describe(self) -> str:
        """Say who drafts, for people."""
        if self.provider == STUB:
            return "the stub provider: a program that follows plain instructions, no model"
        if self.is_live:
            return f"{self.provider}: the real service, with your key and at your expense"
        return (
            f"{self.provider}, over its real SDK; a scripted stand-in on this machine plays the "
            "model (no model is asked, no key is used)"
        )

    def build_settings(self) -> dict[str, str]:
        """Build the app's settings; where a model is played, `play_model` has the rest."""
        used = _KEYS.get(self.provider) if self.is_live else None
        # a key that is not to be used is not handed on, whatever the environment holds
        settings = {name: "" for name in _KEYS.values() if name != used}
        settings["CODE_AGENT_PROVIDER"] = self.provider
        if self.provider == "azure-openai":  # there is no managed identity outside Azure
            settings["CODE_AGENT_AZURE_OPENAI_AUTHENTICATION"] = "key"
        return settings

    def play_model(self, url: str) -> dict[str, str]:
        """Build the settings that send the app to a model server instead of the service."""
        prefix = _PREFIXES[self.provider]
        settings = {
            f"{prefix}_URL": url + _PATHS.get(self.provider, ""),
            "CODE_AGENT_MODEL_PROXY_URL": "",
        }
        if self.provider in _NAMELESS:
            settings[f"{prefix}_MODEL"] = os.environ.get(f"{prefix}_MODEL") or "demo"
        if self.provider in _KEYS:
            settings[_KEYS[self.provider]] = DEFAULT_KEY
        return settings


def choose(provider: str, *, live: bool, environment: Mapping[str, str]) -> Choice:
    """Choose who drafts.

    Raises:
        ChoiceError: the real service is wished for, and something that it needs is missing.
    """
    if not live:
        return Choice(provider, is_live=False)
    if provider == STUB:
        raise ChoiceError("--live asks a real service: name one with --provider")
    prefix = _PREFIXES[provider]
    needed = [_KEYS[provider]] if provider in _KEYS else []
    needed += [f"{prefix}_MODEL"] if provider in _NAMELESS else []
    needed += [f"{prefix}_URL"] if provider in {"azure-openai", "openai-compatible"} else []
    missing = [name for name in needed if not environment.get(name, "").strip()]
    if missing:
        raise ChoiceError(
            f"--live asks the real {provider} and needs {', '.join(missing)} in the environment; "
            "without --live a scripted stand-in plays the model"
        )
    return Choice(provider, is_live=True)
