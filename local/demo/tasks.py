"""The commands that whoever plays the model understands, and how each is carried out.

`make … red` (any colour that CSS has a common name for, or `#rrggbb`), `replace X by Y`,
`rename X to Y`, ``add the line `…` to FILE``.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from local.demo.hearing import Heard
from local.demo.quoting import Edit, Sheet
from local.demo.recolour import Look, find_colour, recolour

_QUOTES: Final = "`\"'“”"
_LOOK: Final = re.compile(
    r"(?:please )?(?:make|turn|paint|colou?r|set)\s+(?:all |every |each |the |of |our )*"
    r"(?P<thing>[a-z][a-z -]*?)(?: to| in| into)?\s+(?P<colour>#[0-9a-f]{6}|[a-z]+)\W*",
    re.IGNORECASE,
)
_WHERE: Final = r"(?:\s+in\s+(?P<path>\S*[./]\S*\w))?\W*"
_REPLACE: Final = (
    re.compile(
        rf"(?:please )?replace\s+(?P<old>.+?)\s+(?:by|with)\s+(?P<new>.+?){_WHERE}", re.IGNORECASE
    ),
    re.compile(rf"(?:please )?change\s+(?P<old>.+?)\s+to\s+(?P<new>.+?){_WHERE}", re.IGNORECASE),
)
_RENAME: Final = re.compile(
    r"(?:please )?(?:rename|move)\s+(?P<old>\S+)\s+(?:to|into|as)\s+(?P<new>\S+?)\.?",
    re.IGNORECASE,
)
_ADD: Final = re.compile(
    r"(?:please )?(?:add|append)\s+(?:the line |a line |the text )?[`\"“](?P<line>.+)[`\"”]"
    r"\s+(?:to|in|into|at the end of)\s+(?P<path>\S*\w)\W*",
    re.IGNORECASE,
)


class TaskError(Exception):
    """The command cannot be carried out; the message is for its author."""


class Task(Protocol):
    """A command that was understood."""

    word: str
    """What is searched for first; empty: nothing."""

    def choose(self, heard: Heard) -> Sequence[str]:
        """Choose the files that have to be read."""

    def edit(self, heard: Heard) -> tuple[list[Edit], str]:
        """Answer the edits, at least one, and what they do.

        Raises:
            TaskError: there is nothing to be changed.
        """


def read_task(heard: Heard) -> Task:
    """Read the command.

    Raises:
        TaskError: it is none that is understood.
    """
    command = " ".join(heard.command.split())
    if added := _ADD.fullmatch(command):
        return AddLine(added["line"], added["path"].strip(_QUOTES))
    if renamed := _RENAME.fullmatch(command):
        old, new = renamed["old"].strip(_QUOTES), renamed["new"].strip(_QUOTES)
        return MoveFile(old, new) if old in heard.paths else ReplaceText(old, new, whole=True)
    look = _LOOK.fullmatch(command)
    if look and (colour := find_colour(look["colour"])):
        return Recolour(Look(look["thing"].lower().strip(), colour))
    if replaced := next(filter(None, (form.fullmatch(command) for form in _REPLACE)), None):
        old, new = replaced["old"].strip(_QUOTES), replaced["new"].strip(_QUOTES)
        return ReplaceText(old, new, path=(replaced["path"] or "").strip(_QUOTES))
    raise TaskError(
        "I understand `make … red`, `replace X by Y`, `rename X to Y` and ``add the line `…` to "
        "FILE``; say it in one of these ways."
    )


class Recolour:
    """Things get another colour."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self.word = look.searched

    def choose(self, heard: Heard) -> Sequence[str]:
        """Choose the stylesheets and pages in which the thing was found, else all stylesheets."""
        found = heard.found if heard.found is not None else list(heard.shown)
        sheets = [path for path in found if path.endswith(".css")]
        pages = [path for path in found if path.endswith(".html")]
        return [*(sheets or [path for path in heard.paths if path.endswith(".css")]), *pages]

    def edit(self, heard: Heard) -> tuple[list[Edit], str]:
        """Answer the edits of this variant's way."""
        sheets = [Sheet(path, heard.get_lines(path)) for path in self.choose(heard)]
        edits, summary = recolour(self._look, [one for one in sheets if one.lines], heard.approach)
        if not edits:
            raise TaskError(f"I found no stylesheet in which to change “{self._look.thing}”.")
        return edits, summary


class ReplaceText:
    """One text gets another, wherever it stands."""

    def __init__(self, old: str, new: str, *, path: str = "", whole: bool = False) -> None:
        self.word = old
        self._new = new
        self._path = path
        edge = r"\b" if whole else ""
        self._pattern = re.compile(f"{edge}{re.escape(old)}{edge}")

    def choose(self, heard: Heard) -> Sequence[str]:
        """Choose the files in which the text was found."""
        if self._path:
            return [self._path]
        return heard.found if heard.found is not None else list(heard.shown)

    def edit(self, heard: Heard) -> tuple[list[Edit], str]:
        """Answer one edit for each different line."""
        edits = [
            edit
            for path in self.choose(heard)
            for edit in self._edit_file(Sheet(path, heard.get_lines(path)))
        ]
        if not edits:
            raise TaskError(f"I found no “{self.word}”.")
        count = len({edit["path"] for edit in edits})
        return edits, f"Replaced “{self.word}” by “{self._new}” in {count} file(s)."

    def _edit_file(self, sheet: Sheet) -> Iterator[Edit]:
        for line in dict.fromkeys(sheet.lines):
            changed = self._pattern.sub(lambda _: self._new, line)
            if changed != line:
                yield sheet.put_each(line, changed)


class MoveFile:
    """A file gets another path."""

    word = ""

    def __init__(self, old: str, new: str) -> None:
        self._old = old
        self._new = new

    def choose(self, _: Heard) -> Sequence[str]:
        """Choose nothing: what is in the file does not matter."""
        return []

    def edit(self, _: Heard) -> tuple[list[Edit], str]:
        """Answer the move."""
        edit = {"action": "rename", "path": self._old, "new_path": self._new}
        return [edit], f"Renamed {self._old} to {self._new}."


class AddLine:
    """A file gets a line at its end."""

    word = ""

    def __init__(self, line: str, path: str) -> None:
        self._line = line
        self._path = path

    def choose(self, _: Heard) -> Sequence[str]:
        """Choose the file."""
        return [self._path]

    def edit(self, heard: Heard) -> tuple[list[Edit], str]:
        """Answer the line behind the last one."""
        if self._path not in heard.paths:
            raise TaskError(f"There is no file {self._path}.")
        sheet = Sheet(self._path, heard.get_lines(self._path))
        return [sheet.append([self._line])], f"Added a line at the end of {self._path}."
