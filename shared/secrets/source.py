"""What the users of secrets see of them, wherever they are kept."""

from datetime import datetime
from typing import Final, Protocol

WEBHOOK_SECRET: Final = "webhook-secret"  # noqa: S105 - the name of a secret
ADO_PAT: Final = "ado-pat"
LINK_KEY: Final = "link-signing-key"
PAGES_KEY: Final = "pages-key"
DATABASE_URL: Final = "database-url"
CANARY_PAT: Final = "canary-pat"
OPTIONAL: Final = (LINK_KEY, PAGES_KEY)
"""Those that the app does without where they are not there."""
ALL_NAMES: Final = (
    ADO_PAT,
    WEBHOOK_SECRET,
    *OPTIONAL,
    DATABASE_URL,
    CANARY_PAT,
    "anthropic-api-key",
    "openai-api-key",
    "azure-openai-api-key",
    "compatible-api-key",
)
"""Every secret that the app may read."""


class Secrets(Protocol):
    """The credentials of the app. Threads may share it."""

    def read(self, name: str) -> str:
        """Read the current value of a secret.

        Raises:
            SecretMissingError: it is not there, or blank.
            SecretsUnavailableError: the vault does not answer, and no value is kept.
        """

    def read_accepted(self, name: str) -> tuple[str, ...]:
        """Read every value that is accepted now: the current and, while rotating, the previous.

        Raises:
            SecretsUnavailableError: as `read`; one that is not there is an empty tuple.
        """

    def refresh(self, name: str) -> None:
        """Read a secret anew: somebody did not accept it, or offers another one.

        Says nothing when that fails; what is kept stays in use. Not more often than every few
        seconds, whoever asks.
        """

    def is_kept(self, name: str) -> bool:
        """Answer whether a secret can be read without waiting for anything."""

    def is_stale(self, name: str) -> bool:
        """Answer whether an old value is served, because the vault does not answer."""

    def find_expiry(self, name: str) -> datetime | None:
        """Answer when a secret expires; None where nobody has said so."""

    def close(self) -> None:
        """Stop what runs in the background."""
