"""Finds where a hunk belongs though its lines are not in the file as they were quoted.

The last rung of the ladder, for context that has drifted or was misremembered. Anchored: candidates
are where telling lines of the quote stand. Scored: each is laid beside the quote, line by line. The
place must be sound (the lines to be changed are found, one behind the other, between their
neighbours), explain enough of the quote, and be better than the best place elsewhere by a margin.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rapidfuzz import fuzz, process

from shared.patching.align import MAX_CELLS, NOWHERE, align
from shared.patching.lines import FileLines, HunkLines
from shared.patching.ops import Script
from shared.patching.settle import cut_far, settle
from shared.patching.sound import Grade, Quote, grade_change, is_sound

MIN_SCORE_SURE: Final = 0.3
"""Where each change stands exactly between its quoted neighbours: little else is needed."""
MARGIN_SURE: Final = 0.1
MIN_SCORE: Final = 0.6
MARGIN: Final = 0.12
MAX_CANDIDATES: Final = 6
MAX_PLACES: Final = 60
"""A line that stands more often in the file than that anchors nothing."""
MIN_SUPPORT: Final = 0.4
"""A candidate with a smaller part of the best one's support is no rival."""
SLACK: Final = 20
"""Lines above and below a candidate that are looked at."""
MAX_QUOTED: Final = 400
"""Lines of a quote that may drift; a longer one has to fit."""
MAX_RIVALS: Final = 12
"""Changes of a hunk whose place is compared with the best one elsewhere."""
HIDDEN: Final = "\0"
"""No line of a text file."""


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
    places = lines.places
    weights = [_weigh(line, len(places[line])) for line in searched]
    starts = _list_starts(searched, weights, lines.folded, places)
    quote = Quote(searched, asked.new.folded, weights, script, span, lines.folded)
    best = _choose(quote, lines, starts, frozenset())
    if best is None:
        return None, []
    doubtful = [one for one in best.script if not _is_unmistakable(quote, best, places, one)]
    is_plain = len(best.script) == len(script) and (not doubtful or best.grade is Grade.SURE)
    if best.score < (MIN_SCORE_SURE if is_plain else MIN_SCORE):
        return None, []
    for change in doubtful[:MAX_RIVALS]:
        # each change alone: the others may well be where they are
        alone = replace(quote, script=(change,))
        pairs, likeness = list(best.pairs), list(best.likeness)
        cut_far(alone, pairs, likeness)
        own = _rate(alone, pairs, likeness, (change,))
        # another place may share its context with the best one, or stand right beside it
        for hidden in (_list_touched(best.pairs, change), pairs):
            rival = _choose(alone, lines, starts, frozenset(hidden))
            if rival is not None and not _is_clear(own, rival):
                return None, [_first(best.pairs), _first(rival.pairs)]
    return Drifted(best.pairs, best.script), []


def _weigh(line: str, count: int) -> float:
    """Tell how telling a line is: long and rare lines are, blank ones and brackets are not."""
    letters = sum(char.isalnum() for char in line)
    return (0.03 + min(letters, 20) / 20) / math.sqrt(max(1, count))


