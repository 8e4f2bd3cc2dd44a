"""Who may do what: managed identities, their roles, and the tokens they were given.

Source: https://learn.microsoft.com/azure/key-vault/general/rbac-guide
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from local.key_vault.errors import VaultError


class Role(StrEnum):
    """A built-in role on the vault."""

    SECRETS_USER = "Key Vault Secrets User"
    """Reads values and lists names, versions and attributes."""
    SECRETS_OFFICER = "Key Vault Secrets Officer"
    """Everything about secrets, but for who may do it."""
    READER = "Key Vault Reader"
    """Lists, and never reads a value."""


READ_VALUE: Final = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
READ_METADATA: Final = "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
WRITE: Final = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
UPDATE: Final = "Microsoft.KeyVault/vaults/secrets/update/action"
DELETE: Final = "Microsoft.KeyVault/vaults/secrets/delete"
RECOVER: Final = "Microsoft.KeyVault/vaults/secrets/recover/action"
PURGE: Final = "Microsoft.KeyVault/vaults/secrets/purge/action"

_ACTIONS: Final[Mapping[Role, frozenset[str]]] = {
    Role.SECRETS_USER: frozenset({READ_VALUE, READ_METADATA}),
    Role.READER: frozenset({READ_METADATA}),
    Role.SECRETS_OFFICER: frozenset(
        {READ_VALUE, READ_METADATA, WRITE, UPDATE, DELETE, RECOVER, PURGE}
    ),
}


@dataclass(slots=True)
class Identity:
    """A managed identity; without a client id it is the host's own (system-assigned)."""

    client_id: str = ""
    roles: set[Role] = field(default_factory=set)

    def may(self, action: str) -> bool:
        """Answer whether one of its roles allows an action."""
        return any(action in _ACTIONS[role] for role in self.roles)


@dataclass(slots=True)
class Directory:
    """The identities there are, and the tokens that are good."""

    identities: list[Identity]
    lifetime_s: float = 3600.0
    """How long the next tokens are good."""
    foreign_tokens: dict[str, str] = field(default_factory=dict)
    """Resource to the token that another stand-in accepts, such as Azure DevOps'."""
    _given: dict[str, tuple[Identity, str, float]] = field(default_factory=dict)

    def find(self, client_id: str) -> Identity | None:
        """Find an identity of this host."""
        return next((one for one in self.identities if one.client_id == client_id), None)

    def give_token(self, identity: Identity, resource: str) -> tuple[str, int]:
        """Give a token for a resource; answers it with the second at which it ends."""
        ends = time.time() + self.lifetime_s
        foreign = self.foreign_tokens.get(resource.rstrip("/"))
        if foreign is not None:
            return foreign, int(ends)
        token = secrets.token_urlsafe(32)
        self._given[token] = (identity, resource.rstrip("/"), ends)
        return token, int(ends)

    def identify(self, authorization: str, resource: str) -> Identity | None:
        """Answer whose token a header carries; None for none that is good for the resource."""
        scheme, _, token = authorization.partition(" ")
        identity, audience, ends = self._given.get(token.strip(), (None, "", 0.0))
        if scheme.lower() != "bearer" or identity is None or time.time() > ends:
            return None
        return identity if audience == resource else None


def check_action(identity: Identity, action: str) -> None:
    """Return when an identity may do something.

    Raises:
        VaultError: 403 `ForbiddenByRbac`.
    """
    if not identity.may(action):
        raise VaultError(
            403,
            "Forbidden",
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny "
            "assignments or role definitions were changed recently, please observe propagation "
            f"time.\r\nCaller: appid={identity.client_id or 'system'}\r\nAction: '{action}'",
            inner="ForbiddenByRbac",
        )
