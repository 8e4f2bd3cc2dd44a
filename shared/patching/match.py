"""Finds where a hunk belongs in a file: a ladder of comparisons, each a little less strict.

A rung is climbed only when the one below found nothing. Where a rung finds several places, anchors
and sure line numbers may choose; otherwise it is ambiguous, and nothing is guessed.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from shared.patching.indent import find_shift
from shared.patching.script import Hunk, Rung
from shared.patching.text import FileText


@dataclass(frozen=True, slots=True)
class Place:
    """Where the lines of a hunk stand in a file."""

    start: int
    """0-based index of the first line."""
    rung: Rung


class FileLines:
    """A file's lines under the comparisons of the ladder, each prepared when it is first needed."""

    def __init__(self, text: FileText) -> None:
        self.text = text
        self.effort_left = MAX_EFFORT
        """Cells of alignments that may still be filled for this file."""
        self.reports_left = MAX_REPORTS
        """Hunks for which the nearest lines may still be looked up."""

    @cached_property
    def folded(self) -> list[str]:
        """Every line as the coarsest comparison sees it."""
        bare = self.text.bare
        if not self.text.text.isascii():
            bare = [_fold_look_alikes(line) for line in bare]
        return [
            " ".join(line.split()) if "  " in line or "\t" in line else line
            for line in map(str.strip, bare)
        ]

    @cached_property
    def places(self) -> "LinePlaces":
        """Where each folded line stands."""
        return LinePlaces(self.folded)

    def find_exact(self, run: Sequence[str]) -> list[int]:
        """Find where lines stand just so."""
        needle = "\n".join(["", *run, ""])
        starts: list[int] = []
        line, seen = 0, 0
        joined = self.text.joined
        at = joined.find(needle)
        while at >= 0 and len(starts) < MAX_PLACES:
            line += joined.count("\n", seen, at)
            starts.append(line)
            seen = at
            at = joined.find(needle, at + 1)
        return starts


class LinePlaces:
    """Where lines stand in a text, looked up when they are asked for."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._last = dict(zip(lines, range(len(lines)), strict=True))
        self._counts = Counter(lines)
        self._found: dict[str, list[int]] = {}

    def __contains__(self, line: str) -> bool:
        return line in self._last

    def __getitem__(self, line: str) -> list[int]:
        found = self._found.get(line)
        if found is None:
            last = self._last.get(line)
            if last is None:
                found = []
            elif self._counts[line] == 1:
                found = [last]
            else:
                found = [at for at, other in enumerate(self._lines) if other == line]
            self._found[line] = found
        return found

    def count(self, line: str) -> int:
        """Tell how often a line stands there."""
        return self._counts[line]


_LADDER: Final = (Rung.EXACT, Rung.TRAILING_BLANKS, Rung.INDENTATION, Rung.LOOK_ALIKES)
"""Rungs on which each searched line has its place. Line endings never count here."""
MAX_EFFORT: Final = 4_000_000
"""Cells of alignments for one file: a second or two, whatever a model may write."""
MAX_REPORTS: Final = 8
"""Hunks of one file that are told of in full; the model mends those first."""
MAX_SLIP: Final = 2
"""Lines by which a line that was said on purpose may be miscounted."""
MIN_AHEAD: Final = 5
"""How many times as far off the next place has to be."""
MAX_PLACES: Final = 10_000
"""Places of a run that are looked for; a run that stands more often than that is no edit."""

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


def _fold_blanks(line: str) -> str:
    bare = line.strip()
    return " ".join(bare.split()) if "  " in bare or "\t" in bare else bare


def fold_line(line: str) -> str:
    """Reduce a line to what the last rung compares: single blanks, none around, no look-alikes."""
    return _fold_blanks(_fold_look_alikes(line))


def find_places(lines: FileLines, quoted: Sequence[str], span: range) -> list[Place]:
    """Find every place of a run of lines on the lowest rung that has any.

    Args:
        lines: of the file.
        quoted: at least one line, without endings.
        span: lines among which it has to stand.
    """
    count = len(quoted)
    exact = [start for start in lines.find_exact(quoted) if is_within(start, count, span)]
    if exact:
        return [Place(start, Rung.EXACT) for start in exact]
    found: list[Place] = []
    for start in _find_folded(lines, quoted):
        place = _measure(quoted, lines.text.bare[start : start + count], start)
        if place is not None and is_within(start, count, span):
            found.append(place)
    lowest = min((_LADDER.index(place.rung) for place in found), default=0)
    return [place for place in found if place.rung is _LADDER[lowest]]


def is_within(start: int, count: int, span: range) -> bool:
    """Tell whether a run of lines stands among the lines of a span."""
    return span.start <= start and start + count <= span.stop


def _find_folded(lines: FileLines, quoted: Sequence[str]) -> Iterator[int]:
    """Find where a run stands in the coarsest comparison, starting from its rarest line."""
    keys, places = lines.folded, lines.places
    run = [fold_line(line) for line in quoted]
    if not any(run) or any(line not in places for line in run):
        return  # blank lines alone are everywhere
    rarest = min(range(len(run)), key=lambda at: places.count(run[at]))
    for at in places[run[rarest]]:
        start = at - rarest
        if start >= 0 and keys[start : start + len(run)] == run:
            yield start


def _measure(quoted: Sequence[str], actual: Sequence[str], start: int) -> Place | None:
    """Tell the rung of a place whose folded lines are the quoted ones."""
    pairs = list(zip(quoted, actual, strict=True))
    if all(searched.rstrip() == line.rstrip() for searched, line in pairs):
        return Place(start, Rung.TRAILING_BLANKS)
    if find_shift(quoted, actual) is None:
        return None
    if all(searched.strip() == line.strip() for searched, line in pairs):
        return Place(start, Rung.INDENTATION)
    return Place(start, Rung.LOOK_ALIKES)


def choose_place(lines: FileLines, hunk: Hunk, places: Sequence[Place]) -> Place | None:
    """Choose among several places by what the edit itself says; None where it does not say."""
    if hunk.at_end:
        end = lines.text.count - len(hunk.old)
        places = [place for place in places if place.start == end] or places
    if hunk.anchors and len(places) > 1:
        since = find_anchor(lines, hunk.anchors)
        if since is not None:
            behind = [place for place in places if place.start >= since]
            # an anchor names the block it opens: the first place behind it is in that block
            places = behind[:1] or places
    if hunk.section and len(places) > 1:
        inside = [place for place in places if is_in_section(lines, place.start, hunk.section)]
        places = inside or places
    if hunk.line is not None and len(places) > 1:
        exact = [place for place in places if place.start == hunk.line - 1]
        near = _find_near(places, hunk.line - 1) if hunk.line_is_sure else []
        places = exact or near or places
    return places[0] if len(places) == 1 else None


def _find_near(places: Sequence[Place], line: int) -> list[Place]:
    """Find the one place that a line miscounted by one or two means, others being far off."""
    first, second = sorted(places, key=lambda place: abs(place.start - line))[:2]
    slip, next_best = abs(first.start - line), abs(second.start - line)
    return [first] if slip <= MAX_SLIP and next_best >= MIN_AHEAD * slip else []


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
    keys = lines.folded
    since = 0
    for anchor in anchors:
        wanted = fold_line(anchor)
        found = [at for at in range(since, len(keys)) if keys[at] == wanted]
        if not found:
            found = [at for at in range(since, len(keys)) if wanted and wanted in keys[at]]
        if len(found) != 1:
            return None
        since = found[0] + 1
    return since
