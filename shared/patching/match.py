"""Finds where a hunk belongs in a file: a ladder of comparisons, each a little less strict.

A rung is climbed only when the one below found nothing. Where a rung finds several places, anchors
and sure line numbers may choose; otherwise it is ambiguous, and nothing is guessed.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shared.patching.script import Hunk, Rung
from shared.patching.text import FileText, strip_ending


@dataclass(frozen=True, slots=True)
class Place:
    """Where the lines of a hunk stand in a file."""

    start: int
    """0-based index of the first line."""
    rung: Rung
    indent: tuple[str, str] = ("", "")
    """On the rung of indentation: what to cut off each new line, and what to put before it."""


class FileLines:
    """A file's lines under every comparison of the ladder, each indexed once."""

    def __init__(self, text: FileText) -> None:
        self.text = text
        self._indexes: dict[Rung, tuple[list[str], dict[str, list[int]]]] = {}

    def index(self, rung: Rung) -> tuple[list[str], dict[str, list[int]]]:
        """Answer the compared lines, and where each of them stands."""
        if rung not in self._indexes:
            key = _KEYS[rung]
            keys = [key(line) for line in self.text.bare]
            places: dict[str, list[int]] = {}
            for at, line in enumerate(keys):
                places.setdefault(line, []).append(at)
            self._indexes[rung] = keys, places
        return self._indexes[rung]


_LOOK_ALIKES: Final = {
    ord(char): plain
    for plain, chars in {
        "'": "\u2018\u2019\u201a\u201b\u2032\u02bc",
        '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
        "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
        " ": "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
        "...": "\u2026",
    }.items()
    for char in chars
}


def _fold_look_alikes(line: str) -> str:
    if line.isascii():
        return line.rstrip()
    return unicodedata.normalize("NFKC", line.translate(_LOOK_ALIKES)).rstrip()


def fold_line(line: str) -> str:
    """Reduce a line to what the last rung compares: no blanks around it, no look-alikes."""
    return _fold_look_alikes(line).strip()


_KEYS: Final[dict[Rung, Callable[[str], str]]] = {
    Rung.EXACT: lambda line: line,
    Rung.TRAILING_BLANKS: str.rstrip,
    Rung.INDENTATION: str.strip,
    Rung.LOOK_ALIKES: _fold_look_alikes,
    Rung.DRIFTED: fold_line,
}
"""How lines are compared on each rung. Line endings never count here: `splice` names that rung."""

_LADDER: Final = (Rung.EXACT, Rung.TRAILING_BLANKS, Rung.INDENTATION, Rung.LOOK_ALIKES)
"""Rungs on which each searched line has its place."""


def find_places(lines: FileLines, hunk: Hunk, *, since: int = 0) -> list[Place]:
    """Find every place of a hunk on the lowest rung that has any.

    Args:
        lines: of the file.
        hunk: with at least one old line.
        since: the first line it may stand at, where hunks follow the file's order.
    """
    wanted = [strip_ending(line) for line in hunk.old]
    for rung in _LADDER:
        starts = [start for start in find_starts(lines, wanted, rung) if start >= since]
        places = [place for start in starts if (place := _measure(lines, wanted, start, rung))]
        if places:
            return places
    return []


def choose_place(lines: FileLines, hunk: Hunk, places: Sequence[Place]) -> Place | None:
    """Choose among several places by what the edit itself says; None where it does not say."""
    if hunk.at_end:
        end = len(lines.text.bare) - len(hunk.old)
        places = [place for place in places if place.start == end] or places
    if hunk.at_start:
        places = [place for place in places if place.start == 0] or places
    if hunk.anchors and len(places) > 1:
        since = find_anchor(lines, hunk.anchors)
        if since is not None:
            behind = [place for place in places if place.start >= since]
            # an anchor names the block it opens: the first place behind it is in that block
            places = behind[:1] or places
    if hunk.section and len(places) > 1:
        inside = [place for place in places if is_in_section(lines, place.start, hunk.section)]
        places = inside or places
    if hunk.line is not None and hunk.line_is_sure and len(places) > 1:
        places = [place for place in places if place.start == hunk.line - 1] or places
    return places[0] if len(places) == 1 else None


_HEADING: Final = re.compile(r"[A-Za-z_$]")
"""How a line begins that git shows behind the second `@@`, where no driver knows better."""


def is_in_section(lines: FileLines, at: int, section: str) -> bool:
    """Tell whether a line stands under the heading that a unified diff gives for it."""
    wanted = section.strip()
    for above in range(at - 1, -1, -1):
        line = lines.text.bare[above]
        if _HEADING.match(line):
            return line.startswith(wanted) or wanted in line
    return False


def find_anchor(lines: FileLines, anchors: Sequence[str]) -> int | None:
    """Find the line behind a chain of anchors, outermost first; None unless each is unique."""
    keys, _ = lines.index(Rung.INDENTATION)
    since = 0
    for anchor in anchors:
        wanted = anchor.strip()
        found = [at for at in range(since, len(keys)) if keys[at] == wanted]
        if not found:
            found = [at for at in range(since, len(keys)) if wanted and wanted in keys[at]]
        if len(found) != 1:
            return None
        since = found[0] + 1
    return since


def find_starts(lines: FileLines, wanted: Sequence[str], rung: Rung) -> Iterator[int]:
    """Find where a run of lines stands, starting from the line of it that is rarest in the file."""
    keys, places = lines.index(rung)
    run = [_KEYS[rung](line) for line in wanted]
    if not run or any(line not in places for line in run):
        return
    if rung is not Rung.EXACT and not any(run):
        return  # blank lines alone are everywhere
    rarest = min(range(len(run)), key=lambda at: len(places[run[at]]))
    for at in places[run[rarest]]:
        start = at - rarest
        if start >= 0 and keys[start : start + len(run)] == run:
            yield start


def _measure(lines: FileLines, wanted: Sequence[str], start: int, rung: Rung) -> Place | None:
    if rung is not Rung.INDENTATION:
        return Place(start, rung)
    shift = find_shift(wanted, lines.text.bare[start : start + len(wanted)])
    return None if shift is None else Place(start, rung, shift)


_INDENT: Final = re.compile(r"[ \t]*")


def find_shift(wanted: Sequence[str], found: Sequence[str]) -> tuple[str, str] | None:
    """Find the one shift that turns the indentation of every searched line into the file's."""
    shift: tuple[str, str] | None = None
    for searched, actual in zip(wanted, found, strict=True):
        if not searched.strip():
            continue
        before, after = _indent_of(searched), _indent_of(actual)
        common = 0
        while common < min(len(before), len(after)) and before[-1 - common] == after[-1 - common]:
            common += 1
        own = (before[: len(before) - common], after[: len(after) - common])
        if shift is None:
            shift = own
        elif own != shift:
            return None
    return shift or ("", "")


def _indent_of(line: str) -> str:
    match = _INDENT.match(line)
    return match[0] if match else ""
