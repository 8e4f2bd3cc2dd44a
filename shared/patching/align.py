"""Lays the lines that a model quoted beside the lines of a file, though both have changed since.

A weighted alignment: rare lines bind, blank lines and lone brackets hardly do. Lines that resemble
each other may be a pair; lines may be missing on either side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

MIN_LIKENESS: Final = 0.65
"""Two lines that are less alike than that are never a pair."""
GAP: Final = 0.02
"""What it costs to leave a line out, on a scale where a line of its own kind is worth 1."""
SKIP: Final = 0.002
"""What it costs to leave out a line of the file between lines of the quote."""
RUN: Final = 0.2
"""What it is worth that two quoted lines are neighbours in the file too."""
MAX_CELLS: Final = 60_000
"""Size of the table; a longer quote is laid beside a narrower window."""

NOWHERE: Final = -1


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which line of the file each quoted line is."""

    pairs: tuple[int, ...]
    """For each quoted line the 0-based line of the file, or NOWHERE; increasing."""
    likeness: tuple[float, ...]
    """For each quoted line 1 where it is that line, less where it resembles it, 0 without one."""


def align(
    quoted: Sequence[str],
    weights: Sequence[float],
    window: Sequence[str],
    first: int,
    *,
    is_foreign: Callable[[str, str], bool],
) -> Alignment:
    """Find the best alignment of a quote with a window of a file.

    Args:
        quoted: the searched lines, stripped.
        weights: how telling each of them is, above 0.
        window: lines of the file, stripped.
        first: 0-based number of the window's first line.
        is_foreign: whether a quoted line and one of the file are both unknown on the other side,
            so that the one may be what became of the other.
    """
    values = _compare(quoted, window, is_foreign)
    return _trace(_fill(values, weights, len(window)), values, first)


@dataclass(frozen=True, slots=True)
class _Table:
    best: list[float]
    """Value of the whole quote laid above each place of the window."""
    steps: list[bytearray]
    """How each cell was reached: a pair, a quoted line left out, or the file's line."""
    runs: list[bytearray]
    """Whether the pair of a cell goes on the run of the pair before it."""


_PAIR, _UNQUOTED, _SKIPPED = 0, 1, 2


def _fill(values: list[list[float]], weights: Sequence[float], columns: int) -> _Table:
    rows = len(weights)
    above = [0.0] * (columns + 1)
    paired_above = [-1.0] * (columns + 1)
    steps, runs = [bytearray(columns + 1)], [bytearray(columns + 1)]
    for i in range(rows):
        weight, alike = weights[i], values[i]
        lost, skip = GAP * weight, SKIP if i < rows - 1 else 0.0
        bonus = RUN * min(weight, weights[i - 1]) + RUN / 20 if i else 0.0
        row, paired = [above[0] - lost], [-1.0] * (columns + 1)
        step, run = bytearray(columns + 1), bytearray(columns + 1)
        step[0] = _UNQUOTED
        left = row[0]
        for j in range(1, columns + 1):
            value, kind = above[j] - lost, _UNQUOTED
            if left - skip > value:
                value, kind = left - skip, _SKIPPED
            likeness = alike[j - 1]
            if likeness:
                found, going = above[j - 1], paired_above[j - 1] + bonus
                if going > found:
                    found, run[j] = going, 1
                found += weight * likeness
                paired[j] = found
                if found >= value:
                    value, kind = found, _PAIR
            row.append(value)
            step[j] = kind
            left = value
        steps.append(step)
        runs.append(run)
        above, paired_above = row, paired
    return _Table(above, steps, runs)


def _compare(
    quoted: Sequence[str], window: Sequence[str], is_foreign: Callable[[str, str], bool]
) -> list[list[float]]:
    """Tell how alike each quoted line and each line of the window are."""
    values: list[list[float]] = []
    rows: dict[str, list[float]] = {}
    for line in quoted:
        if line not in rows:
            row = [1.0 if line == other else 0.0 for other in window]
            if line and 1.0 not in row:
                for at, other in enumerate(window):
                    if other and is_foreign(line, other):
                        row[at] = _resemble(line, other)
            rows[line] = row
        values.append(rows[line])
    return values


def _resemble(line: str, other: str) -> float:
    likeness = fuzz.ratio(line, other, score_cutoff=100 * MIN_LIKENESS) / 100
    return 0.95 * likeness * likeness


def _trace(table: _Table, values: list[list[float]], first: int) -> Alignment:
    rows = len(values)
    pairs, likeness = [NOWHERE] * rows, [0.0] * rows
    i = rows
    j = max(range(len(table.best)), key=table.best.__getitem__)
    on_run = False
    while i > 0:
        kind = _PAIR if on_run else table.steps[i][j]
        if kind == _PAIR and j > 0:
            pairs[i - 1], likeness[i - 1] = first + j - 1, values[i - 1][j - 1]
            on_run = bool(table.runs[i][j])
            i, j = i - 1, j - 1
        elif kind == _UNQUOTED or j == 0:
            i -= 1
        else:
            j -= 1
    return Alignment(tuple(pairs), tuple(likeness))
