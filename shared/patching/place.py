"""Finds the place of one hunk in a file, and writes it there: the ladder from top to bottom."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.patching.align import NOWHERE
from shared.patching.drift import find_drifted
from shared.patching.elide import find_elided
from shared.patching.errors import PatchCode, PatchError
from shared.patching.hand import Found, Splice, write_changes
from shared.patching.match import (
    FileLines,
    Place,
    choose_place,
    find_anchor,
    find_places,
    is_within,
)
from shared.patching.ops import Script, compare_lines
from shared.patching.report import describe_ambiguous, describe_missing
from shared.patching.script import Hunk, Rung
from shared.patching.text import ending_of, strip_endings

MIN_DONE_LINES: Final = 4
"""Fewer lines are no proof that a hunk has been applied already."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A hunk that has found its place."""

    splices: list[Splice]
    rung: Rung
    start: int
    """The first line that it changes."""
    end: int
    """The line behind the last one."""
    found: int | None = None
    """Where its searched lines begin, if they were all found."""


def _placed(splices: list[Splice], rung: Rung) -> Placed:
    return Placed(
        splices,
        rung,
        min(splice.start for splice in splices),
        max(splice.end for splice in splices),
    )


def place_hunk(path: str, lines: FileLines, hunk: Hunk, span: range, number: int) -> Placed:
    """Find a hunk's place and write it.

    Args:
        path: of the file.
        lines: of the file, as they were before any hunk.
        hunk: what to find and what to put there.
        span: lines among which it has to stand, where hunks follow the file's order.
        number: which hunk of the file it is, for reports.

    Raises:
        PatchError: `patch.context_not_found`, `patch.ambiguous` or `patch.uncertain`.
    """
    if not hunk.old:
        splice = _insert(path, lines, hunk, number)
        return _placed([splice], Rung.EXACT)
    quoted = strip_endings(hunk.old)
    places = find_places(lines, quoted, span)
    if hunk.everywhere and places:
        written = [_write_place(path, lines, hunk, place, number) for place in places]
        splices = [splice for one in written for splice in one.splices]
        return _placed(splices, places[0].rung)
    if places:
        place = choose_place(lines, hunk, places)
        if place is None:
            raise _hesitate(path, number, hunk, [place.start for place in places])
        done = _find_done(lines, hunk, span) if len(hunk.new) > len(hunk.old) else None
        if done is not None and done.start <= place.start < done.end:
            return done
        return _write_place(path, lines, hunk, place, number)
    inline = _replace_inside(lines, hunk)
    if inline:
        return _placed(inline, Rung.EXACT)
    return _place_loosely(path, lines, hunk, span, number)


def list_starts(lines: FileLines, hunk: Hunk) -> list[int]:
    """List every place of a hunk's lines on the lowest rung that has any."""
    quoted = strip_endings(hunk.old)
    whole = range(lines.text.count)
    return [place.start for place in find_places(lines, quoted, whole)] if quoted else []


def _trim_edges(hunk: Hunk) -> Hunk | None:
    """Cut blank lines off both ends of a hunk: off the searched lines, and so many off the new."""
    above = _count_blank(hunk.old)
    below = _count_blank(hunk.old[::-1])
    if not above + below or above == len(hunk.old):
        return None
    first = min(above, _count_blank(hunk.new))
    last = len(hunk.new) - min(below, _count_blank(hunk.new[first:][::-1]))
    old = hunk.old[above : len(hunk.old) - below]
    return replace(hunk, old=old, new=hunk.new[first:last], script=None, inline=None)


def _count_blank(lines: Sequence[str]) -> int:
    return next((at for at, line in enumerate(lines) if line.strip()), len(lines))


def _place_trimmed(
    path: str, lines: FileLines, hunk: Hunk, span: range, number: int
) -> Placed | None:
    """Place a hunk but for blank lines at its ends that the file does not have there."""
    trimmed = _trim_edges(hunk)
    if trimmed is None:
        return None
    places = find_places(lines, strip_endings(trimmed.old), span)
    if not places:
        return None
    if any(start == end and start in (0, len(trimmed.old)) for start, end, *_ in _compare(trimmed)):
        return None  # lines go between the blank ones and the rest: who knows how many to keep
    place = choose_place(lines, trimmed, places)
    if place is None:
        raise _hesitate(path, number, hunk, [place.start for place in places])
    return replace(_write_place(path, lines, trimmed, place, number), rung=Rung.DRIFTED)


def _place_loosely(path: str, lines: FileLines, hunk: Hunk, span: range, number: int) -> Placed:
    """Place a hunk whose lines are not all in the file as they were quoted."""
    done = _find_done(lines, hunk, span)
    if done is not None:
        return done
    if hunk.must_fit:
        raise _miss(path, lines, hunk, number)
    quoted = strip_endings(hunk.old)
    script = _compare(hunk)
    pairs, ways = find_elided(lines, quoted, span)
    # dots that go, or that something takes the place of, stand for themselves
    if pairs is not None and not _cuts_dots(pairs, script):
        return _write(path, lines, hunk, Found(pairs, script, Rung.ELIDED), number)
    if ways > 1:
        raise _hesitate(path, number, hunk, [])
    trimmed = _place_trimmed(path, lines, hunk, span, number)
    if trimmed is not None:
        return trimmed
    wanted = strip_endings(hunk.new)
    drifted, hesitates = find_drifted(lines, quoted, wanted, script, span)
    if drifted is not None:
        rung = Rung.DRIFTED if drifted.script else Rung.DONE
        found = Found(drifted.pairs, drifted.script, rung)
        return _write(path, lines, hunk, found, number)
    if hesitates:
        raise _hesitate(path, number, hunk, hesitates)
    raise _miss(path, lines, hunk, number)


