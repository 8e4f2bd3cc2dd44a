"""Settings about secrets: which vault, as whom, and how long what it says counts. No secrets."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from shared.settings.reader import Reader

DATABASE_MARK: Final = "keyvault:database-url"
"""In place of the database's URL: it is the vault's secret of that name."""
_SUFFIXES: Final = (".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net")
"""Of the public cloud, China and the US government.
Source: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates"""
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "kv.localhost", "::1"})


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """What operators decide about secrets. Units are in the names."""

    url: str
    """Empty: secrets are environment variables."""
    client_id: str
    """The user-assigned identity that reads; empty: the host's own."""
    ttl_s: float
    """A value is read anew before it is older."""
    stale_s: float
    """How long old values are served while the vault does not answer."""
    overlap_s: float
    """How long the previous webhook secret is accepted after a new one was written."""
    expiry_days: int
    """How long before it expires a secret is told of."""


def read_vault_settings(reader: Reader) -> VaultSettings:
    """Read everything that is about secrets; faults stay with the reader."""
    url = reader.text("CODE_AGENT_KEY_VAULT_URL").rstrip("/")
    if url and not _is_vault(url):
        reader.faults.append(
            "CODE_AGENT_KEY_VAULT_URL: https://{name}.vault.azure.net expected (or another cloud's)"
        )
        url = ""
    return VaultSettings(
        url=url,
        client_id=reader.text("CODE_AGENT_KEY_VAULT_CLIENT_ID", reader.text("AZURE_CLIENT_ID")),
        ttl_s=reader.number("CODE_AGENT_SECRET_TTL_S", 300, 1, 86_400),
        stale_s=reader.number("CODE_AGENT_SECRET_STALE_S", 86_400, 3600, 30 * 86_400),
        overlap_s=reader.number("CODE_AGENT_SECRET_OVERLAP_S", 7 * 86_400, 0, 90 * 86_400),
        expiry_days=reader.whole("CODE_AGENT_SECRET_EXPIRY_DAYS", 14, 0, 365),
    )


def _is_vault(url: str) -> bool:
    """Tell a vault's address: a secret is never asked for anywhere else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_bare = not (parts.path or parts.query or parts.fragment or parts.username)
    is_known = host in _LOOPBACK or (host.endswith(_SUFFIXES) and port in (None, 443))
    return parts.scheme == "https" and is_bare and is_known
