"""The time of day, as a seam: activities ask a `Clock`, orchestrators ask their context."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present moment in UTC."""


def read_utc_clock() -> datetime:
    """Answer the present moment in UTC, with a time zone."""
    return datetime.now(UTC)


def format_instant(moment: datetime) -> str:
    """Write an instant as ISO 8601 in UTC, for durable inputs and the database."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC).isoformat()


def parse_instant(text: str) -> datetime:
    """Read what `format_instant` wrote.

    Raises:
        ValueError: not an ISO 8601 instant, or one without a time zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC)
