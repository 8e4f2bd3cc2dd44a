"""The operator's side of the vault: writes new versions, and disables old ones.

Needs the role "Key Vault Secrets Officer", which the app has not.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from ops.rotate_steps import RefusedError, StoppedError
from shared.secrets.azure_vault import open_client

MARK: Final = "rotation"
"""Tag of a version whose rotation is not over: whoever repeats the command goes on with it."""


@dataclass(frozen=True, slots=True)
class Held:
    """One enabled version of a secret, without its value."""

    id: str
    created_at: datetime
    is_pending: bool


class OperatorVault:
    """A vault, as whoever is signed in (`az login`, or a managed identity)."""

    def __init__(self, url: str) -> None:
        from azure.identity import DefaultAzureCredential

        client_id = os.environ.get("AZURE_CLIENT_ID") or None
        self._credential = DefaultAzureCredential(managed_identity_client_id=client_id)
        self._client: Any = open_client(url, self._credential)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
        self._credential.close()

    def list_versions(self, name: str) -> list[Held]:
        """List the enabled versions, the current one first.

        Raises:
            RefusedError: the vault does not answer, or not to this identity.
        """
        from azure.core.exceptions import AzureError

        try:
            known = [
                one for one in self._client.list_properties_of_secret_versions(name) if one.enabled
            ]
            current = self._client.get_secret(name).properties.version if known else ""
        except AzureError as error:
            raise RefusedError(_explain("The vault could not be read", error)) from None
        known.sort(key=lambda one: (one.version == current, one.created_on), reverse=True)
        return [Held(one.version, one.created_on, MARK in (one.tags or {})) for one in known]

    def read(self, name: str, version: str) -> str:
        """Read the value of a version."""
        return str(self._try("could not be read", self._client.get_secret, name, version).value)

    def write(self, name: str, value: str, expires_at: datetime) -> Held:
        """Write a version, marked as one whose rotation is not over."""
        made = self._try(
            "could not be written",
            self._client.set_secret,
            name,
            value,
            expires_on=expires_at,
            tags={MARK: "pending"},
        ).properties
        return Held(made.version, made.created_on, is_pending=True)

    def retire(self, name: str, version: str) -> None:
        """Disable a version: its value can be read no more, and it can be enabled again."""
        change = self._client.update_secret_properties
        self._try("could not be disabled", change, name, version, enabled=False)

    def finish(self, name: str, version: str) -> None:
        """Take the mark off a version."""
        change = self._client.update_secret_properties
        self._try("could not be marked as done", change, name, version, tags={})

    def _try(self, what: str, call: Any, name: str, *rest: Any, **more: Any) -> Any:
        from azure.core.exceptions import AzureError

        try:
            return call(name, *rest, **more)
        except AzureError as error:
            reason = _explain(f"{name} {what}", error)
        raise StoppedError(reason)


def _explain(what: str, error: Any) -> str:
    status = getattr(error, "status_code", None)
    code = getattr(getattr(error, "error", None), "code", None)
    reason = " ".join(str(part) for part in (status, code) if part)
    return f"{what} ({reason or type(error).__name__})."
