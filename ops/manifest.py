"""What a backup says of itself: when it was taken, of which schema, and how many rows it holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


class ManifestError(Exception):
    """A manifest cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """As `ops/queries/backup_manifest.sql` writes it, of the same snapshot as the dump."""

    recovery_point: datetime
    """What was committed before is in the dump."""
    schema_step: str
    """The latest migration."""
    server_version: int
    """Such as 160004."""
    newest_job: str | None
    open_jobs: int
    rows: Mapping[str, int]
    """By table."""

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read a file.

        Raises:
            ManifestError: it is none.
        """
        try:
            plain = json.loads(path.read_text("utf-8"))
            return cls(
                recovery_point=datetime.fromisoformat(plain["recovery_point"]),
                schema_step=str(plain["schema_step"]),
                server_version=int(plain["server_version"]),
                newest_job=plain["newest_job"],
                open_jobs=int(plain["open_jobs"]),
                rows={str(table): int(count) for table, count in plain["rows"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ManifestError(f"{path.name} is no manifest of a backup.") from None
