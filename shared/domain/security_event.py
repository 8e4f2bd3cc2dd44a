"""What operators want to find again when they look into an abuse, kept longer than telemetry."""

from enum import StrEnum


class SecurityEventKind(StrEnum):
    """Kinds of security events; all are about somebody who is known, by a job or its refusal."""

    PERMISSION_DENIED = "permission_denied"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    SECRET_REFUSED = "secret_refused"  # noqa: S105 - a kind of event
    """A patch was refused because it adds a credential."""
