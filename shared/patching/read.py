"""Reads an edit in whatever format it comes. Pure: looks at the text alone, at no file.

`auto` takes the format whose mark stands first in the text, so that a diff about a SEARCH block, or
a SEARCH block about a diff, is read as what it is.
"""

import re

from shared.patching.errors import PatchCode, PatchError
from shared.patching.read_envelope import read_envelope
from shared.patching.read_search_replace import ESCAPED_HEAD, HEAD, read_search_replace
from shared.patching.read_structured import read_structured
from shared.patching.read_unified import read_unified
from shared.patching.read_whole import read_whole
from shared.patching.script import EditFormat, EditScript

_READERS = {
    EditFormat.STRUCTURED: read_structured,
    EditFormat.SEARCH_REPLACE: read_search_replace,
    EditFormat.UNIFIED_DIFF: read_unified,
    EditFormat.ENVELOPE: read_envelope,
    EditFormat.WHOLE_FILE: read_whole,
}

_MARKS = (
    (
        EditFormat.ENVELOPE,
        ("*** ",),
        re.compile(r"^\*\*\* (?:Begin Patch|(?:Update|Add|Delete) File: )", re.MULTILINE),
    ),
    (
        EditFormat.SEARCH_REPLACE,
        ("SEARCH", "ORIGINAL"),
        re.compile(f"{HEAD}|{ESCAPED_HEAD}", re.MULTILINE),
    ),
    (
        EditFormat.UNIFIED_DIFF,
        ("@@", "--- ", "diff --git "),
        re.compile(
            r"^[ \t]*(?:diff --git |@@ -\d|@@ \.\.\. @@|--- [^\n]+\n[ \t]*\+\+\+ |"
            r"@@[ \t\r]*(?:@@)?[ \t\r]*$)",
            re.MULTILINE,
        ),
    ),
)
"""How the first line of a format looks, and what is looked for first: one of these parts."""
_BARE_HUNK = re.compile(r"^[-+](?![-+]).*\n(?:^[-+ ].*\n?)*", re.MULTILINE)

_FORMAT_NAMES = {
    "": EditFormat.AUTO,
    "json": EditFormat.STRUCTURED,
    "tool": EditFormat.STRUCTURED,
    "search_replace_blocks": EditFormat.SEARCH_REPLACE,
    "searchreplace": EditFormat.SEARCH_REPLACE,
    "sr": EditFormat.SEARCH_REPLACE,
    "editblock": EditFormat.SEARCH_REPLACE,
    "unified": EditFormat.UNIFIED_DIFF,
    "udiff": EditFormat.UNIFIED_DIFF,
    "unidiff": EditFormat.UNIFIED_DIFF,
    "git": EditFormat.UNIFIED_DIFF,
    "patch": EditFormat.UNIFIED_DIFF,
    "envelope": EditFormat.ENVELOPE,
    "apply_patch": EditFormat.ENVELOPE,
    "begin_patch": EditFormat.ENVELOPE,
    "openai": EditFormat.ENVELOPE,
    "whole": EditFormat.WHOLE_FILE,
    "file": EditFormat.WHOLE_FILE,
    "whole_files": EditFormat.WHOLE_FILE,
    "diff": EditFormat.AUTO,  # some call SEARCH/REPLACE that
}


def name_format(name: str) -> EditFormat:
    """Find the format by its name or one of the names that others give it.

    Raises:
        PatchError: `patch.unreadable`.
    """
    key = name.strip().lower().replace("-", "_").replace(" ", "_").replace("/", "_")
    if key in _FORMAT_NAMES:
        return _FORMAT_NAMES[key]
    try:
        return EditFormat(key)
    except ValueError:
        known = ", ".join(EditFormat)
        raise PatchError(
            PatchCode.UNREADABLE, f"unknown edit format {name!r}; the formats are {known}"
        ) from None


def recognise(text: str) -> EditFormat:
    """Tell the format by the mark that stands first in the text.

    Raises:
        PatchError: `patch.unreadable`.
    """
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith(("{", "[", "```json")):
        try:
            read_structured(text)
        except PatchError as error:
            if error.code != PatchCode.UNREADABLE:
                return EditFormat.STRUCTURED
        else:
            return EditFormat.STRUCTURED
    found = [
        (match.start(), format_)
        for format_, parts, mark in _MARKS
        if any(part in text for part in parts) and (match := mark.search(text))
    ]
    if found:
        return min(found, key=lambda pair: pair[0])[1]
    if re.search(r"^(?:`{3,}|~{3,})", text, re.MULTILINE):
        return EditFormat.WHOLE_FILE
    if _BARE_HUNK.match(text):
        return EditFormat.UNIFIED_DIFF
    raise PatchError(
        PatchCode.UNREADABLE,
        "the text is not an edit in any known format",
        report="No edit was found in the answer. Write structured edits, SEARCH/REPLACE blocks, "
        "a unified diff or a `*** Begin Patch` envelope.",
    )


def read_edits(text: str, format: EditFormat = EditFormat.AUTO) -> EditScript:  # noqa: A002 (the word of the contract)
    """Read an edit.

    Raises:
        PatchError: `patch.unreadable`, `patch.no_edits`.
    """
    text = text.removeprefix("\ufeff")
    ending = "\n"
    if "\r\n" in text and text.count("\r\n") == text.count("\n"):
        # every line ends so, those of the marks too: that says nothing of a file with its own
        text, ending = text.replace("\r\n", "\n"), "\r\n"
    chosen = recognise(text) if format is EditFormat.AUTO else format
    script = EditScript(chosen, tuple(_READERS[chosen](text)), ending)
    if not script.edits:
        raise PatchError(PatchCode.NO_EDITS, "the edit asks for nothing")
    return script
