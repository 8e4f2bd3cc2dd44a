"""Lines marked as kept, dropped or added, as diffs write them, turned into a hunk and back."""

from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

from shared.patching.script import Hunk

MAX_LCS_CELLS = 50_000_000
"""Bits of the table that an exact comparison may take: 6 MB, some 20 ms."""

Script = tuple[tuple[int, int, int, int], ...]


def hunk_from_ops(
    ops: Sequence[tuple[str, str]],
    *,
    anchors: tuple[str, ...] = (),
    at_end: bool = False,
    line: int | None = None,
    section: str = "",
    says_final_newline: bool = False,
    must_fit: bool = False,
) -> Hunk:
    """Build a hunk from lines marked with a space, `-` or `+`."""
    old: list[str] = []
    new: list[str] = []
    script: list[tuple[int, int, int, int]] = []
    old_start = new_start = 0
    for op, text in ops:
        if op == " ":
            if len(old) > old_start or len(new) > new_start:
                script.append((old_start, len(old), new_start, len(new)))
            old.append(text)
            new.append(text)
            old_start, new_start = len(old), len(new)
        elif op == "-":
            old.append(text)
        else:
            new.append(text)
    if len(old) > old_start or len(new) > new_start:
        script.append((old_start, len(old), new_start, len(new)))
    return Hunk(
        tuple(old),
        tuple(new),
        tuple(script),
        line=line,
        anchors=anchors,
        section=section,
        at_end=at_end,
        says_final_newline=says_final_newline,
        must_fit=must_fit,
    )


def compare_lines(old: Sequence[str], new: Sequence[str]) -> Script:
    """Find the changed ranges between two texts; the fewest lines wherever that can be afforded."""
    start = count_equal(old, new)
    equal = count_equal(old[start:][::-1], new[start:][::-1])
    old_end, new_end = len(old) - equal, len(new) - equal
    if start in (old_end, new_end):
        return ((start, old_end, start, new_end),) if old_end != new_end else ()
    changes: list[tuple[int, int, int, int]] = []
    for a, b, c, d in _split_at_unique(old, new, start, old_end, start, new_end):
        changes.extend(_compare_block(old, new, a, b, c, d))
    return tuple(_join_touching(changes))


def count_equal(old: Sequence[str] | bytes, new: Sequence[str] | bytes) -> int:
    """Count what two texts begin with alike, by halves: slices are compared in C."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _join_touching(
    changes: list[tuple[int, int, int, int]],
) -> list[tuple[int, int, int, int]]:
    joined: list[tuple[int, int, int, int]] = []
    for change in changes:
        if joined and joined[-1][1] == change[0] and joined[-1][3] == change[2]:
            joined[-1] = (joined[-1][0], change[1], joined[-1][2], change[3])
        else:
            joined.append(change)
    return joined


def _compare_block(
    old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int
) -> list[tuple[int, int, int, int]]:
    if a == b or c == d or (b - a) * (d - c) > MAX_LCS_CELLS:
        return [(a, b, c, d)] if b > a or d > c else []
    changes = [
        (op.src_start + a, op.src_end + a, op.dest_start + c, op.dest_end + c)
        for op in LCSseq.opcodes(old[a:b], new[c:d])
        if op.tag != "equal"
    ]
    return _join_touching(changes)


def _split_at_unique(
    old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int
) -> list[tuple[int, int, int, int]]:
    """Cut a large comparison at lines that are unique on both sides and in the same order."""
    if (b - a) * (d - c) <= MAX_LCS_CELLS:
        return [(a, b, c, d)]
    pairs = _unique_pairs(old, new, a, b, c, d)
    blocks: list[tuple[int, int, int, int]] = []
    for i, j in pairs:
        blocks.append((a, i, c, j))
        a, c = i + 1, j + 1
    blocks.append((a, b, c, d))
    return blocks


def _unique_pairs(
    old: Sequence[str], new: Sequence[str], a: int, b: int, c: int, d: int
) -> list[tuple[int, int]]:
    seen_old: dict[str, int] = {}
    for i in range(a, b):
        seen_old[old[i]] = -1 if old[i] in seen_old else i
    seen_new: dict[str, int] = {}
    for j in range(c, d):
        seen_new[new[j]] = -1 if new[j] in seen_new else j
    pairs = [
        (i, seen_new[line])
        for line, i in seen_old.items()
        if i >= 0 and seen_new.get(line, -1) >= 0
    ]
    return _longest_increasing(sorted(pairs))


def _longest_increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    from bisect import bisect_left

    tails: list[int] = []
    tail_at: list[int] = []
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        place = bisect_left(tails, j)
        previous.append(tail_at[place - 1] if place else -1)
        if place == len(tails):
            tails.append(j)
            tail_at.append(index)
        else:
            tails[place] = j
            tail_at[place] = index
    chain: list[tuple[int, int]] = []
    index = tail_at[-1] if tail_at else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]
