"""Carries a change from the line a model remembered to the line that is really there.

The searched line is the base, the file's line one side, the wanted line the other: only what
differs between searched and wanted is written, so that all else keeps the bytes of the file.
"""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, LCSseq

from shared.patching.fold import fold_line

MIN_LIKENESS = 60.0
"""Percent: a searched line and a wanted one that are less alike have nothing to do with another."""

Change = tuple[int, int, str]
"""Start and end in the base, counted in words, and the text that goes there."""

_APOSTROPHE = re.compile(r"\w'\w")
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def merge_line(searched: str, actual: str, wanted: str) -> str | None:
    """Merge one line; None where both sides changed the same characters."""
    if searched == actual:
        return wanted
    if searched == wanted:
        return actual
    requoted = _requote(searched, actual, wanted)
    if requoted is not None:
        return requoted
    base = _WORDS.findall(searched)
    own, new = _list_changes(base, actual), _list_changes(base, wanted)
    if fold_line(searched) == fold_line(actual):
        # blanks and look-alikes: what is replaced need not be kept as the file has it
        own = [one for one in own if not any(_covers(other, one) for other in new)]
    if not _texts(own).isdisjoint(_texts(new)):
        return None  # the file has a part of what is wanted already: twice would be too often
    is_slip = OSA.distance(searched, actual, score_cutoff=1) <= 1
    merged: list[str] = []
    at, was_insertion = 0, False
    for start, end, text in sorted([*own, *new]):
        is_insertion = start == end
        is_touching = start == at and bool(merged) and (is_insertion or was_insertion)
        if start < at or (is_touching and not (is_slip and is_insertion != was_insertion)):
            return None  # the same words, or an order that would be a guess
        merged.extend(base[at:start])
        merged.append(text)
        at, was_insertion = end, is_insertion
    return "".join([*merged, *base[at:]])


def _requote(searched: str, actual: str, wanted: str) -> str | None:
    """Write a line with the quotes of the file, where it was remembered with the other kind."""
    for said, real in (("'", '"'), ('"', "'")):
        is_plain = real not in searched + wanted and not _APOSTROPHE.search(wanted)
        if said in searched and is_plain and searched.replace(said, real) == actual:
            return wanted.replace(said, real)
    return None


def _covers(change: Change, other: Change) -> bool:
    """Tell whether a change replaces all that another one does, or touches it."""
    return change[0] <= other[0] and other[1] <= change[1]


def _texts(changes: Sequence[Change]) -> set[str]:
    return {text.strip() for _, _, text in changes if text.strip()}


def _list_changes(base: Sequence[str], text: str) -> list[Change]:
    """List what turns the words of the base into a text; touching changes are one."""
    words = _WORDS.findall(text)
    changes: list[Change] = []
    for op in LCSseq.opcodes(base, words):
        if op.tag == "equal":
            continue
        new = "".join(words[op.dest_start : op.dest_end])
        if changes and changes[-1][1] == op.src_start:
            changes[-1] = (changes[-1][0], op.src_end, changes[-1][2] + new)
        else:
            changes.append((op.src_start, op.src_end, new))
    return changes


def merge_block(
    searched: Sequence[str], actual: Sequence[str], wanted: Sequence[str]
) -> list[str] | None:
    """Merge a block whose searched lines are, one by one, the file's lines; None in doubt."""
    if len(searched) == len(wanted):
        rows = list(range(len(searched)))
    else:
        rows = _pair_up(searched, wanted)
    gone = set(range(len(searched))).difference(rows)
    if any(fold_line(searched[row]) != fold_line(actual[row]) for row in gone):
        return None  # what would be deleted is another line than the one that was meant
    merged: list[str] = []
    for line, row in zip(wanted, rows, strict=True):
        own = line if row < 0 else merge_line(searched[row], actual[row], line)
        if own is None:
            return None
        merged.append(own)
    return merged


def _pair_up(searched: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Find for each wanted line the searched one it was made of, or -1; in order."""
    rows: list[int] = []
    since = 0
    for line in wanted:
        likeness = [(fuzz.ratio(searched[row], line), -row) for row in range(since, len(searched))]
        best, row = max(likeness, default=(0.0, 0))
        if best >= MIN_LIKENESS:
            rows.append(-row)
            since = -row + 1
        else:
            rows.append(-1)
    return rows
