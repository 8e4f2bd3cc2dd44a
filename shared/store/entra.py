"""Signs in to Postgres as the app's managed identity: a token stands in for the password.

azure-identity keeps a token and renews it before it ends; a connection that is open outlives the
token it was opened with.
Source: https://learn.microsoft.com/azure/postgresql/flexible-server/security-entra-configure
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

SCOPE: Final = "https://ossrdbms-aad.database.windows.net/.default"


def demand_certificate(url: URL) -> URL:
    """Let nobody but the server itself have the token, unless the URL says how that is checked."""
    if "sslrootcert" in url.query:
        return url
    import certifi

    return url.update_query_dict({"sslmode": "verify-full", "sslrootcert": certifi.where()})


def sign_in_by_token(engine: Engine, client_id: str) -> None:
    """Give every new connection of an engine a token; `client_id` empty: the host's identity."""

    @cache
    def open_credential() -> Any:
        from azure.identity import ManagedIdentityCredential

        return ManagedIdentityCredential(client_id=client_id or None, retry_total=0)

    def bring_token(
        _dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]
    ) -> None:
        from azure.core.exceptions import AzureError
        from psycopg import OperationalError

        try:
            parameters["password"] = open_credential().get_token(SCOPE).token
        except AzureError as error:  # to whoever connects: the database cannot be reached now
            raise OperationalError(f"no token: {type(error).__name__}") from None

    event.listen(engine, "do_connect", bring_token)
