"""Tokens in the links of comments: each opens the pages of one job until a day, and nothing else.

    {day of expiry, seconds since 1970}.{HMAC-SHA256 of job and expiry, base64url}

Nobody who has no token learns one from another, and nothing has to be kept to check one.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_LONGEST: Final = 200


def write_page_token(job_id: str, *, key: bytes, expires_at: datetime) -> str:
    """Write the token that opens a job's pages until an instant."""
    expiry = int(expires_at.timestamp())
    return f"{expiry}.{_sign(job_id, expiry, key)}"


def is_page_token_good(token: str, job_id: str, *, keys: Sequence[bytes], now: datetime) -> bool:
    """Answer whether a token opens a job's pages now; never raises, whatever the token."""
    expiry, _, signature = token.partition(".")
    if len(token) > _LONGEST or not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 12):
        return False
    offered = signature.encode("utf-8", "surrogatepass")
    # every key is tried, so that the time tells nothing
    matches = [
        hmac.compare_digest(offered, _sign(job_id, int(expiry), key).encode()) for key in keys
    ]
    return any(matches) and now.astimezone(UTC).timestamp() < int(expiry)


def _sign(job_id: str, expiry: int, key: bytes) -> str:
    text = f"job-page\n{job_id}\n{expiry}".encode("utf-8", "surrogatepass")
    digest = hmac.new(key, text, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
