"""Settings about how long records are kept."""

from dataclasses import dataclass

from shared.settings.reader import Reader

_MAX_DAYS = 10 * 366


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long records are kept, in days. Artifacts and cached results bring their own expiry."""

    jobs_days: int = 30
    """Jobs with their variants, and the ledger of their effects."""
    usage_days: int = 400
    """What calls to models took: thirteen months, so that a month compares with last year's."""
    audit_days: int = 730
    security_days: int = 365


def read_retention_settings(reader: Reader) -> RetentionSettings:
    """Read everything that is about retention; faults stay with the reader."""
    prefix = "CODE_AGENT_RETENTION"
    return RetentionSettings(
        jobs_days=reader.whole(f"{prefix}_JOBS_DAYS", 30, 1, _MAX_DAYS),
        usage_days=reader.whole(f"{prefix}_USAGE_DAYS", 400, 1, _MAX_DAYS),
        audit_days=reader.whole(f"{prefix}_AUDIT_DAYS", 730, 1, _MAX_DAYS),
        security_days=reader.whole(f"{prefix}_SECURITY_DAYS", 365, 1, _MAX_DAYS),
    )
