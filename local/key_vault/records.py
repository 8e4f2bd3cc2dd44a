"""The secrets of a vault with their versions, and what was deleted and can still be recovered.

Source: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets
"""

import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

from local.key_vault.errors import VaultError, miss_secret, refuse_parameter

MAX_VALUE_BYTES: Final = 25 * 1024
MAX_TAGS: Final = 15
RETENTION_DAYS: Final = 90
_NAME: Final = re.compile(r"[0-9a-zA-Z-]{1,127}")


@dataclass(slots=True)
class Version:
    """One value of a secret. Times are seconds since 1970, whole ones as in the real vault."""

    id: str
    value: str
    created: int
    updated: int
    order: int
    """Counts the versions of the vault: two of the same second have an order too."""
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Secret:
    """A secret, the same in whatever case its name is written."""

    name: str
    versions: list[Version] = field(default_factory=list)
    deleted: int | None = None


class Records:
    """What a vault holds. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._secrets: dict[str, Secret] = {}
        self._order = 0

    def write(self, name: str, value: str, body: dict[str, Any] | None = None) -> Version:
        """Add a version, which becomes the current one.

        Raises:
            VaultError: for a name or a value that cannot be, or while a deleted one is kept.
        """
        if not _NAME.fullmatch(name):
            raise refuse_parameter(
                f"The request URI contains an invalid name: {name}. A name is 1 to 127 letters, "
                "digits and dashes."
            )
        if len(value.encode()) > MAX_VALUE_BYTES:
            raise refuse_parameter(f"Secret value exceeds the limit of {MAX_VALUE_BYTES} bytes.")
        with self._lock:
            known = self._secrets.setdefault(name.lower(), Secret(name))
            if known.deleted is not None:
                raise VaultError(
                    409,
                    "Conflict",
                    f"Secret {known.name} is currently in a deleted but recoverable state, and its "
                    "name cannot be reused; in this state, the secret can only be recovered or "
                    "purged.",
                    inner="ObjectIsDeletedButRecoverable",
                )
            now = int(time.time())
            self._order += 1
            version = Version(secrets.token_hex(16), value, now, now, self._order)
            change(version, body or {})
            known.versions.append(version)
            return version

    def find(self, name: str) -> Secret:
        """Find a secret that is not deleted.

        Raises:
            VaultError: 404.
        """
        with self._lock:
            found = self._secrets.get(name.lower())
            if found is None or found.deleted is not None:
                raise miss_secret(name)
            return found

    def find_version(self, name: str, version_id: str) -> tuple[Secret, Version]:
        """Find a version of a secret, the current one for an empty id.

        Raises:
            VaultError: 404.
        """
        with self._lock:
            found = self.find(name)
            if not version_id:
                return found, found.versions[-1]
            for version in found.versions:
                if version.id == version_id.lower():
                    return found, version
            raise miss_secret(f"{name}/{version_id}")

    def list_names(self) -> list[Secret]:
        """List what is there, by name."""
        with self._lock:
            known = sorted(self._secrets.items())
            return [secret for _, secret in known if secret.deleted is None]

    def list_deleted(self) -> list[Secret]:
        """List what was deleted and is kept."""
        with self._lock:
            return [secret for secret in self._secrets.values() if secret.deleted is not None]

    def delete(self, name: str) -> Secret:
        """Delete a secret with all its versions; it is kept and can be recovered.

        Raises:
            VaultError: 404.
        """
        with self._lock:
            found = self.find(name)
            found.deleted = int(time.time())
            return found

    def find_deleted(self, name: str) -> Secret:
        """Find a secret that was deleted and is kept.

        Raises:
            VaultError: 404.
        """
        with self._lock:
            found = self._secrets.get(name.lower())
            if found is None or found.deleted is None:
                raise VaultError(404, "SecretNotFound", f"Deleted Secret not found: {name}")
            return found

    def recover(self, name: str) -> Secret:
        """Bring a deleted secret back."""
        with self._lock:
            found = self.find_deleted(name)
            found.deleted = None
            return found

    def purge(self, name: str) -> None:
        """Forget a deleted secret for good."""
        with self._lock:
            self.find_deleted(name)
            del self._secrets[name.lower()]


def change(version: Version, body: dict[str, Any]) -> None:
    """Change what can be changed of a version: attributes, tags, content type; never the value.

    Raises:
        VaultError: for attributes that cannot be.
    """
    attributes = body.get("attributes") or {}
    for name in ("nbf", "exp"):
        if attributes.get(name) is not None and not isinstance(attributes[name], int):
            raise refuse_parameter(f"Property {name} has invalid value")
    tags = body.get("tags")
    if tags is not None and len(tags) > MAX_TAGS:
        raise refuse_parameter(f"A secret has at most {MAX_TAGS} tags.")
    if attributes.get("enabled") is not None:
        version.enabled = bool(attributes["enabled"])
    if attributes.get("nbf") is not None:
        version.not_before = attributes["nbf"]
    if attributes.get("exp") is not None:
        version.expires = attributes["exp"]
    if tags is not None:
        version.tags = {str(key): str(value) for key, value in tags.items()}
    if body.get("contentType") is not None:
        version.content_type = str(body["contentType"])
    version.updated = int(time.time())
