"""The table `artifacts`: what is too big for a durable message, by the hash of its content.

Compressed, checked when read, and gone after its expiry.
"""

import hashlib
import zlib
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update

from shared.domain.errors import StoreError, Verdict
from shared.store.batches import delete_some
from shared.store.tables import ARTIFACTS
from shared.store.upsert import insert_missing

_PREFIX: Final = "sha256:"


def put(
    connection: Connection,
    data: bytes,
    *,
    media_type: str,
    at: datetime,
    expires_at: datetime,
) -> str:
    """Keep data and answer its reference, `sha256:…`; the same data is kept once, the longest."""
    digest = hashlib.sha256(data).hexdigest()
    row = {
        "digest": digest,
        "media_type": media_type,
        "size_bytes": len(data),
        "data": zlib.compress(data),
        "created_at": at,
        "expires_at": expires_at,
    }
    if not insert_missing(connection, ARTIFACTS, row):
        longer = update(ARTIFACTS).where(ARTIFACTS.c.digest == digest)
        longer = longer.where(ARTIFACTS.c.expires_at < expires_at)
        connection.execute(longer.values(expires_at=expires_at))
    return _PREFIX + digest


def get(connection: Connection, reference: str) -> bytes:
    """Read data back.

    Raises:
        StoreError: `store.artifact_missing` or `store.artifact_damaged`; neither passes by itself.
    """
    digest = reference.removeprefix(_PREFIX)
    query = select(ARTIFACTS.c.data).where(ARTIFACTS.c.digest == digest)
    packed = connection.execute(query).scalar_one_or_none()
    if packed is None:
        raise StoreError(
            "store.artifact_missing", "A record of this job has expired.", verdict=Verdict.BUG
        )
    try:
        data = zlib.decompress(packed)
    except zlib.error:
        data = b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(
            "store.artifact_damaged", "A record of this job is damaged.", verdict=Verdict.BUG
        )
    return data


def delete_expired(connection: Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` artifacts whose time is over; answer how many."""
    return delete_some(connection, ARTIFACTS, ARTIFACTS.c.expires_at <= now, limit)
