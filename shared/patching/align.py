"""Lays the lines that a model quoted beside the lines of a file, though both have changed since.

A weighted alignment: rare lines bind, blank lines and lone brackets hardly do. Lines that resemble
each other may be a pair; lines may be missing on either side. Only cells that can be a pair are
looked at, each with the best pair that may come before it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

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


class _Pair(NamedTuple):
    row: int
    line: int
    likeness: float
    before: "_Pair | None"
    """With which the best alignment that ends in this one goes on."""


class _Front:
    """The best pairs so far: each is worth more than all that end further up in the file.

    Worth is counted before any line was left out: what that costs depends on where it goes on.
    """

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._worths: list[float] = []
        self._pairs: list[_Pair] = []

    def find(self, line: int) -> tuple[float, _Pair | None]:
        """Answer what the best pair above a line is worth, and which it is."""
        at = bisect_left(self._lines, line) - 1
        return (self._worths[at], self._pairs[at]) if at >= 0 else (0.0, None)

    def add(self, pair: _Pair, worth: float) -> None:
        """Add a pair, unless one further up is worth as much; it may take the place of others."""
        lines, worths = self._lines, self._worths
        at = bisect_left(lines, pair.line)
        if at and worths[at - 1] > worth - TIE:
            return
        end = at
        while end < len(lines) and worths[end] < worth - TIE:
            end += 1
        if end == at < len(lines) and lines[at] == pair.line:
            return
        lines[at:end] = [pair.line]
        worths[at:end] = [worth]
        self._pairs[at:end] = [pair]


def align(cells: Sequence[Cells], weights: Sequence[float]) -> Alignment:
    """Find the best alignment of a quote with a part of a file.

    Args:
        cells: for each quoted line what it may be.
        weights: how telling each of them is, above 0.
    """
    front = _Front()
    last: _Pair | None = None
    most = lost = 0.0
    above: dict[int, tuple[float, _Pair]] = {}
    for row, weight in enumerate(weights):
        bonus = RUN * min(weight, weights[row - 1]) + RUN / 20 if row else 0.0
        here: dict[int, tuple[float, _Pair]] = {}
        for line, likeness in cells[row]:
            worth, before = front.find(line)
            value = worth - SKIP * line - lost
            if value <= -lost:
                value, before = -lost, None  # it is as good to begin here
            if line - 1 in above:
                going_on, neighbour = above[line - 1]
                if going_on + bonus > value + TIE:
                    value, before = going_on + bonus, neighbour
            here[line] = value + weight * likeness, _Pair(row, line, likeness, before)
        lost += GAP * weight
        for line, (value, pair) in reversed(here.items()):
            front.add(pair, value + lost + SKIP * (line + 1))
            is_higher_up = last is not None and line <= last.line
            if value + lost > most + (-TIE if is_higher_up else TIE):
                most, last = value + lost, pair
        above = here
    return _trace(last, len(weights))


def _trace(last: _Pair | None, rows: int) -> Alignment:
    pairs, likeness = [NOWHERE] * rows, [0.0] * rows
    while last is not None:
        pairs[last.row], likeness[last.row] = last.line, last.likeness
        last = last.before
    return Alignment(tuple(pairs), tuple(likeness))
