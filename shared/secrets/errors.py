"""What goes wrong with secrets. The errors name a secret, and never hold one."""

from shared.domain.errors import CodeAgentError, Verdict


class SecretMissingError(CodeAgentError):
    """A secret that is needed is not configured."""

    def __init__(self, name: str) -> None:
        super().__init__("secrets.missing", f"The secret {name} is not configured.")


class SecretsUnavailableError(CodeAgentError):
    """The vault does not answer, and nothing is kept that could be served instead."""

    verdict = Verdict.RETRY

    def __init__(self, name: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(
            "secrets.unavailable",
            f"The secret {name} cannot be read now.",
            retry_after_s=retry_after_s,
        )
