"""Verifies a delivery with the secrets that are kept, and once more with those read anew.

So a secret that was rotated a moment ago is accepted also by an instance that still keeps the old
one. Reading anew has one thread of its own: whoever guesses passwords waits there, and nobody else.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from shared.secrets.source import WEBHOOK_SECRET, Secrets
from shared.webhook.verify import VerificationError, verify_request


async def verify_sender(secrets: Secrets, headers: Mapping[str, str], body: bytes) -> None:
    """Return when the delivery carries an accepted secret.

    Raises:
        VerificationError: it does not; see `verify_request`.
        SecretsUnavailableError: it cannot be told, as the vault does not answer.
    """
    if secrets.is_kept(WEBHOOK_SECRET):
        accepted = secrets.read_accepted(WEBHOOK_SECRET)
    else:
        accepted = await asyncio.to_thread(secrets.read_accepted, WEBHOOK_SECRET)
    try:
        verify_request(headers, body, secrets=accepted)
    except VerificationError as error:
        if error.code == "webhook.credential_missing":
            raise
    else:
        return
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(_open_queue(), secrets.refresh, WEBHOOK_SECRET)
    newer = secrets.read_accepted(WEBHOOK_SECRET)
    verify_request(headers, body, secrets=newer)


@cache
def _open_queue() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "code-agent-reread")