def _list_starts(
    searched: Sequence[str],
    weights: Sequence[float],
    keys: Sequence[str],
    places: Mapping[str, Sequence[int]],
) -> list[int]:
    """List where the quote could begin, the best supported first."""
    votes: dict[int, float] = defaultdict(float)
    for offset, line in enumerate(searched):
        if line and len(places[line]) <= MAX_PLACES:
            for at in places[line]:
                votes[at - offset] += weights[offset]
    if not votes:
        votes = _vote_by_likeness(searched, weights, keys)
    grouped: list[tuple[float, int]] = []
    used: set[int] = set()
    ranked = sorted(votes, key=lambda at: (-votes[at], at))
    for start in ranked[: 4 * MAX_CANDIDATES]:
        if start in used:
            continue
        near = [at for at in votes if abs(at - start) <= SLACK // 2]
        used.update(near)
        grouped.append((sum(votes[at] for at in near), start))
    grouped.sort(key=lambda pair: (-pair[0], pair[1]))
    best = grouped[0][0] if grouped else 0.0
    return [start for support, start in grouped[:MAX_CANDIDATES] if support >= best * MIN_SUPPORT]


def _vote_by_likeness(
    searched: Sequence[str], weights: Sequence[float], keys: Sequence[str]
) -> dict[int, float]:
    """Anchor a quote none of whose lines is in the file: by the lines that resemble them most."""
    votes: dict[int, float] = defaultdict(float)
    telling = sorted(range(len(searched)), key=lambda at: -weights[at])[:3]
    for offset in telling:
        near = process.extract(
            searched[offset], keys, scorer=fuzz.ratio, score_cutoff=70, limit=MAX_CANDIDATES
        )
        for _, likeness, at in near:
            votes[at - offset] += likeness * weights[offset] / 100
    return votes


def _choose(
    quote: Quote, lines: FileLines, starts: Sequence[int], hidden: frozenset[int]
) -> _Candidate | None:
    """Choose the best sound place, without the lines of the file that are hidden."""
    keys, places = lines.folded, lines.places
    said = {*quote.searched, *quote.wanted}
    telling = {line for at, line in enumerate(quote.searched) if quote.is_telling(at)}

    def is_foreign(line: str, other: str) -> bool:
        return not places[line] and other not in said

    found: list[_Candidate] = []
    seen: set[tuple[int, int]] = set()
    rows = len(quote.searched)
    margin = max(0, min(SLACK, (MAX_CELLS // rows - rows) // 2))
    for start in starts:
        first, last = max(0, start - margin), min(len(keys), start + rows + margin)
        if first >= last or (first, last) in seen:
            continue
        seen.add((first, last))
        near = frozenset(line for line in keys[first:last] if line in telling)
        effort = rows * (last - first)
        if effort > lines.effort_left:
            return None
        lines.effort_left -= effort
        window = [
            HIDDEN if at in hidden or at not in quote.span else keys[at]
            for at in range(first, last)
        ]
        alignment = align(quote.searched, quote.weights, window, first, is_foreign=is_foreign)
        pairs, likeness = settle(quote, alignment, hidden, near)
        script = tuple(
            one for one in quote.script if not _is_done(quote, window, first, pairs, one)
        )
        if is_sound(quote, pairs, script, near):
            found.append(_rate(quote, pairs, likeness, script))
    # better found is worth more than a likely place of the same score
    return max(found, key=lambda one: one.score + 0.1 * one.grade, default=None)


def _rate(
    quote: Quote, pairs: Sequence[int], likeness: Sequence[float], script: Script
) -> _Candidate:
    found = sum(weight * like for weight, like in zip(quote.weights, likeness, strict=True))
    grades = [grade_change(pairs, likeness, start, end) for start, end, _, _ in script]
    score = found / sum(quote.weights)
    return _Candidate(tuple(pairs), tuple(likeness), script, score, min(grades, default=Grade.FIRM))


def _is_done(
    quote: Quote,
    window: Sequence[str],
    first: int,
    pairs: Sequence[int],
    change: tuple[int, int, int, int],
) -> bool:
    """Tell whether the file has a change already: its outcome stands between its neighbours."""
    start, end, new_start, new_end = change
    if start == 0 or end == len(pairs) or any(pairs[at] != NOWHERE for at in range(start, end)):
        return False
    above, below = pairs[start - 1], pairs[end]
    if NOWHERE in (above, below):
        return False
    between = window[above + 1 - first : below - first]
    return list(between) == list(quote.wanted[new_start:new_end]) and bool(between or end > start)


def _is_unmistakable(
    quote: Quote,
    best: _Candidate,
    places: Mapping[str, Sequence[int]],
    change: tuple[int, int, int, int],
) -> bool:
    """Tell whether a change can be nowhere else: the lines that say where it goes are unique."""
    start, end, _, _ = change

    def is_unique(at: int) -> bool:
        line = quote.searched[at]
        return best.likeness[at] == 1.0 and quote.is_telling(at) and len(places[line]) == 1

    if start < end:
        return any(is_unique(at) for at in range(start, end))
    return 0 < start < len(quote.searched) and is_unique(start - 1) and is_unique(start)


def _is_clear(best: _Candidate, rival: _Candidate) -> bool:
    """Tell whether one place is so much better than another that it is no guess."""
    margin = MARGIN_SURE if best.grade is Grade.SURE else MARGIN
    if rival.grade < best.grade:
        margin /= 3
    return best.score - rival.score >= margin


def _list_touched(pairs: Sequence[int], change: tuple[int, int, int, int]) -> list[int]:
    """List the lines of the file that a change replaces or stands between."""
    start, end, _, _ = change
    run = range(start, end) if start < end else range(max(0, start - 1), start + 1)
    return [pairs[at] for at in run if at < len(pairs) and pairs[at] != NOWHERE]


def _first(pairs: Sequence[int]) -> int:
    return next((at for at in pairs if at != NOWHERE), 0)
