"""Chooses where secrets come from: the vault of the settings, or the environment without one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.secrets.environment import EnvironmentSecrets
from shared.settings import VaultSettings

if TYPE_CHECKING:
    from shared.secrets.key_vault import StaleListener
    from shared.secrets.source import Secrets


def open_secrets(
    settings: VaultSettings, environment: Mapping[str, str], *, on_stale: "StaleListener"
) -> "Secrets":
    """Open the secrets; with a vault, no variable is ever taken for one."""
    if not settings.url:
        return EnvironmentSecrets(environment)
    from shared.secrets.azure_vault import AzureVault, open_identity
    from shared.secrets.key_vault import CacheTerms, KeyVaultSecrets

    return KeyVaultSecrets(
        AzureVault(settings.url, lambda: open_identity(settings.client_id)),
        CacheTerms(settings.ttl_s, settings.stale_s, settings.overlap_s),
        on_stale=on_stale,
    )
