"""The operators' settings: environment variables, read once and checked whole. No secrets."""

from shared.settings.app import VERSION, Settings, read_settings
from shared.settings.models import ModelSettings, ModelSource
from shared.settings.reader import SettingsError
from shared.settings.vault import VaultSettings

__all__ = [
    "VERSION",
    "ModelSettings",
    "ModelSource",
    "Settings",
    "SettingsError",
    "VaultSettings",
    "read_settings",
]
