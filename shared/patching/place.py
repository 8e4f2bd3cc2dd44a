"""Finds the place of one hunk in a file, and writes it there: the ladder from top to bottom."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.patching.align import NOWHERE
from shared.patching.drift import find_drifted
from shared.patching.elide import find_elided
from shared.patching.errors import PatchCode, PatchError
from shared.patching.hand import Found, Splice, write_changes
from shared.patching.lines import FileLines, HunkLines
from shared.patching.match import Place, choose_place, find_anchor, find_exact, find_places
from shared.patching.ops import Script
from shared.patching.report import describe_ambiguous, describe_missing
from shared.patching.script import Hunk, Rung
from shared.patching.text import ending_of

MIN_DONE_LINES: Final = 4
"""Fewer lines are no proof that a hunk has been applied already."""


@dataclass(slots=True)
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


def place_hunk(lines: FileLines, asked: HunkLines, span: range) -> Placed:
    """Find a hunk's place and write it.

    Args:
        lines: of the file, as they were before any hunk.
        asked: what to find and what to put there.
        span: lines among which it has to stand, where hunks follow the file's order.

    Raises:
        PatchError: `patch.context_not_found`, `patch.ambiguous` or `patch.uncertain`.
    """
    hunk = asked.hunk
    if not hunk.old:
        return _placed([_insert(lines, asked)], Rung.EXACT)
    places = find_places(lines, asked.old, span)
    if hunk.everywhere and places:
        written = [_write_place(lines, asked, place) for place in places]
        splices = [splice for one in written for splice in one.splices]
        return _placed(splices, places[0].rung)
    if places:
        place = choose_place(lines, asked, places)
        if place is None:
            raise _hesitate(lines, asked, [place.start for place in places])
        done = _find_done(lines, asked, span) if len(hunk.new) > len(hunk.old) else None
        if done is not None and done.start <= place.start < done.end:
            return done
        return _write_place(lines, asked, place)
    inline = _replace_inside(lines, hunk)
    if inline:
        return _placed(inline, Rung.EXACT)
    return _place_loosely(lines, asked, span)


def list_starts(lines: FileLines, asked: HunkLines) -> list[int]:
    """List every place of a hunk's lines on the lowest rung that has any."""
    whole = range(lines.text.count)
    return [one.start for one in find_places(lines, asked.old, whole)] if asked.old.bare else []


def _trim_edges(asked: HunkLines) -> HunkLines | None:
    """Cut blank lines off both ends of a hunk: off the searched lines, and so many off the new."""
    old, new = asked.hunk.old, asked.hunk.new
    if old[0].strip() and old[-1].strip():
        return None
    above = _count_blank(old)
    below = _count_blank(old[::-1])
    if above == len(old):
        return None
    first = min(above, _count_blank(new))
    last = len(new) - min(below, _count_blank(new[first:][::-1]))
    trimmed = replace(
        asked.hunk, old=old[above : len(old) - below], new=new[first:last], script=None, inline=None
    )
    return HunkLines(trimmed, asked.number)


def _count_blank(lines: Sequence[str]) -> int:
    return next((at for at, line in enumerate(lines) if line.strip()), len(lines))


def _place_trimmed(lines: FileLines, asked: HunkLines, span: range) -> Placed | None:
    """Place a hunk but for blank lines at its ends that the file does not have there."""
    if not all(lines.places[line] for line in asked.old.folded if line):
        return None  # nor would it stand there without blank lines
    trimmed = _trim_edges(asked)
    if trimmed is None:
        return None
    trimmed.line = asked.line
    places = find_places(lines, trimmed.old, span)
    if not places:
        return None
    if any(start == end and start in (0, len(trimmed.old)) for start, end, *_ in trimmed.script):
        return None  # lines go between the blank ones and the rest: who knows how many to keep
    place = choose_place(lines, trimmed, places)
    if place is None:
        raise _hesitate(lines, asked, [place.start for place in places])
    return replace(_write_place(lines, trimmed, place), rung=Rung.DRIFTED)


