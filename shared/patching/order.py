"""Finds the places of all hunks of a file: each may say where the others cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.patching.errors import PatchCode, PatchError
from shared.patching.match import FileLines
from shared.patching.place import Placed, list_starts, place_hunk
from shared.patching.report import join_failures
from shared.patching.script import Hunk


def place_anywhere(path: str, lines: FileLines, hunks: Sequence[Hunk]) -> list[Placed]:
    """Place hunks in any order.

    Raises:
        PatchError: that of the first hunk that has no place; its report tells of all such.
    """
    whole = range(lines.text.count)
    placed: list[Placed] = []
    failures: dict[int, PatchError] = {}
    for at, hunk in enumerate(hunks):
        try:
            placed.append(place_hunk(path, lines, hunk, whole, at + 1))
        except PatchError as error:
            span = _find_share(lines, hunks, at) if error.code == PatchCode.AMBIGUOUS else None
            if span is None:
                failures[at] = error
            else:
                placed.append(place_hunk(path, lines, hunk, span, at + 1))
    if failures:
        raise _join(failures)
    return placed


def _join(failures: Mapping[int, PatchError]) -> PatchError:
    joined = join_failures([failures[at] for at in sorted(failures)])
    joined.failed_hunks = tuple(sorted(failures))
    return joined


def _find_share(lines: FileLines, hunks: Sequence[Hunk], at: int) -> range | None:
    """Answer a place of its own for a hunk that is written as often as its lines stand there."""
    hunk = hunks[at]
    same = [i for i, one in enumerate(hunks) if one.old == hunk.old and one.new == hunk.new]
    starts = list_starts(lines, hunk)
    if len(same) != len(starts):
        return None
    start = starts[same.index(at)]
    return range(start, start + len(hunk.old))


def place_in_order(path: str, lines: FileLines, hunks: Sequence[Hunk]) -> list[Placed]:
    """Place hunks one behind the other; one that could stand in several places waits for the rest.

    Between the hunks above and the hunks below it there may be room in one place only; or it stands
    as far from its line number as they do from theirs.

    Raises:
        PatchError: that of the first hunk that has no place; its report tells of all such.
    """
    count = lines.text.count
    placed: dict[int, Placed] = {}
    waiting: list[int] = []
    failures: dict[int, PatchError] = {}
    for at, hunk in enumerate(hunks):
        since = max((one.end for i, one in placed.items() if hunks[i].old), default=0)
        # a number that others may correct does not decide yet
        asked = replace(hunk, line=None) if hunk.old and len(hunks) > 1 else hunk
        try:
            placed[at] = place_hunk(path, lines, asked, range(since, count), at + 1)
        except PatchError as error:
            if error.code == PatchCode.AMBIGUOUS:
                waiting.append(at)
            else:
                failures[at] = error
    spans = _list_spans(lines, hunks, placed, waiting)
    numbers = _expect_lines(lines, hunks, placed, waiting)
    for at, span in spans:
        asked = replace(hunks[at], line=numbers[at])
        try:
            placed[at] = place_hunk(path, lines, asked, span, at + 1)
        except PatchError as error:
            failures[at] = error
    if failures:
        raise _join(failures)
    return [placed[at] for at in range(len(hunks))]


def _expect_lines(
    lines: FileLines, hunks: Sequence[Hunk], placed: Mapping[int, Placed], waiting: Sequence[int]
) -> dict[int, int | None]:
    """Correct the line number of each waiting hunk by how far its neighbours are from theirs.

    None where it does not stand there, or where the neighbours disagree and it stands at both.
    """
    moved = {
        at: one.found + 1 - line
        for at, one in placed.items()
        if one.found is not None and (line := hunks[at].line)
    }
    numbers: dict[int, int | None] = {}
    for at in waiting:
        line = hunks[at].line
        above = next((moved[i] for i in range(at - 1, -1, -1) if i in moved), None)
        below = next((moved[i] for i in range(at + 1, len(hunks)) if i in moved), None)
        known = {one for one in (above, below) if one is not None} or {0}
        starts = {start + 1 for start in list_starts(lines, hunks[at])}
        expected = starts & {(line or 0) + one for one in known}
        numbers[at] = expected.pop() if line and len(expected) == 1 else None
    return numbers


def _list_spans(
    lines: FileLines, hunks: Sequence[Hunk], placed: Mapping[int, Placed], waiting: Sequence[int]
) -> list[tuple[int, range]]:
    """Answer for each waiting hunk the lines that the others leave it.

    Those above are moved up as far as they can, those below down as far as they can.
    """
    count = lines.text.count
    starts = {at: list_starts(lines, hunks[at]) for at in waiting}
    lowest: dict[int, int] = {}
    since = 0
    for at in sorted({*placed, *waiting}):
        lowest[at] = since
        if at in placed:
            since = max(since, placed[at].end)
        else:
            first = next((start for start in starts[at] if start >= since), since)
            since = first + len(hunks[at].old)
    highest: dict[int, int] = {}
    until = count
    for at in sorted({*placed, *waiting}, reverse=True):
        highest[at] = until
        if at in placed:
            until = min(until, placed[at].start)
        else:
            length = len(hunks[at].old)
            fitting = [start for start in starts[at] if start + length <= until]
            until = fitting[-1] if fitting else until
    return [(at, range(lowest[at], max(lowest[at], highest[at]))) for at in waiting]
