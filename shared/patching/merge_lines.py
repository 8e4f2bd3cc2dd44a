"""Carries a change from the line a model remembered to the line that is really there.

The searched line is the base, the file's line one side, the wanted line the other: only what
differs between searched and wanted is written, so that all else keeps the bytes of the file.
"""

from rapidfuzz.distance import LCSseq

Change = tuple[int, int, str]
"""Start and end in the base, and the text that goes there."""


def merge_line(searched: str, actual: str, wanted: str) -> str | None:
    """Merge one line; None where both sides changed the same characters."""
    if searched == actual:
        return wanted
    if searched == wanted:
        return actual
    merged: list[str] = []
    at = -1
    for start, end, text in sorted(
        _list_changes(searched, actual) + _list_changes(searched, wanted)
    ):
        if start <= at:
            return None  # touching changes of both sides: their order would be a guess
        merged.append(searched[max(at, 0) : start])
        merged.append(text)
        at = end
    merged.append(searched[max(at, 0) :])
    return "".join(merged)


def _list_changes(before: str, after: str) -> list[Change]:
    """List what turns one text into another; touching changes are one."""
    changes: list[Change] = []
    for op in LCSseq.opcodes(before, after):
        if op.tag == "equal":
            continue
        text = after[op.dest_start : op.dest_end]
        if changes and changes[-1][1] == op.src_start:
            changes[-1] = (changes[-1][0], op.src_end, changes[-1][2] + text)
        else:
            changes.append((op.src_start, op.src_end, text))
    return changes
