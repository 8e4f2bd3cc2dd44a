"""Judges whether it is known where the changes of a drifted hunk go, and how surely."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from rapidfuzz import fuzz

from shared.patching.align import NOWHERE
from shared.patching.ops import Script

MAX_UNQUOTED: Final = 3
"""Lines of the file that may be missing between the quoted lines that hold a change."""
NEAR: Final = 5
"""Lines above and below an insertion in which the same lines would be the insertion itself."""
MIN_KINSHIP: Final = 60
"""Percent: a new line that is less alike is not what became of a replaced one."""


class Grade(IntEnum):
    """How well the lines round the changes are found."""

    LIKELY = 0
    FIRM = 1
    """Each line to be changed, or both its neighbours, are there just as quoted."""
    SURE = 2
    """Each line to be changed and both its neighbours are there just as quoted."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a hunk searches and wants, folded, and the file that it is laid beside."""

    searched: Sequence[str]
    wanted: Sequence[str]
    weights: Sequence[float]
    """How telling each searched line is."""
    telling: Sequence[bool]
    """Whether each searched line holds more than brackets and blanks."""
    script: Script
    span: range
    """Lines of the file among which the hunk has to stand."""
    keys: Sequence[str]
    """Lines of the file."""
    places: Mapping[str, Sequence[int]]
    """Where each searched line stands in the file, ascending."""


def is_sound(quote: Quote, pairs: Sequence[int], script: Script, near: Collection[str]) -> bool:
    """Tell whether it is known where each change goes."""
    for start, end, new_start, new_end in script:
        if _is_there(quote, pairs, (start, end, new_start, new_end)):
            return False
        touched = pairs[start:end]
        if touched and (NOWHERE in touched or touched[-1] - touched[0] != end - start - 1):
            return False
        if touched and not _keeps_its_edges(quote, pairs, (start, end, new_start, new_end)):
            return False
        for at in (start - 1, end):
            if 0 <= at < len(pairs) and pairs[at] == NOWHERE and quote.searched[at] in near:
                return False  # the neighbour is there, and in another order
        says_itself = any(quote.telling[start:end])
        if not says_itself and not _is_held(quote, pairs, (start, end, new_start, new_end)):
            return False
    return True


def _is_there(quote: Quote, pairs: Sequence[int], change: tuple[int, int, int, int]) -> bool:
    """Tell whether all that a change adds stands beside its place, among lines not quoted."""
    start, end, new_start, new_end = change
    known = {*quote.searched}
    added = {line for line in quote.wanted[new_start:new_end] if any(map(str.isalnum, line))}
    around = [pairs[at] for at in (start - 1, end) if 0 <= at < len(pairs)]
    found = [at for at in around if at != NOWHERE]
    if start < end or not added or not found:
        return False
    beside = range(max(0, min(found) - NEAR), min(len(quote.keys), max(found) + NEAR + 1))
    unquoted = {quote.keys[at] for at in beside}.difference(known)
    return added <= unquoted


def _keeps_its_edges(quote: Quote, pairs: Sequence[int], change: tuple[int, int, int, int]) -> bool:
    """Tell whether it is known on which side of lines that were not quoted new lines go.

    Such a line may stand right above or below the lines to be replaced. What is written then has
    to begin, or end, with what became of the replaced line there, not with a line of its own.
    """
    start, end, new_start, new_end = change
    new = quote.wanted[new_start:new_end]
    if len(new) <= end - start:
        return True
    above = pairs[start - 1] if start else NOWHERE
    below = pairs[end] if end < len(pairs) else NOWHERE
    over = () if above == NOWHERE else quote.keys[above + 1 : pairs[start]]
    under = () if below == NOWHERE else quote.keys[pairs[end - 1] + 1 : below]
    return _fits_beside(over, new[0], quote.searched[start]) and _fits_beside(
        under, new[-1], quote.searched[end - 1]
    )


def _fits_beside(unquoted: Sequence[str], new: str, replaced: str) -> bool:
    """Tell whether a new line goes where the replaced one stood, with unquoted lines beside it."""
    if not unquoted or (new and not any(unquoted)):
        return True
    return fuzz.ratio(replaced, new) >= MIN_KINSHIP


