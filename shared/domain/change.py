"""What a patch does to a repository, file by file, once it has been applied in memory.

Values only: `shared.patching` reads and matches edits, `shared.ado` pushes the result.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_PATCH_BYTES: Final = 200_000
"""Of an edit as it was written, where no setting says otherwise."""
MAX_PATCH_FILES: Final = 50
"""That an edit may change, where no setting says otherwise."""


class ChangeKind(StrEnum):
    """What happens to a file."""

    ADD = "add"
    EDIT = "edit"
    DELETE = "delete"
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a patch, with the whole of its new content."""

    path: str
    """Path in the repository after the change, with forward slashes and without a leading one."""
    kind: ChangeKind
    """A rename with an edit is a rename whose content is given."""
    content: bytes | None = None
    """New bytes of the file; None for a deletion and for a rename that edits nothing."""
    previous_path: str | None = None
    """Where a renamed file was; None for every other kind."""


@dataclass(frozen=True, slots=True)
class PatchStatistics:
    """The size of a patch, as `git diff --shortstat` counts it."""

    files_changed: int
    lines_added: int
    lines_deleted: int