def _place_loosely(lines: FileLines, asked: HunkLines, span: range) -> Placed:
    """Place a hunk whose lines are not all in the file as they were quoted."""
    done = _find_done(lines, asked, span)
    if done is not None:
        return done
    if asked.hunk.must_fit:
        raise _miss(lines, asked)
    pairs, ways = find_elided(lines, asked.old, span)
    # dots that go, or that something takes the place of, stand for themselves
    if pairs is not None and not _cuts_dots(pairs, asked.script):
        return _write(lines, asked, Found(pairs, asked.script, Rung.ELIDED))
    if ways > 1:
        raise _hesitate(lines, asked, [])
    trimmed = _place_trimmed(lines, asked, span)
    if trimmed is not None:
        return trimmed
    drifted, hesitates = find_drifted(lines, asked, span)
    if drifted is not None:
        rung = Rung.DRIFTED if drifted.script else Rung.DONE
        return _write(lines, asked, Found(drifted.pairs, drifted.script, rung))
    if hesitates:
        raise _hesitate(lines, asked, hesitates)
    raise _miss(lines, asked)


def _cuts_dots(pairs: Sequence[int], script: Script) -> bool:
    return any(
        start < end and NOWHERE in (pairs[start], pairs[end - 1]) for start, end, *_ in script
    )


def _miss(lines: FileLines, asked: HunkLines) -> PatchError:
    return PatchError(
        PatchCode.CONTEXT_NOT_FOUND,
        f"the lines to be replaced are not in {lines.path}",
        path=lines.path,
        report=describe_missing(lines, asked),
    )


def _find_done(lines: FileLines, asked: HunkLines, span: range) -> Placed | None:
    """Find the hunk's outcome in the file, context and all: then there is nothing left to do."""
    new = asked.new
    if len(new) < MIN_DONE_LINES or not any(len(line.strip()) > 1 for line in new.bare):
        return None
    starts = find_exact(lines, new, span)
    if len(starts) != 1:
        return None
    return Placed([], Rung.DONE, starts[0], starts[0] + len(new))


def _hesitate(lines: FileLines, asked: HunkLines, starts: Sequence[int]) -> PatchError:
    where = f"{len(starts) or 'several'} places of {lines.path}"
    return PatchError(
        PatchCode.AMBIGUOUS,
        f"the lines to be replaced could stand in {where}",
        path=lines.path,
        report=describe_ambiguous(lines, asked, starts),
    )


def _insert(lines: FileLines, asked: HunkLines) -> Splice:
    """Insert without context: where the edit says so for certain, or into an empty file."""
    hunk, count = asked.hunk, lines.text.count
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
            f"an insertion into {lines.path} does not say where it goes",
            path=lines.path,
            report=f"Hunk {asked.number} of {lines.path} inserts lines without context. Repeat it "
            "with the lines that stand around the place.",
        )
    new = tuple(asked.new.bare)
    if not hunk.says_final_newline or count:
        return Splice(at, at, new)
    endings = tuple(ending_of(line) for line in hunk.new)
    return Splice(at, at, new, endings, final_newline=bool(endings[-1]))


def _write(lines: FileLines, asked: HunkLines, found: Found) -> Placed:
    splices = write_changes(lines, asked, found)
    if not splices:  # it changes nothing
        return Placed([], found.rung, min(found.pairs), max(found.pairs) + 1)
    return _placed(splices, found.rung)


def _write_place(lines: FileLines, asked: HunkLines, place: Place) -> Placed:
    pairs = range(place.start, place.start + len(asked.old))
    rung = _name_rung(lines, asked.hunk, place)
    placed = _write(lines, asked, Found(pairs, asked.script, rung))
    placed.found = place.start
    return placed


def _replace_inside(lines: FileLines, hunk: Hunk) -> list[Splice]:
    """Replace a part of lines, where it stands just once or everywhere is meant."""
    if hunk.inline is None:
        return []
    searched, wanted = hunk.inline
    if "\n" in searched and searched.rpartition("\n")[2] != wanted.rpartition("\n")[2]:
        return []  # what follows on the last line would be cut off from it
    joined = lines.text.joined[1:-1]
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
        return [Splice(0, lines.text.count, tuple(joined.replace(searched, wanted).split("\n")))]
    return [
        Splice(at, at + 1, tuple(line.replace(searched, wanted).split("\n")))
        for at, line in enumerate(lines.text.bare)
        if searched in line
    ]


def _name_rung(lines: FileLines, hunk: Hunk, place: Place) -> Rung:
    """Tell an exact match from one whose line endings differ."""
    if place.rung is not Rung.EXACT:
        return place.rung
    if not lines.text.has_returns and "\r" not in "".join(hunk.old):
        return place.rung
    found = lines.text.lines[place.start : place.start + len(hunk.old)]
    same = all(
        ending_of(actual) == ending_of(searched)
        for actual, searched in zip(found[:-1], hunk.old[:-1], strict=True)
    )
    return Rung.EXACT if same else Rung.LINE_ENDINGS
