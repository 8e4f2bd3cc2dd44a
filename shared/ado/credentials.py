"""Who the agent is to Azure DevOps: a personal access token, or an Entra token."""

import base64
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from shared.ado.errors import AdoError

SCOPE: Final = "499b84ac-1321-427f-aa17-267ca6975798/.default"
"""Azure DevOps as a resource of Entra.
Source: https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity"""
RENEW_BEFORE_S: Final = 300.0


class AdoCredential(Protocol):
    """Something that proves who the agent is."""

    def read_header(self) -> str:
        """Answer the value of the Authorization header."""

    def refresh(self) -> None:
        """Forget what is kept: the service did not accept it."""


class PatCredential:
    """A personal access token, read from where secrets are kept at each use."""

    def __init__(
        self, read_pat: Callable[[], str], refresh_pat: Callable[[], None] = lambda: None
    ) -> None:
        self._read_pat = read_pat
        self._refresh_pat = refresh_pat

    def read_header(self) -> str:
        """Answer Basic with an empty user, as Azure DevOps wants it."""
        token = base64.b64encode(f":{self._read_pat()}".encode()).decode()
        return f"Basic {token}"

    def refresh(self) -> None:
        """Let the token be read anew where it is kept."""
        self._refresh_pat()


class EntraCredential:
    """A bearer token of the managed identity, or of the developer's own sign-in locally."""

    def __init__(self, client_id: str | None = None) -> None:
        self._client_id = client_id or os.environ.get("AZURE_CLIENT_ID") or None
        self._lock = threading.Lock()
        self._source: Any = None
        self._token = ""
        self._expires_at = 0.0

    def read_header(self) -> str:
        """Answer a token that is good for some minutes more.

        Raises:
            AdoError: `ado.unauthenticated`, when Entra gives none.
        """
        with self._lock:
            if time.time() > self._expires_at - RENEW_BEFORE_S:
                self._renew()
            return f"Bearer {self._token}"

    def refresh(self) -> None:
        """Ask Entra again before the next call."""
        with self._lock:
            self._expires_at = 0.0

    def _renew(self) -> None:
        # imported late: Entra's libraries cost a cold start more than everything else together
        from azure.core.exceptions import AzureError

        if self._source is None:
            self._source = _choose_source(self._client_id)
        try:
            token = self._source.get_token(SCOPE)
        except AzureError as error:
            raise AdoError("ado.unauthenticated", operation="get token") from error
        self._token, self._expires_at = token.token, float(token.expires_on)


def _choose_source(client_id: str | None) -> Any:
    """Answer the managed identity where the host offers one, else the developer's own sign-in."""
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if os.environ.get("IDENTITY_ENDPOINT"):  # set by Azure Functions when there is an identity
        return ManagedIdentityCredential(client_id=client_id)
    return DefaultAzureCredential(managed_identity_client_id=client_id)
