"""Where Postgres is and who the app is to it: asked for each time that a connection is made.

So a password that was rotated is used by the next connection, and no process has to start anew.
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared.domain.errors import StoreError, Verdict

_BACKENDS: Final = frozenset({"postgres", "postgresql", "sqlite"})
ENTRA_SCOPE: Final = "https://ossrdbms-aad.database.windows.net/.default"
"""Azure's Postgres as a resource of Entra; the token is the password.
Source: https://learn.microsoft.com/azure/postgresql/flexible-server/security-connect-with-managed-identity"""


def parse_address(text: str) -> URL:
    """Parse the address of a database.

    Raises:
        StoreError: `store.address`, without the address, which may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        reason = "The database's address cannot be read."
    else:
        if url.get_backend_name() in _BACKENDS:
            return url
        reason = "The database's address names neither Postgres nor SQLite."
    raise StoreError("store.address", reason, verdict=Verdict.BUG)


class Login:
    """An address of the database, and how it is read anew when it lets nobody in."""

    def __init__(
        self,
        url: str,
        *,
        reread: Callable[[], str] | None = None,
        read_password: Callable[[], str] | None = None,
    ) -> None:
        """Take the address, what reads it anew, and what answers a password for one connection.

        Raises:
            StoreError: as `parse_address` says.
        """
        self.url = parse_address(url)
        self._reread = reread
        self._read_password = read_password

    def read(self) -> URL:
        """Answer the address for one connection."""
        if self._read_password is None:
            return self.url
        return self.url.set(password=self._read_password())

    def renew(self) -> bool:
        """Read the address anew; answer whether it is another one."""
        if self._reread is None:
            return False
        known, self.url = self.url, parse_address(self._reread())
        return known != self.url


class EntraPassword:
    """Tokens of a managed identity, one for each connection; azure-identity keeps and renews them.

    The identity is a role of the database, made by `pgaadauth_create_principal`.
    """

    def __init__(self, open_identity: Callable[[], Any]) -> None:
        """Take what makes a credential of azure-identity, such as `ManagedIdentityCredential`."""
        self._open_identity = open_identity
        self._identity: Any = None

    def __call__(self) -> str:
        """Answer a token.

        Raises:
            ConnectionError: Entra gives none at the moment.
        """
        from azure.core.exceptions import AzureError

        if self._identity is None:
            self._identity = self._open_identity()
        try:
            token: str = self._identity.get_token(ENTRA_SCOPE).token
        except AzureError:
            raise ConnectionError("Entra gave no token for the database.") from None
        return token
