"""What an edit asks for, once it has been read: values, the same for every format.

Decides nothing: `read` builds them, `apply` carries them out.
"""

from dataclasses import dataclass
from enum import StrEnum


class EditFormat(StrEnum):
    """The ways in which a model may write an edit."""

    AUTO = "auto"
    STRUCTURED = "structured"
    SEARCH_REPLACE = "search_replace"
    UNIFIED_DIFF = "unified_diff"
    ENVELOPE = "v4a"
    WHOLE_FILE = "whole_file"


class Rung(StrEnum):
    """How a hunk was found, from the surest to the least sure."""

    EXACT = "exact"
    LINE_ENDINGS = "line_endings"
    TRAILING_BLANKS = "trailing_blanks"
    INDENTATION = "indentation"
    LOOK_ALIKES = "look_alikes"
    ELIDED = "elided"
    DRIFTED = "drifted"
    DONE = "already_there"
    """The file has the replacing lines already, just as written, and not the searched ones."""
    WHOLE_FILE = "whole_file"
    """The whole content was given: created, overwritten, deleted or renamed; nothing to find."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines to find and lines to put in their place. Each ends in its line ending, if any."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    script: tuple[tuple[int, int, int, int], ...] | None = None
    """Changed ranges (old start, old end, new start, new end); None: to be found by comparing."""
    line: int | None = None
    """Where the model says that `old` begins, counted from 1; a hint, never trusted alone."""
    line_is_sure: bool = False
    """The line was said on purpose (`:start_line:`), so it decides between equal places."""
    anchors: tuple[str, ...] = ()
    """Lines that stand above, outermost first (V4A's `@@ def f():`)."""
    section: str = ""
    """What a unified diff says behind the second `@@`: a hint only."""
    at_end: bool = False
    """Must lie at the end of the file."""
    everywhere: bool = False
    """Replace each occurrence, however many."""
    must_fit: bool = False
    """Its lines must be there as quoted: one without a mark may be context, or a new line."""
    says_final_newline: bool = False
    """The format states whether the last line ends in a newline (unified diffs do)."""
    inline: tuple[str, str] | None = None
    """The searched and the replacing text as they were written, where part of a line will do."""


@dataclass(frozen=True, slots=True)
class FileEdit:
    """What is asked of one file. Exactly one of the four things that its fields can say."""

    path: str
    hunks: tuple[Hunk, ...] = ()
    """Edits in the order in which they were written."""
    ordered: bool = False
    """The hunks follow the order of the file (unified diffs, V4A)."""
    content: str | None = None
    """The whole new content."""
    must_be_new: bool = False
    """With `content`: refused where the file exists already."""
    may_append: bool = False
    """With `content`: put behind what is there already, as an empty SEARCH does."""
    delete: bool = False
    expected: tuple[str, ...] | None = None
    """With `delete`: the lines that the file is said to have."""
    new_path: str | None = None
    """Rename to this path, with or without hunks."""
    other_paths: tuple[str, ...] = ()
    """What else the headers of a plain diff call the file; used where `path` is not there."""
    copy: bool = False
    """With `new_path`: leave the old file where it is."""
    fenced: bool = False
    """With `content`: cut out of Markdown, so its last newline says nothing."""


@dataclass(frozen=True, slots=True)
class EditScript:
    """Everything that one answer of a model asks for."""

    format: EditFormat
    """The format in which it was written; never AUTO."""
    edits: tuple[FileEdit, ...]
    ending: str = "\n"
    """The line ending that all of the answer had; it counts where a file has none of its own."""
