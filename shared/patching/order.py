"""Finds the places of all hunks of a file: each may say where the others cannot be."""

import sys
from collections.abc import Mapping, Sequence

from shared.patching.errors import PatchCode, PatchError
from shared.patching.lines import FileLines, HunkLines
from shared.patching.place import Placed, list_starts, place_hunk
from shared.patching.report import join_failures


def place_anywhere(lines: FileLines) -> list[Placed]:
    """Place hunks in any order.

    Raises:
        PatchError: that of the first hunk that has no place; its report tells of all such.
    """
    placed: list[Placed] = []
    failures: dict[int, PatchError] = {}
    for at, asked in enumerate(lines.hunks):
        try:
            placed.append(place_hunk(lines, asked, range(sys.maxsize)))
        except PatchError as error:
            span = _find_share(lines, asked) if error.code == PatchCode.AMBIGUOUS else None
            if span is None:
                failures[at] = error
            else:
                placed.append(place_hunk(lines, asked, span))
    if failures:
        raise _join(failures)
    return placed


def _join(failures: Mapping[int, PatchError]) -> PatchError:
    joined = join_failures([failures[at] for at in sorted(failures)])
    joined.failed_hunks = tuple(sorted(failures))
    return joined


def _find_share(lines: FileLines, asked: HunkLines) -> range | None:
    """Answer a place of its own for a hunk that is written as often as its lines stand there."""
    old, new = asked.hunk.old, asked.hunk.new
    same = [one.number for one in lines.hunks if one.hunk.old == old and one.hunk.new == new]
    starts = list_starts(lines, asked)
    if len(same) != len(starts):
        return None
    start = starts[same.index(asked.number)]
    return range(start, start + len(old))


def place_in_order(lines: FileLines) -> list[Placed]:
    """Place hunks one behind the other; one that could stand in several places waits for the rest.

    Between the hunks above and the hunks below it there may be room in one place only; or it stands
    as far from its line number as they do from theirs.

    Raises:
        PatchError: that of the first hunk that has no place; its report tells of all such.
    """
    placed: dict[int, Placed] = {}
    waiting: list[int] = []
    failures: dict[int, PatchError] = {}
    since = 0
    for at, asked in enumerate(lines.hunks):
        if len(lines.hunks) > 1 and asked.hunk.old:
            asked.line = None  # a number that others may correct does not decide yet
        try:
            placed[at] = place_hunk(lines, asked, range(since, sys.maxsize))
        except PatchError as error:
            if error.code == PatchCode.AMBIGUOUS:
                waiting.append(at)
            else:
                failures[at] = error
        else:
            since = max(since, placed[at].end) if asked.hunk.old else since
    if waiting:
        spans = _list_spans(lines, placed, waiting)
        numbers = _expect_lines(lines, placed, waiting)
        for at in waiting:
            lines.hunks[at].line = numbers[at]
            try:
                placed[at] = place_hunk(lines, lines.hunks[at], spans[at])
            except PatchError as error:
                failures[at] = error
    if failures:
        raise _join(failures)
    return [placed[at] for at in range(len(lines.hunks))]


def _expect_lines(
    lines: FileLines, placed: Mapping[int, Placed], waiting: Sequence[int]
) -> dict[int, int | None]:
    """Correct the line number of each waiting hunk by how far its neighbours are from theirs.

    None where it does not stand there, or where the neighbours disagree and it stands at both.
    """
    hunks = lines.hunks
    moved = {
        at: one.found + 1 - line
        for at, one in placed.items()
        if one.found is not None and (line := hunks[at].hunk.line)
    }
    numbers: dict[int, int | None] = {}
    for at in waiting:
        line = hunks[at].hunk.line
        above = next((moved[i] for i in range(at - 1, -1, -1) if i in moved), None)
        below = next((moved[i] for i in range(at + 1, len(hunks)) if i in moved), None)
        known = {one for one in (above, below) if one is not None} or {0}
        starts = {start + 1 for start in list_starts(lines, hunks[at])}
        expected = starts & {(line or 0) + one for one in known}
        numbers[at] = expected.pop() if line and len(expected) == 1 else None
    return numbers


def _list_spans(
    lines: FileLines, placed: Mapping[int, Placed], waiting: Sequence[int]
) -> dict[int, range]:
    """Answer for each waiting hunk the lines that the others leave it.

    Those above are moved up as far as they can, those below down as far as they can.
    """
    starts = {at: list_starts(lines, lines.hunks[at]) for at in waiting}
    lowest: dict[int, int] = {}
    since = 0
    for at in sorted({*placed, *waiting}):
        lowest[at] = since
        if at in placed:
            since = max(since, placed[at].end)
        else:
            first = next((start for start in starts[at] if start >= since), since)
            since = first + len(lines.hunks[at].old)
    highest: dict[int, int] = {}
    until = lines.text.count
    for at in sorted({*placed, *waiting}, reverse=True):
        highest[at] = until
        if at in placed:
            until = min(until, placed[at].start)
        else:
            length = len(lines.hunks[at].old)
            fitting = [start for start in starts[at] if start + length <= until]
            until = fitting[-1] if fitting else until
    return {at: range(lowest[at], max(lowest[at], highest[at])) for at in waiting}
