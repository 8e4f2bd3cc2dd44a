"""Clears up which line of the file each quoted line is, once a quote has been laid beside it."""

from collections.abc import Collection
from typing import Final

from shared.patching.align import NOWHERE, Alignment
from shared.patching.sound import Quote

MAX_GAP: Final = 4
"""From one quoted line to the next, in lines of the file; beyond it they are of two places."""


def settle(
    quote: Quote, alignment: Alignment, hidden: frozenset[int], near: Collection[str]
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Answer pairs and likeness, once gaps are filled and pairs without a neighbour taken back."""
    pairs, likeness = list(alignment.pairs), list(alignment.likeness)
    cut_far(quote, pairs, likeness)
    _fill_gaps(quote, pairs, hidden, near)
    for at, line in enumerate(pairs):
        if 0.0 < likeness[at] < 1.0:
            goes_on = at > 0 and pairs[at - 1] == line - 1
            leads_on = at + 1 < len(pairs) and pairs[at + 1] == line + 1
            if not goes_on and not leads_on:
                pairs[at], likeness[at] = NOWHERE, 0.0
    return tuple(pairs), tuple(likeness)


def cut_far(quote: Quote, pairs: list[int], likeness: list[float]) -> None:
    """Take back what was found far from the changes: it speaks for another place."""
    first = min(quote.script[0][0], len(pairs) - 1)
    last = max(quote.script[-1][0], quote.script[-1][1] - 1)
    for run in (range(first, -1, -1), range(last, len(pairs))):
        known = NOWHERE
        is_far = False
        for at in run:
            if pairs[at] == NOWHERE:
                continue
            is_far = is_far or (known != NOWHERE and abs(pairs[at] - known) > MAX_GAP)
            if is_far:
                pairs[at], likeness[at] = NOWHERE, 0.0
            else:
                known = pairs[at]


def _fill_gaps(
    quote: Quote, pairs: list[int], hidden: frozenset[int], near: Collection[str]
) -> None:
    """Let context that was not found stand for as many lines that were not quoted."""
    changed = {at for start, end, _, _ in quote.script for at in range(start, end)}
    before = NOWHERE
    for at, line in enumerate(tuple(pairs)):
        if line == NOWHERE:
            continue
        gap = range(before + 1, at)
        if gap and before != NOWHERE and changed.isdisjoint(gap):
            lines = range(pairs[before] + 1, line)
            is_moved = any(quote.searched[i] in near for i in gap)
            if len(lines) == len(gap) and not is_moved and hidden.isdisjoint(lines):
                pairs[before + 1 : at] = lines
        before = at
