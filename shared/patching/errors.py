"""What can be wrong with an edit: one code for each reason, and a report written for the model.

    patch.unreadable          the text is not an edit in any format that we read
    patch.no_edits            it could be read and asks for nothing
    patch.file_not_found      it edits, deletes or renames a file that is not there
    patch.file_exists         it creates or renames onto a file that is there
    patch.context_not_found   the lines to be replaced are not in the file
    patch.ambiguous           they are there more than once
    patch.uncertain           they are there changed, and where the new lines belong is not certain
    patch.overlap             two edits replace the same lines
    patch.conflict            the branch has changed the same lines since the model saw them
    patch.nothing_changed     applied, it leaves every file as it was
    patch.path_refused        a path is absolute, climbs, lies in `.git` or behind a symbolic link
    patch.protected           a path is protected by setting
    patch.too_large           more bytes than the setting allows
    patch.too_many_files      more files than the setting allows
    patch.binary              a binary file, or binary content
    patch.encoding            new text that the file's encoding cannot hold
    patch.conflict_markers    conflict markers are left in the result
    patch.elided              new lines say that lines were left out, and lines are gone
    patch.syntax_broken       the file was well-formed and is not any more
    patch.secret_introduced   the new lines hold what looks like a credential

`message` is short, for people, and quotes no code. `report` is for the model: it quotes the failing
block, shows the nearest real lines with their numbers and says what to change.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain import errors

if TYPE_CHECKING:
    from shared.patching.script import FileEdit


class PatchCode(StrEnum):
    """Every reason for refusing an edit; the table in the module's docstring explains each."""

    UNREADABLE = "patch.unreadable"
    NO_EDITS = "patch.no_edits"
    FILE_NOT_FOUND = "patch.file_not_found"
    FILE_EXISTS = "patch.file_exists"
    CONTEXT_NOT_FOUND = "patch.context_not_found"
    AMBIGUOUS = "patch.ambiguous"
    UNCERTAIN = "patch.uncertain"
    OVERLAP = "patch.overlap"
    CONFLICT = "patch.conflict"
    NOTHING_CHANGED = "patch.nothing_changed"
    PATH_REFUSED = "patch.path_refused"
    PROTECTED = "patch.protected"
    TOO_LARGE = "patch.too_large"
    TOO_MANY_FILES = "patch.too_many_files"
    BINARY = "patch.binary"
    ENCODING = "patch.encoding"
    CONFLICT_MARKERS = "patch.conflict_markers"
    ELIDED = "patch.elided"
    SYNTAX_BROKEN = "patch.syntax_broken"
    SECRET_INTRODUCED = "patch.secret_introduced"  # noqa: S105 (a code, not a credential)


_REFUSED_BY_RULE = frozenset(
    {
        PatchCode.PATH_REFUSED,
        PatchCode.PROTECTED,
        PatchCode.TOO_LARGE,
        PatchCode.TOO_MANY_FILES,
        PatchCode.SECRET_INTRODUCED,
    }
)


class PatchError(errors.PatchError):
    """An edit that is refused as a whole: no file of it is changed."""

    def __init__(
        self,
        code: PatchCode,
        message: str,
        *,
        path: str | None = None,
        report: str | None = None,
        facts: Mapping[str, str | int | float | bool] | None = None,
    ) -> None:
        verdict = errors.Verdict.POLICY if code in _REFUSED_BY_RULE else None
        super().__init__(str(code), message, verdict=verdict, facts=facts)
        self.path = path
        """The file it is about, or None when it is about the edit as a whole."""
        self.report = report or message
        """What to tell the model; quotes code, so it never goes into logs or telemetry."""
        self.failed_hunks: tuple[int, ...] = ()
        """Which hunks of the file did not fit, where it is about hunks; from 0."""
        self.parts: tuple[PatchError, ...] = ()
        """What it joins, where several files are refused at once."""
        self.fitting: tuple[FileEdit, ...] = ()
        """What did fit: `apply_edits` takes it as `kept` when the rest comes anew."""
