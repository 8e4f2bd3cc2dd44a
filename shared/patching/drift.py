"""Finds where a hunk belongs though its lines are not in the file as they were quoted.

The last rung of the ladder, for context that has drifted or was misremembered. Anchored: candidates
are where telling lines of the quote stand. Scored: each is laid beside the quote, line by line. The
place must be sound (the lines to be changed are found, one behind the other, between their
neighbours), explain enough of the quote, and be better than the best place elsewhere by a margin.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import mul
from typing import Final

from shared.patching.align import NOWHERE, Cells, align
from shared.patching.lines import FileLines, HunkLines
from shared.patching.ops import Script
from shared.patching.settle import cut_far, settle
from shared.patching.sound import Grade, Quote, grade_change, is_sound
from shared.patching.vicinity import Vicinity, list_vicinities, weigh

MIN_SCORE_SURE: Final = 0.3
"""Where each change stands exactly between its quoted neighbours: little else is needed."""
MARGIN_SURE: Final = 0.1
MIN_SCORE: Final = 0.6
MARGIN: Final = 0.12
MAX_QUOTED: Final = 400
"""Lines of a quote that may drift; a longer one has to fit."""
MAX_RIVALS: Final = 12
"""Changes of a hunk whose place is compared with the best one elsewhere."""


@dataclass(frozen=True, slots=True)
class Drifted:
    """Where each quoted line is in the file."""

    pairs: tuple[int, ...]
    """0-based lines, or NOWHERE for a line that the file does not have."""
    script: Script
    """What is left to be changed: the file may have a part of it already."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    pairs: tuple[int, ...]
    likeness: tuple[float, ...]
    script: Script
    """What is left to be changed; the file has the rest already."""
    score: float
    """0 to 1: the weight of the quoted lines that were found against that of all."""
    grade: Grade


def find_drifted(
    lines: FileLines, asked: HunkLines, span: range
) -> tuple[Drifted | None, list[int]]:
    """Find the one place of a hunk; None with the places it hesitates between, if there are any.

    Args:
        lines: of the file.
        asked: the hunk.
        span: lines among which it has to stand.
    """
    searched, script = asked.old.folded, asked.script
    if not script or len(searched) > MAX_QUOTED or not lines.text.bare:
        return None, []
    weights, telling = weigh(searched, lines.places)
    quote = Quote(
        searched, asked.new.folded, weights, telling, script, span, lines.folded, lines.places
    )
    around = list_vicinities(quote, lines)
    best = _choose(quote, lines, around, frozenset(), MIN_SCORE_SURE)
    if best is None:
        return None, []
    doubtful = [one for one in best.script if not _is_unmistakable(quote, best, one)]
    is_plain = len(best.script) == len(script) and (not doubtful or best.grade is Grade.SURE)
    if best.score < (MIN_SCORE_SURE if is_plain else MIN_SCORE):
        return None, []
    for change in doubtful[:MAX_RIVALS]:
        if not lines.effort_left:
            break
        # each change alone: the others may well be where they are
        alone = replace(quote, script=(change,))
        pairs, likeness = list(best.pairs), list(best.likeness)
        cut_far(alone, pairs, likeness)
        own = _rate(alone, pairs, likeness, (change,))
        # another place may share its context with the best one, or stand right beside it
        for hidden in (_list_touched(best.pairs, change), pairs):
            rival = _choose(alone, lines, around, frozenset(hidden), own.score - _margin(own))
            if rival is not None and not _is_clear(own, rival):
                return None, [_first(best.pairs), _first(rival.pairs)]
    if not lines.effort_left:
        return None, []  # who knows what was not looked at
    return Drifted(best.pairs, best.script), []


def _choose(
    quote: Quote,
    lines: FileLines,
    around: Sequence[Vicinity],
    hidden: frozenset[int],
    least: float,
) -> _Candidate | None:
    """Choose the best sound place, without the lines of the file that are hidden.

    None also where no place can score more than the least that counts.
    """
    lines.spend(sum(one.effort for one in around))
    open_to = [one.hide(hidden) for one in around]
    if all(_bound(quote, cells) <= least for cells in open_to):
        return None
    found: list[_Candidate] = []
    for vicinity, cells in zip(around, open_to, strict=True):
        pairs, likeness = settle(quote, align(cells, quote.weights), hidden, vicinity.near)
        script = tuple(one for one in quote.script if not _is_done(quote, hidden, pairs, one))
        if is_sound(quote, pairs, script, vicinity.near):
            found.append(_rate(quote, pairs, likeness, script))
    # better found is worth more than a likely place of the same score
    return max(found, key=lambda one: one.score + 0.1 * one.grade, default=None)


def _bound(quote: Quote, cells: Sequence[Cells]) -> float:
    """Tell what a place can score at most."""
    likest = [max((likeness for _, likeness in row), default=0.0) for row in cells]
    return _score(quote.weights, likest)


def _score(weights: Sequence[float], likeness: Sequence[float]) -> float:
    return math.fsum(map(mul, weights, likeness)) / math.fsum(weights)


def _rate(
    quote: Quote, pairs: Sequence[int], likeness: Sequence[float], script: Script
) -> _Candidate:
    grades = [grade_change(pairs, likeness, start, end) for start, end, _, _ in script]
    score = _score(quote.weights, likeness)
    return _Candidate(tuple(pairs), tuple(likeness), script, score, min(grades, default=Grade.FIRM))


def _is_done(
    quote: Quote,
    hidden: frozenset[int],
    pairs: Sequence[int],
    change: tuple[int, int, int, int],
) -> bool:
    """Tell whether the file has a change already: its outcome stands between its neighbours."""
    start, end, new_start, new_end = change
    if start == 0 or end == len(pairs) or any(pairs[at] != NOWHERE for at in range(start, end)):
        return False
    above, below = pairs[start - 1], pairs[end]
    if NOWHERE in (above, below) or not hidden.isdisjoint(range(above + 1, below)):
        return False
    between = quote.keys[above + 1 : below]
    return between == quote.wanted[new_start:new_end] and bool(between or end > start)


def _is_unmistakable(quote: Quote, best: _Candidate, change: tuple[int, int, int, int]) -> bool:
    """Tell whether a change can be nowhere else: the lines that say where it goes are unique."""
    start, end, _, _ = change

    def is_unique(at: int) -> bool:
        is_there = best.likeness[at] == 1.0 and quote.telling[at]
        return is_there and len(quote.places[quote.searched[at]]) == 1

    if start < end:
        return any(is_unique(at) for at in range(start, end))
    return 0 < start < len(quote.searched) and is_unique(start - 1) and is_unique(start)


def _margin(best: _Candidate) -> float:
    """Tell by how much a place has to be better than another, so that it is no guess."""
    return MARGIN_SURE if best.grade is Grade.SURE else MARGIN


def _is_clear(best: _Candidate, rival: _Candidate) -> bool:
    """Tell whether one place is so much better than another that it is no guess."""
    margin = _margin(best) / 3 if rival.grade < best.grade else _margin(best)
    return best.score - rival.score >= margin


def _list_touched(pairs: Sequence[int], change: tuple[int, int, int, int]) -> list[int]:
    """List the lines of the file that a change replaces or stands between."""
    start, end, _, _ = change
    run = range(start, end) if start < end else range(max(0, start - 1), start + 1)
    return [pairs[at] for at in run if at < len(pairs) and pairs[at] != NOWHERE]


def _first(pairs: Sequence[int]) -> int:
    return next((at for at in pairs if at != NOWHERE), 0)
