"""Decides whether a delivery comes from somebody who knows the secret. Fails closed.

Azure DevOps signs nothing: a service hook can send a Basic password (confidential) or fixed headers
(readable by whoever sees the subscription). A relay that can sign may add `X-Hub-Signature-256`.
Source: https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.domain.errors import CodeAgentError, Verdict

SECRET_HEADER: Final = "x-code-agent-secret"  # noqa: S105 - the name of a header
SIGNATURE_HEADER: Final = "x-hub-signature-256"


class VerificationError(CodeAgentError):
    """The sender did not prove that it knows the secret."""

    verdict = Verdict.POLICY


class InvalidSignatureError(VerificationError):
    """A signature was offered, and it is wrong."""


def verify_request(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str]) -> None:
    """Return when the request carries an accepted secret.

    Args:
        headers: of the request, names in any case.
        body: the raw bytes, as they were received.
        secrets: the current and, while it is being rotated, the previous secret.

    Raises:
        VerificationError: `webhook.not_configured`, `webhook.credential_missing` or
            `webhook.credential_wrong`. Every credential that is offered must be right.
        InvalidSignatureError: `webhook.signature_wrong`.
    """
    accepted = [secret.encode() for secret in secrets if secret]
    if not accepted:
        raise VerificationError("webhook.not_configured", "No webhook secret is configured.")
    plain = {name.lower(): value for name, value in headers.items()}
    offered = _read_credentials(plain)
    if not offered:
        raise VerificationError("webhook.credential_missing", "The delivery carries no secret.")
    wrong = [secret for secret in offered if not _is_accepted(secret, accepted)]
    if wrong:
        raise VerificationError("webhook.credential_wrong", "The delivery's secret is wrong.")
    if SIGNATURE_HEADER in plain:
        _verify_signature(plain[SIGNATURE_HEADER], body, accepted)


def _read_credentials(headers: Mapping[str, str]) -> list[bytes]:
    offered: list[bytes] = []
    scheme, _, encoded = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            user_and_password = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            user_and_password = b""
        offered.append(user_and_password.partition(b":")[2])
    if SECRET_HEADER in headers:
        offered.append(headers[SECRET_HEADER].strip().encode("utf-8", "surrogatepass"))
    return offered


def _verify_signature(signature: str, body: bytes, accepted: Iterable[bytes]) -> None:
    expected = [
        b"sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
        for secret in accepted
    ]
    if not _is_accepted(signature.strip().lower().encode("utf-8", "surrogatepass"), expected):
        raise InvalidSignatureError("webhook.signature_wrong", "The delivery's signature is wrong.")


def _is_accepted(offered: bytes, accepted: Iterable[bytes]) -> bool:
    """Compare in constant time with every value; digests, so that no length is told either."""
    digest = hashlib.sha256(offered).digest()
    matches = [hmac.compare_digest(digest, hashlib.sha256(secret).digest()) for secret in accepted]
    return any(matches)