def _is_held(quote: Quote, pairs: Sequence[int], change: tuple[int, int, int, int]) -> bool:
    """Tell whether the telling lines around a change leave it just one place.

    On each side where such lines are quoted one of them must be found, or on one side the very line
    that touches the change. Hardly any line of the file may lie in between that was not quoted, and
    none where the change goes.
    """
    start, end, _, _ = change
    above = [at for at in range(start) if quote.searched[at]]
    below = [at for at in range(end, len(pairs)) if quote.searched[at]]
    first = next((at for at in reversed(above) if pairs[at] != NOWHERE), None)
    last = next((at for at in below if pairs[at] != NOWHERE), None)
    is_telling = any(at is not None and quote.telling[at] for at in (first, last))
    if not is_telling and not _hangs_on(quote, pairs, start, end):
        return False
    if (above and first is None) or (below and last is None) or not (above or below):
        # one side is not as it was quoted: then a telling line of the other must touch the change
        is_touched = first == start - 1 if first is not None else last == end
        if not is_touched:
            return False
    low = 0 if first is None else first
    high = len(pairs) - 1 if last is None else last
    held = [pairs[at] for at in range(low, high + 1) if pairs[at] != NOWHERE]
    return held[-1] - held[0] < len(held) + MAX_UNQUOTED and _is_seam(quote, pairs, change)


def _hangs_on(quote: Quote, pairs: Sequence[int], start: int, end: int) -> bool:
    """Tell whether lines without a gap lead from a change to a telling line, above or below."""
    for first, step, stop in ((start - 1, -1, -1), (end, 1, len(pairs))):
        for at in range(first, stop, step):
            is_next = at == first or pairs[at] == pairs[at - step] + step
            if pairs[at] == NOWHERE or not is_next:
                break
            if quote.telling[at]:
                return True
    return False


def _is_seam(quote: Quote, pairs: Sequence[int], change: tuple[int, int, int, int]) -> bool:
    """Tell whether the nearest lines found above and below a change leave it one place."""
    start, end, new_start, new_end = change
    above = next((pairs[at] for at in range(start - 1, -1, -1) if pairs[at] != NOWHERE), None)
    below = next((pairs[at] for at in range(end, len(pairs)) if pairs[at] != NOWHERE), None)
    if above is None or below is None:
        return True
    if start < end or NOWHERE in (pairs[start - 1], pairs[start]):
        return below - above == end - start + 1
    return find_seam(quote.keys, above, below, quote.wanted[new_start:new_end]) is not None


def find_seam(lines: Sequence[str], above: int, below: int, new: Sequence[str]) -> int | None:
    """Answer where new lines go between two lines of the file that were neighbours in the quote.

    Where the file has blank lines between them that were not quoted, new lines that end in a blank
    one stand right above what follows, and new lines that begin with one right below what precedes.
    """
    if below == above + 1:
        return below
    begins, ends = not new[0].strip(), not new[-1].strip()
    if begins == ends or any(line.strip() for line in lines[above + 1 : below]):
        return None
    return below if ends else above + 1


def grade_change(pairs: Sequence[int], likeness: Sequence[float], start: int, end: int) -> Grade:
    """Tell how well the place of one change is found."""
    neighbours = [at for at in (start - 1, end) if 0 <= at < len(pairs)]
    around = range(max(0, start - 1), min(len(pairs), end + 1))
    is_tight = bool(neighbours) and pairs[around[-1]] - pairs[around[0]] == len(around) - 1
    is_framed = is_tight and all(likeness[at] == 1.0 for at in neighbours)
    is_exact = all(likeness[at] == 1.0 for at in range(start, end))
    if is_exact and is_framed:
        return Grade.SURE
    if start == end:
        return Grade.FIRM if any(likeness[at] == 1.0 for at in neighbours) else Grade.LIKELY
    return Grade.FIRM if is_exact or is_framed else Grade.LIKELY
