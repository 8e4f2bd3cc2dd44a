"""Finds where in a file a drifted quote may stand, and what each of its lines may be there.

Anchored where telling lines of the quote stand, or the lines that resemble them most.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from shared.patching.align import Cells
from shared.patching.lines import FileLines
from shared.patching.sound import Quote

MAX_CANDIDATES: Final = 6
MAX_PLACES: Final = 60
"""A line that stands more often in the file than that anchors nothing."""
MIN_SUPPORT: Final = 0.4
"""A candidate with a smaller part of the best one's support is no rival."""
SLACK: Final = 20
"""Lines above and below a candidate that are looked at."""
MAX_CELLS: Final = 60_000
"""Size of the table of an alignment; a longer quote is laid beside fewer lines."""
EFFORT_OF_PAIR: Final = 10
"""What it takes to consider a pair of lines, in cells that are none."""
MIN_LIKENESS: Final = 0.65
"""Two lines that are less alike than that are never a pair."""

_LETTERS: Final = re.compile(r"[^\W_]+")


def weigh(
    searched: Sequence[str], places: Mapping[str, Sequence[int]]
) -> tuple[list[float], list[bool]]:
    """Tell how telling each line is, and whether it is at all.

    Long and rare lines are telling, blank ones and brackets are not.
    """
    letters = [len("".join(_LETTERS.findall(line))) for line in searched]
    weights = [
        (0.03 + min(count, 20) / 20) / math.sqrt(max(1, len(places[line])))
        for line, count in zip(searched, letters, strict=True)
    ]
    return weights, [count > 0 for count in letters]


@dataclass(frozen=True, slots=True)
class Vicinity:
    """Lines of a file among which a quote may stand."""

    cells: Sequence[Cells]
    """What each quoted line may be."""
    near: Collection[str]
    """Telling lines of the quote that stand there."""
    effort: int
    """What it takes to look at it once, in cells of a table of its lines and the quote's."""

    def hide(self, hidden: Collection[int]) -> Sequence[Cells]:
        """Answer what each quoted line may be without certain lines of the file."""
        if not hidden:
            return self.cells
        return [[cell for cell in row if cell[0] not in hidden] for row in self.cells]


def list_vicinities(quote: Quote, lines: FileLines) -> list[Vicinity]:
    """List where the quote may stand, the best supported first, as far as the effort allows."""
    rows, count = len(quote.searched), len(quote.keys)
    margin = max(0, min(SLACK, (MAX_CELLS // rows - rows) // 2))
    starts = _list_starts(quote)
    spans = {(max(0, at - margin), min(count, at + rows + margin)): None for at in starts}
    telling = {line for line, tells in zip(quote.searched, quote.telling, strict=True) if tells}
    found: list[Vicinity] = []
    for first, last in spans:
        if first < last and lines.effort_left:
            cells = _list_cells(quote, max(first, quote.span.start), min(last, quote.span.stop))
            near = telling.intersection(quote.keys[first:last])
            effort = rows * (last - first) + EFFORT_OF_PAIR * sum(map(len, cells))
            found.append(Vicinity(cells, near, effort))
            lines.spend(effort)
    return found


def _list_cells(quote: Quote, first: int, last: int) -> list[Cells]:
    """List what each quoted line may be between two lines of the file.

    It is where it stands just so. A line that the file does not have at all may have become one
    that the hunk does not know.
    """
    rows: dict[str, Cells] = {}
    for line in set(quote.searched):
        places = quote.places[line]
        since = bisect_left(places, first)
        rows[line] = [(at, 1.0) for at in places[since : bisect_left(places, last, since)]]
    lost = [line for line in rows if line and not quote.places[line]]
    if lost:
        known = {*quote.searched, *quote.wanted}
        strange = [None if key in known or not key else key for key in quote.keys[first:last]]
        for line in lost:
            found = process.extract(
                line, strange, scorer=fuzz.ratio, score_cutoff=100 * MIN_LIKENESS, limit=None
            )
            rows[line] = sorted(
                (first + at, 0.95 * (score / 100) * (score / 100)) for _, score, at in found
            )
    return [rows[line] for line in quote.searched]


def _list_starts(quote: Quote) -> list[int]:
    """List where the quote could begin, the best supported first."""
    votes: dict[int, float] = defaultdict(float)
    for offset, (line, weight) in enumerate(zip(quote.searched, quote.weights, strict=True)):
        places = quote.places[line]
        if line and len(places) <= MAX_PLACES:
            for at in places:
                votes[at - offset] += weight
    if not votes:
        votes = _vote_by_likeness(quote)
    if not votes:
        return []
    grouped: list[tuple[float, int]] = []
    used: set[int] = set()
    ranked = sorted(votes, key=lambda at: (-votes[at], at))
    in_order = sorted(votes)
    for start in ranked[: 4 * MAX_CANDIDATES]:
        if start in used:
            continue
        since = bisect_left(in_order, start - SLACK // 2)
        near = in_order[since : bisect_right(in_order, start + SLACK // 2)]
        used.update(near)
        support = round(sum(map(votes.__getitem__, near)), 9)  # equals are to be equal
        grouped.append((support, start))
    grouped.sort(key=lambda pair: (-pair[0], pair[1]))
    best, least = (grouped[at][0] for at in (0, min(len(grouped), MAX_CANDIDATES) - 1))
    # whichever were left out of equals might be the one that is meant
    return [start for support, start in grouped if support >= max(least, best * MIN_SUPPORT)]


def _vote_by_likeness(quote: Quote) -> dict[int, float]:
    """Anchor a quote none of whose lines is in the file: by the lines that resemble them most."""
    votes: dict[int, float] = defaultdict(float)
    telling = sorted(range(len(quote.searched)), key=lambda at: -quote.weights[at])[:3]
    for offset in telling:
        near = process.extract(
            quote.searched[offset],
            quote.keys,
            scorer=fuzz.ratio,
            score_cutoff=70,
            limit=MAX_CANDIDATES,
        )
        for _, likeness, at in near:
            votes[at - offset] += likeness * quote.weights[offset] / 100
    return votes
