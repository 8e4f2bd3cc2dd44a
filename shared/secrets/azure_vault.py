"""Reads the versions of a secret from Azure Key Vault, as the app's managed identity. One try.

The identity needs the role "Key Vault Secrets User": values, names and versions, nothing else.
Source: https://learn.microsoft.com/azure/key-vault/general/rbac-guide
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S: Final = 5.0
READ_TIMEOUT_S: Final = 10.0
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """One value of a secret; shown without it."""

    value: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None


class Trouble(StrEnum):
    """Why a vault could not be read."""

    UNREACHABLE = "unreachable"
    """No answer, a broken one, a fault of the vault, or no token to ask with."""
    THROTTLED = "throttled"
    FORBIDDEN = "forbidden"
    """The identity has no role there, or the vault's firewall keeps us out."""


class VaultError(Exception):
    """A secret could not be read now. Says nothing about whether it is there."""

    def __init__(self, trouble: Trouble, retry_after_s: float | None = None) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble
        self.retry_after_s = retry_after_s


class Vault(Protocol):
    """Where secrets are kept with their versions."""

    def fetch(self, name: str, *, with_previous: bool) -> tuple[SecretVersion, ...]:
        """Read the current version, and the one before it if asked for; empty when there is none.

        Raises:
            VaultError: it could not be found out.
        """

    def close(self) -> None:
        """Close the connections."""


def open_identity(client_id: str) -> Any:
    """Open the app's managed identity; empty is the one that the host itself has."""
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id or None, retry_total=0)


def open_client(url: str, credential: Any) -> Any:
    """Open a `SecretClient` that tries once and does not wait for long.

    The SDK's check that a challenge names a parent domain of the vault stays on, but for loopback,
    where there are no such domains.
    """
    from azure.keyvault.secrets import SecretClient

    for name in ("azure.core", "azure.identity", "msal"):  # they tell of every request
        logging.getLogger(name).setLevel(logging.WARNING)
    return SecretClient(
        vault_url=url,
        credential=credential,
        retry_total=0,
        connection_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        verify_challenge_resource=urlsplit(url).hostname not in _LOOPBACK,
    )


class AzureVault:
    """A Key Vault; connected when first read."""

    def __init__(self, url: str, open_credential: Callable[[], Any]) -> None:
        self._url = url
        self._open_credential = open_credential
        self._lock = threading.Lock()
        self._credential: Any = None
        self._client: Any = None

    def close(self) -> None:
        """Close the connections; a later read opens new ones."""
        with self._lock:
            for opened in (self._client, self._credential):
                if opened is not None:
                    opened.close()
            self._client = self._credential = None

    def fetch(self, name: str, *, with_previous: bool) -> tuple[SecretVersion, ...]:
        """Read the current version, and the one before it if asked for; empty when there is none.

        A current version that was disabled is passed over for the newest that is enabled: so a
        rotation is taken back by disabling what it wrote.

        Raises:
            VaultError: it could not be found out.
        """
        from azure.core.exceptions import AzureError, ResourceNotFoundError

        try:
            return tuple(self._read_versions(name, with_previous=with_previous))
        except ResourceNotFoundError:
            return ()
        except (AzureError, ValueError) as error:  # a challenge that is not the vault's own
            failure = _classify(error)
        raise failure  # outside: the SDK's error holds the request with its token

    def _read_versions(self, name: str, *, with_previous: bool) -> Iterator[SecretVersion]:
        from azure.core.exceptions import HttpResponseError

        client = self._connect()
        current = ""
        try:
            found = client.get_secret(name)
        except HttpResponseError as error:
            if not _is_disabled(error):
                raise
        else:
            current = found.properties.version
            yield _read(found)
        if current and not with_previous:
            return
        known = client.list_properties_of_secret_versions(name)
        others = [one for one in known if one.enabled and one.version != current]
        others.sort(key=lambda one: one.created_on or _LONG_AGO, reverse=True)
        for one in others[: 1 if current else 1 + with_previous]:
            yield _read(client.get_secret(name, one.version))

    def _connect(self) -> Any:
        with self._lock:
            if self._client is None:
                self._credential = self._open_credential()
                self._client = open_client(self._url, self._credential)
            return self._client


def _read(found: Any) -> SecretVersion:
    properties = found.properties
    return SecretVersion(
        (found.value or "").strip(),  # a line break at the end is easily stored with it
        properties.created_on or _LONG_AGO,
        properties.expires_on,
    )


def _is_disabled(error: Any) -> bool:
    inner = getattr(error.error, "innererror", None) or {}
    return error.status_code == 403 and inner.get("code") == "SecretDisabled"


def _classify(error: Any) -> VaultError:
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None)
    if status == 429 and response is not None:
        wait = response.headers.get("Retry-After", "")
        return VaultError(Trouble.THROTTLED, float(wait) if wait.isdigit() else None)
    return VaultError(Trouble.FORBIDDEN if status in (401, 403) else Trouble.UNREACHABLE)
