"""Lays the lines that a model quoted beside the lines of a file, though both have changed since.

A weighted alignment: rare lines bind, blank lines and lone brackets hardly do. Lines that resemble
each other may be a pair; lines may be missing on either side. Only cells that can be a pair are
looked at, each with the best pair that may come before it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

GAP: Final = 0.02
"""What it costs to leave a line out, on a scale where a line of its own kind is worth 1."""
SKIP: Final = 0.002
"""What it costs to leave out a line of the file between lines of the quote."""
RUN: Final = 0.2
"""What it is worth that two quoted lines are neighbours in the file too."""
TIE: Final = 1e-9
"""What differs by less is equally good, so that rounding decides nothing."""

NOWHERE: Final = -1

Cells = Sequence[tuple[int, float]]
"""0-based lines of the file that a quoted line may be, ascending, each with their likeness."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which line of the file each quoted line is."""

    pairs: tuple[int, ...]
    """For each quoted line the 0-based line of the file, or NOWHERE; increasing."""
    likeness: tuple[float, ...]
    """For each quoted line 1 where it is that line, less where it resembles it, 0 without one."""


@dataclass(slots=True)
class _Pair:
    row: int
    line: int
    likeness: float
    value: float
    """Of the best alignment that ends in this pair."""
    before: "_Pair | None"


@dataclass(slots=True)
class _Front:
    """The best pairs so far: each is worth more than all that end further up in the file.

    Worth is counted before any line was left out: what that costs depends on where it goes on.
    """

    lines: list[int] = field(default_factory=list)
    worths: list[float] = field(default_factory=list)
    pairs: list[_Pair] = field(default_factory=list)

    def add(self, pair: _Pair, worth: float) -> None:
        at = bisect_left(self.lines, pair.line)
        if at and self.worths[at - 1] > worth - TIE:
            return
        end = at
        while end < len(self.lines) and self.worths[end] < worth - TIE:
            end += 1
        if end == at < len(self.lines) and self.lines[at] == pair.line:
            return
        self.lines[at:end] = [pair.line]
        self.worths[at:end] = [worth]
        self.pairs[at:end] = [pair]


def align(cells: Sequence[Cells], weights: Sequence[float]) -> Alignment:
    """Find the best alignment of a quote with a part of a file.

    Args:
        cells: for each quoted line what it may be.
        weights: how telling each of them is, above 0.
    """
    front = _Front()
    last: _Pair | None = None
    most = lost = 0.0
    above: dict[int, _Pair] = {}
    for row, weight in enumerate(weights):
        bonus = RUN * min(weight, weights[row - 1]) + RUN / 20 if row else 0.0
        here: dict[int, _Pair] = {}
        for line, likeness in cells[row]:
            value, before = -lost, None
            at = bisect_left(front.lines, line) - 1
            if at >= 0 and front.worths[at] - SKIP * line > 0.0:
                value, before = front.worths[at] - SKIP * line - lost, front.pairs[at]
            neighbour = above.get(line - 1)
            if neighbour is not None and neighbour.value + bonus > value + TIE:
                value, before = neighbour.value + bonus, neighbour
            here[line] = _Pair(row, line, likeness, value + weight * likeness, before)
        lost += GAP * weight
        for line, pair in reversed(here.items()):
            worth = pair.value + lost
            front.add(pair, worth + SKIP * (line + 1))
            is_higher_up = last is not None and line <= last.line
            if worth > most + (-TIE if is_higher_up else TIE):
                most, last = worth, pair
        above = here
    return _trace(last, len(weights))


def _trace(last: _Pair | None, rows: int) -> Alignment:
    pairs, likeness = [NOWHERE] * rows, [0.0] * rows
    while last is not None:
        pairs[last.row], likeness[last.row] = last.line, last.likeness
        last = last.before
    return Alignment(tuple(pairs), tuple(likeness))