def _cuts_dots(pairs: Sequence[int], script: Script) -> bool:
    return any(
        start < end and NOWHERE in (pairs[start], pairs[end - 1]) for start, end, *_ in script
    )


def _miss(path: str, lines: FileLines, hunk: Hunk, number: int) -> PatchError:
    return PatchError(
        PatchCode.CONTEXT_NOT_FOUND,
        f"the lines to be replaced are not in {path}",
        path=path,
        report=describe_missing(path, number, hunk, lines),
    )


def _find_done(lines: FileLines, hunk: Hunk, span: range) -> Placed | None:
    """Find the hunk's outcome in the file, context and all: then there is nothing left to do."""
    new = strip_endings(hunk.new)
    if len(new) < MIN_DONE_LINES or not any(len(line.strip()) > 1 for line in new):
        return None
    starts = [at for at in lines.find_exact(new) if is_within(at, len(new), span)]
    if len(starts) != 1:
        return None
    return Placed([], Rung.DONE, starts[0], starts[0] + len(new))


def _hesitate(path: str, number: int, hunk: Hunk, starts: Sequence[int]) -> PatchError:
    return PatchError(
        PatchCode.AMBIGUOUS,
        f"the lines to be replaced could stand in {len(starts) or 'several'} places of {path}",
        path=path,
        report=describe_ambiguous(path, number, hunk, starts),
    )


def _compare(hunk: Hunk) -> Script:
    if hunk.script is not None:
        return hunk.script
    return compare_lines(strip_endings(hunk.old), strip_endings(hunk.new))


def _insert(path: str, lines: FileLines, hunk: Hunk, number: int) -> Splice:
    """Insert without context: where the edit says so for certain, or into an empty file."""
    count = lines.text.count
    at: int | None = None
    if count == 0:
        at = 0
    elif hunk.at_end:
        at = count
    elif hunk.anchors:
        at = find_anchor(lines, hunk.anchors)
    elif hunk.line is not None and hunk.line_is_sure and hunk.line <= count + 1:
        at = hunk.line - 1
    elif hunk.line == count and hunk.says_final_newline:
        at = count  # who knows how many lines there are knows where the last one is
    if at is None:
        raise PatchError(
            PatchCode.CONTEXT_NOT_FOUND,
            f"an insertion into {path} does not say where it goes",
            path=path,
            report=f"Hunk {number} of {path} inserts lines without context. Repeat it with the "
            "lines that stand around the place.",
        )
    new = tuple(strip_endings(hunk.new))
    if not hunk.says_final_newline or count:
        return Splice(at, at, new)
    endings = tuple(ending_of(line) for line in hunk.new)
    return Splice(at, at, new, endings, final_newline=bool(endings[-1]))


def _write(path: str, lines: FileLines, hunk: Hunk, found: Found, number: int) -> Placed:
    splices = write_changes(path, number, hunk, lines, found)
    if not splices:  # it changes nothing
        return Placed([], found.rung, min(found.pairs), max(found.pairs) + 1)
    return _placed(splices, found.rung)


def _write_place(path: str, lines: FileLines, hunk: Hunk, place: Place, number: int) -> Placed:
    pairs = range(place.start, place.start + len(hunk.old))
    rung = _name_rung(lines, hunk, place)
    placed = _write(path, lines, hunk, Found(pairs, _compare(hunk), rung), number)
    return replace(placed, found=place.start)


def _replace_inside(lines: FileLines, hunk: Hunk) -> list[Splice]:
    """Replace a part of lines, where it stands just once or everywhere is meant."""
    if hunk.inline is None:
        return []
    searched, wanted = hunk.inline
    if "\n" in searched and searched.rpartition("\n")[2] != wanted.rpartition("\n")[2]:
        return []  # what follows on the last line would be cut off from it
    bare = lines.text.bare
    joined = "\n".join(bare)
    count = joined.count(searched)
    if not count or (count > 1 and not hunk.everywhere):
        return []
    if count == 1:
        at = joined.index(searched)
        first = joined.count("\n", 0, at)
        last = first + searched.count("\n")
        start = joined.rfind("\n", 0, at) + 1
        stop = joined.find("\n", at + len(searched))
        stop = len(joined) if stop < 0 else stop
        changed = joined[start:at] + wanted + joined[at + len(searched) : stop]
        return [Splice(first, last + 1, tuple(changed.split("\n")))]
    if "\n" in searched:
        return [Splice(0, len(bare), tuple(joined.replace(searched, wanted).split("\n")))]
    return [
        Splice(at, at + 1, tuple(line.replace(searched, wanted).split("\n")))
        for at, line in enumerate(bare)
        if searched in line
    ]


def _name_rung(lines: FileLines, hunk: Hunk, place: Place) -> Rung:
    """Tell an exact match from one whose line endings differ."""
    if place.rung is not Rung.EXACT:
        return place.rung
    if "\r" not in lines.text.text and "\r" not in "".join(hunk.old):
        return place.rung
    found = lines.text.lines[place.start : place.start + len(hunk.old)]
    same = all(
        ending_of(actual) == ending_of(searched)
        for actual, searched in zip(found[:-1], hunk.old[:-1], strict=True)
    )
    return Rung.EXACT if same else Rung.LINE_ENDINGS
