"""Keys derived from one secret, each good for one purpose: none tells the secret or another key.

HKDF with SHA-256, one block. Source: https://www.rfc-editor.org/rfc/rfc5869
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SALT: Final = b"code-agent"
_LINKS: Final = b"code-agent links v1"
_PEOPLE: Final = b"code-agent people v1"


@dataclass(frozen=True, slots=True, repr=False)
class DerivedKeys:
    """The keys of an app."""

    links: tuple[bytes, ...]
    """Links to pages are signed with the first, and accepted with each."""
    people: bytes
    """People are hashed with it in telemetry."""


def derive_keys(secrets: Sequence[str]) -> DerivedKeys:
    """Derive the keys.

    Args:
        secrets: at least one, the current first; behind it those that are still accepted.
    """
    return DerivedKeys(
        links=tuple(derive_key(secret.encode(), _LINKS) for secret in secrets),
        people=derive_key(secrets[0].encode(), _PEOPLE),
    )


def derive_key(secret: bytes, purpose: bytes) -> bytes:
    """Derive a key of 32 bytes for a purpose."""
    extracted = hmac.new(_SALT, secret, hashlib.sha256).digest()
    return hmac.new(extracted, purpose + b"\x01", hashlib.sha256).digest()
