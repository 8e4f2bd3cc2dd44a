"""Refusals in the vault's own words and shape.

Source: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

from typing import Any


class VaultError(Exception):
    """A request that the vault refuses."""

    def __init__(self, status: int, code: str, message: str, *, inner: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner
        """The more precise code, such as `SecretDisabled`."""

    def to_wire(self) -> dict[str, Any]:
        """Write the answer's body."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.inner:
            error["innererror"] = {"code": self.inner}
        return {"error": error}


def refuse_parameter(message: str) -> VaultError:
    """Refuse what cannot be meant so."""
    return VaultError(400, "BadParameter", message)


def miss_secret(label: str) -> VaultError:
    """Say that there is no such secret, or no such version of it."""
    return VaultError(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {label} was not found in this key vault. If you recently deleted "
        "this secret you may be able to recover it using the correct recovery command.",
    )
