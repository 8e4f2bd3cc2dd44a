"""Finds where a hunk belongs in a file: a ladder of comparisons, each a little less strict.

A rung is climbed only when the one below found nothing. Where a rung finds several places, anchors
and sure line numbers may choose; otherwise it is ambiguous, and nothing is guessed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shared.patching.fold import Run, fold_line
from shared.patching.indent import find_shift
from shared.patching.lines import FileLines, HunkLines
from shared.patching.script import Rung


@dataclass(frozen=True, slots=True)
class Place:
    """Where the lines of a hunk stand in a file."""

    start: int
    """0-based index of the first line."""
    rung: Rung


_LADDER: Final = (Rung.EXACT, Rung.TRAILING_BLANKS, Rung.INDENTATION, Rung.LOOK_ALIKES)
"""Rungs on which each searched line has its place. Line endings never count here."""
MAX_SLIP: Final = 2
"""Lines by which a line that was said on purpose may be miscounted."""
MIN_AHEAD: Final = 5
"""How many times as far off the next place has to be."""
MAX_PLACES: Final = 10_000
"""Places of a run that are looked for; a run that stands more often than that is no edit."""


def find_places(lines: FileLines, run: Run, span: range) -> list[Place]:
    """Find every place of a run of lines on the lowest rung that has any.

    Args:
        lines: of the file.
        run: at least one of the searched lines.
        span: lines among which it has to stand.
    """
    exact = find_exact(lines, run, span)
    if exact:
        return [Place(start, Rung.EXACT) for start in exact]
    found: list[Place] = []
    for start in _find_folded(lines, run):
        place = _measure(run.bare, lines.text.bare[start : start + len(run)], start)
        if place is not None and is_within(start, len(run), span):
            found.append(place)
    lowest = min((_LADDER.index(place.rung) for place in found), default=0)
    return [place for place in found if place.rung is _LADDER[lowest]]


def find_exact(lines: FileLines, run: Run, span: range) -> list[int]:
    """Find where a run of lines stands just so."""
    starts = lines.text.find_run(run.bare, MAX_PLACES)
    return [start for start in starts if is_within(start, len(run), span)]


def is_within(start: int, count: int, span: range) -> bool:
    """Tell whether a run of lines stands among the lines of a span."""
    return span.start <= start and start + count <= span.stop


def _find_folded(lines: FileLines, run: Run) -> Iterator[int]:
    """Find where a run stands in the coarsest comparison, starting from its rarest line."""
    folded, places = run.folded, lines.places
    if not any(folded) or not all(map(places.__getitem__, folded)):
        return  # blank lines alone are everywhere
    counts = [len(places[line]) for line in folded]
    rarest = counts.index(min(counts))
    for at in places[folded[rarest]]:
        start = at - rarest
        if start >= 0 and lines.folded[start : start + len(folded)] == folded:
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


def choose_place(lines: FileLines, asked: HunkLines, places: Sequence[Place]) -> Place | None:
    """Choose among several places by what the edit itself says; None where it does not say."""
    hunk = asked.hunk
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
    if asked.line is not None and len(places) > 1:
        exact = [place for place in places if place.start == asked.line - 1]
        near = _find_near(places, asked.line - 1) if hunk.line_is_sure else []
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
