"""Secrets from environment variables: `func start`, the stand-ins, and Key Vault references.

`ado-pat` is read from ADO_PAT, and so on; the previous value of a rotated secret from the same name
with `_PREVIOUS`. Read at every use: a change reaches a running app.
"""

from collections.abc import Mapping
from datetime import datetime

from shared.secrets.errors import SecretMissingError


class EnvironmentSecrets:
    """The secrets of this process's environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def read(self, name: str) -> str:
        """Read the current value of a secret.

        Raises:
            SecretMissingError: it is not set, or blank.
        """
        value = self._environment.get(_variable(name), "").strip()
        if not value:
            raise SecretMissingError(name)
        return value

    def read_accepted(self, name: str) -> tuple[str, ...]:
        """Read every value that is accepted now: the current and, while rotating, the previous."""
        variable = _variable(name)
        values = (self._environment.get(key, "") for key in (variable, f"{variable}_PREVIOUS"))
        return tuple(value.strip() for value in values if value.strip())

    def refresh(self, name: str) -> None:
        """Nothing is kept here."""

    def is_kept(self, name: str) -> bool:  # noqa: ARG002 - as `Secrets` has it
        """Nothing is waited for here."""
        return True

    def is_stale(self, name: str) -> bool:  # noqa: ARG002 - as above
        """Nothing grows old here."""
        return False

    def find_expiry(self, name: str) -> datetime | None:  # noqa: ARG002 - as above
        """Nobody says here when a secret expires."""
        return None

    def close(self) -> None:
        """Nothing runs here."""


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
