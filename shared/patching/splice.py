"""Puts the new lines of hunks into a file and nothing else: endings and context stay the file's."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.patching.align import NOWHERE
from shared.patching.drift import find_drifted
from shared.patching.elide import find_elided, is_elision
from shared.patching.errors import PatchCode, PatchError
from shared.patching.match import (
    FileLines,
    Place,
    choose_place,
    find_anchor,
    find_places,
    find_shift,
    find_starts,
    fold_line,
)
from shared.patching.merge_lines import merge_block
from shared.patching.ops import Script, compare_lines
from shared.patching.report import describe_ambiguous, describe_missing
from shared.patching.script import Hunk, Rung
from shared.patching.text import FileText, ending_of, split_lines, strip_ending

MIN_DONE_LINES = 4
"""Fewer lines are no proof that a hunk has been applied already."""


@dataclass(frozen=True, slots=True)
class _Splice:
    """Lines of the file to replace, and what goes there, without line endings."""

    start: int
    end: int
    new: tuple[str, ...]
    final_newline: bool | None = None
    """What the format says of the file's last newline, where the hunk reaches the end."""


@dataclass(frozen=True, slots=True)
class Spliced:
    """A file's text after its hunks."""

    text: str
    rungs: tuple[Rung, ...]
    """How each hunk was found, in the order of the edit."""


def splice_hunks(path: str, text: FileText, hunks: Sequence[Hunk], *, ordered: bool) -> Spliced:
    """Apply every hunk of one file, each found in the text as the model was shown it.

    Raises:
        PatchError: `patch.context_not_found`, `patch.ambiguous`, `patch.uncertain` or
            `patch.overlap`; nothing is applied then.
    """
    lines = FileLines(text)
    splices: list[_Splice] = []
    rungs: list[Rung] = []
    since = 0
    for number, hunk in enumerate(hunks, start=1):
        found = _place_hunk(path, lines, hunk, since if ordered else 0, number)
        splices.extend(found.splices)
        rungs.append(found.rung)
        if ordered:
            since = max(since, found.end)
    return Spliced(_write(path, text, splices, _choose_ending(text, hunks)), tuple(rungs))


def _choose_ending(text: FileText, hunks: Sequence[Hunk]) -> str:
    """Answer the ending of new lines: the file's own; the edit's where the file has none yet."""
    if text.text.endswith(("\n", "\r")) or len(text.lines) > 1:
        return text.ending
    written = (ending_of(line) for hunk in hunks for line in hunk.new)
    return next((ending for ending in written if ending), text.ending)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A hunk that has found its place."""

    splices: list[_Splice]
    rung: Rung
    end: int
    """The line behind the last one that it quotes."""


def _place_hunk(path: str, lines: FileLines, hunk: Hunk, since: int, number: int) -> _Placed:
    if not hunk.old:
        splice = _insert(path, lines, hunk, number)
        return _Placed([splice], Rung.EXACT, splice.end)
    places = find_places(lines, hunk, since=since)
    if hunk.everywhere and places:
        written = [_write_place(path, lines, hunk, place, number) for place in places]
        splices = [splice for one in written for splice in one.splices]
        return _Placed(splices, places[0].rung, written[-1].end)
    if places:
        place = choose_place(lines, hunk, places)
        if place is None:
            raise _hesitate(path, number, hunk, [place.start for place in places])
        done = _find_done(lines, hunk, since) if len(hunk.new) > len(hunk.old) else None
        if done is not None and done.end - len(hunk.new) <= place.start < done.end:
            return done
        return _write_place(path, lines, hunk, place, number)
    inline = _replace_inside(lines, hunk)
    if inline:
        return _Placed(inline, Rung.EXACT, inline[-1].end)
    return _place_loosely(path, lines, hunk, since, number)


def _place_loosely(path: str, lines: FileLines, hunk: Hunk, since: int, number: int) -> _Placed:
    """Place a hunk whose lines are not all in the file as they were quoted."""
    done = _find_done(lines, hunk, since)
    if done is not None:
        return done
    quoted = [strip_ending(line) for line in hunk.old]
    script = _compare(hunk)
    if hunk.elidable:
        pairs, ways = find_elided(lines, quoted, since=since)
        if pairs is not None:
            return _write_pairs(path, lines, hunk, _Pairs(pairs, script, Rung.ELIDED), number)
        if ways > 1:
            raise _hesitate(path, number, hunk, [])
    drifted, hesitates = find_drifted(lines, quoted, script, since=since)
    if drifted is not None:
        found = _Pairs(drifted.pairs, script, Rung.DRIFTED)
        return _write_pairs(path, lines, hunk, found, number)
    if hesitates:
        raise _hesitate(path, number, hunk, hesitates)
    raise PatchError(
        PatchCode.CONTEXT_NOT_FOUND,
        f"the lines to be replaced are not in {path}",
        path=path,
        report=describe_missing(path, number, hunk, lines),
    )


def _find_done(lines: FileLines, hunk: Hunk, since: int) -> _Placed | None:
    """Find the hunk's outcome in the file, context and all: then there is nothing left to do."""
    new = [strip_ending(line) for line in hunk.new]
    if len(new) < MIN_DONE_LINES or not any(len(line.strip()) > 1 for line in new):
        return None
    starts = [start for start in find_starts(lines, new, Rung.EXACT) if start >= since]
    return _Placed([], Rung.DONE, starts[0] + len(new)) if len(starts) == 1 else None


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
    return compare_lines(
        [strip_ending(line) for line in hunk.old], [strip_ending(line) for line in hunk.new]
    )


def _insert(path: str, lines: FileLines, hunk: Hunk, number: int) -> _Splice:
    """Insert without context: where the edit says so for certain, or into an empty file."""
    count = len(lines.text.bare)
    at: int | None = None
    if count == 0 or hunk.at_start:
        at = 0
    elif hunk.at_end:
        at = count
    elif hunk.anchors:
        at = find_anchor(lines, hunk.anchors)
    elif hunk.line is not None and hunk.line_is_sure and hunk.line <= count + 1:
        at = hunk.line - 1
    if at is None:
        raise PatchError(
            PatchCode.CONTEXT_NOT_FOUND,
            f"an insertion into {path} does not say where it goes",
            path=path,
            report=f"Hunk {number} of {path} inserts lines without context. Repeat it with the "
            "lines that stand around the place.",
        )
    return _Splice(at, at, tuple(strip_ending(line) for line in hunk.new))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Which line of the file each quoted line is, and how that was found out."""

    pairs: Sequence[int]
    script: Script
    rung: Rung


def _write_place(path: str, lines: FileLines, hunk: Hunk, place: Place, number: int) -> _Placed:
    pairs = range(place.start, place.start + len(hunk.old))
    rung = _name_rung(lines, hunk, place)
    return _write_pairs(path, lines, hunk, _Pairs(pairs, _compare(hunk), rung), number)


def _write_pairs(path: str, lines: FileLines, hunk: Hunk, found: _Pairs, number: int) -> _Placed:
    """Write each change of a hunk, and of its context nothing."""
    text = _HunkText(path, number, hunk, lines, found)
    splices = [text.write(change) for change in found.script]
    end = max(found.pairs) + 1
    if hunk.says_final_newline and hunk.new and end == len(lines.text.lines):
        final_newline = bool(ending_of(hunk.new[-1]))
        splices.append(_Splice(end, end, (), final_newline))
    return _Placed(splices, found.rung, end)


class _HunkText:
    """Writes the changes of one hunk in the file's own hand."""

    def __init__(self, path: str, number: int, hunk: Hunk, lines: FileLines, found: _Pairs) -> None:
        self._path = path
        self._number = number
        self._hunk = hunk
        self._lines = lines
        self._found = found
        self._old = [strip_ending(line) for line in hunk.old]
        self._new = [strip_ending(line) for line in hunk.new]

    def write(self, change: tuple[int, int, int, int]) -> _Splice:
        """Write one change: what differs between searched and wanted, and nothing else."""
        old_start, old_end, new_start, new_end = change
        wanted = self._remember(self._new[new_start:new_end])
        pairs = self._found.pairs
        if old_start == old_end:
            above = pairs[old_start - 1] if old_start else NOWHERE
            at = above + 1 if above != NOWHERE else pairs[old_start]
            return _Splice(at, at, tuple(self._shift(wanted, old_start, old_end)))
        first, last = pairs[old_start], pairs[old_end - 1] + 1
        searched = self._old[old_start:old_end]
        actual = self._lines.text.bare[first:last]
        if searched == actual or not wanted:
            return _Splice(first, last, tuple(wanted))
        shifted = self._shift([*searched, *wanted], old_start, old_end)
        searched, wanted = shifted[: len(searched)], shifted[len(searched) :]
        if len(searched) != len(actual):  # lines were left out between them
            return _Splice(first, last, tuple(wanted))
        merged = merge_block(searched, actual, wanted)
        if merged is None:
            raise self._doubt("a line to be changed is not in {} as it was quoted")
        return _Splice(first, last, tuple(merged))

    def _remember(self, wanted: Sequence[str]) -> list[str]:
        """Give each line that is only moved the text that it has in the file."""
        if self._found.rung is Rung.EXACT:
            return list(wanted)
        bare, pairs = self._lines.text.bare, self._found.pairs
        real: dict[str, str | None] = {}
        for at, line in enumerate(self._old):
            own = bare[pairs[at]].strip() if pairs[at] != NOWHERE else None
            if line.strip() and own != line.strip() and not is_elision(line):
                real[line.strip()] = own
        written: list[str] = []
        for line in wanted:
            own = real.get(line.strip(), line.strip())
            if own is None:
                raise self._doubt("a line to be moved is not in {} as it was quoted")
            written.append(line.replace(line.strip(), own) if line.strip() else line)
        return written

    def _shift(self, new: Sequence[str], start: int, end: int) -> list[str]:
        """Indent new lines as the file is indented where they go."""
        if self._found.rung is Rung.EXACT:
            return list(new)
        everything = range(len(self._old))
        around = range(max(0, start - 1), min(len(self._old), end + 1))
        shift = self._find_shift(everything) or self._find_shift(around)
        if shift is None:
            raise self._doubt("the lines of {} are indented in another way than they were quoted")
        cut, put = shift
        return [put + line.removeprefix(cut) if line.strip() else line for line in new]

    def _find_shift(self, quoted: range) -> tuple[str, str] | None:
        bare = self._lines.text.bare
        same = [
            (self._old[at], bare[self._found.pairs[at]])
            for at in quoted
            if self._found.pairs[at] != NOWHERE
        ]
        same = [pair for pair in same if fold_line(pair[0]) == fold_line(pair[1])] or same
        return find_shift([searched for searched, _ in same], [actual for _, actual in same])

    def _doubt(self, message: str) -> PatchError:
        return PatchError(
            PatchCode.UNCERTAIN,
            message.format(self._path),
            path=self._path,
            report=describe_missing(self._path, self._number, self._hunk, self._lines),
        )


def _replace_inside(lines: FileLines, hunk: Hunk) -> list[_Splice]:
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
        return [_Splice(first, last + 1, tuple(changed.split("\n")))]
    if "\n" in searched:
        return [_Splice(0, len(bare), tuple(joined.replace(searched, wanted).split("\n")))]
    return [
        _Splice(at, at + 1, tuple(line.replace(searched, wanted).split("\n")))
        for at, line in enumerate(bare)
        if searched in line
    ]


def _name_rung(lines: FileLines, hunk: Hunk, place: Place) -> Rung:
    """Tell an exact match from one whose line endings differ."""
    if place.rung is not Rung.EXACT or "\r" not in lines.text.text:
        return place.rung
    found = lines.text.lines[place.start : place.start + len(hunk.old)]
    same = all(
        ending_of(actual) == ending_of(searched)
        for actual, searched in zip(found[:-1], hunk.old[:-1], strict=True)
    )
    return Rung.EXACT if same else Rung.LINE_ENDINGS


def _write(path: str, text: FileText, splices: Sequence[_Splice], default: str) -> str:
    """Write the file with every splice; untouched lines keep their own endings."""
    parts: list[str] = []
    at = 0
    final_newline = text.ends_in_newline
    for splice in sorted(splices, key=lambda one: (one.start, one.end)):
        if splice.start < at:
            raise PatchError(
                PatchCode.OVERLAP,
                f"two edits replace the same lines of {path}",
                path=path,
                report=f"Two edits of {path} overlap at line {splice.start + 1}. Join them.",
            )
        parts.extend(text.lines[at : splice.start])
        endings = [ending_of(line) for line in text.lines[splice.start : splice.end]]
        for offset, line in enumerate(splice.new):
            ending = endings[offset] if offset < len(endings) else ""
            parts.append(text.adopt(line) + (ending or default))
        if splice.final_newline is not None and splice.end == len(text.lines):
            final_newline = splice.final_newline
        at = splice.end
    parts.extend(text.lines[at:])
    return _end_lines(text, parts, default, final_newline=final_newline)


def _end_lines(text: FileText, parts: list[str], default: str, *, final_newline: bool) -> str:
    """Give every line but the last an ending, and the last one as the file had it."""
    if not parts:
        return ""
    if text.text.startswith("\ufeff") and not parts[0].startswith("\ufeff"):
        parts[0] = "\ufeff" + parts[0]
    for at, line in enumerate(parts[:-1]):
        if not ending_of(line):
            parts[at] = line + default
    last = parts[-1]
    if final_newline and not ending_of(last):
        parts[-1] = last + default
    elif not final_newline and ending_of(last):
        parts[-1] = strip_ending(last)
    return "".join(parts)


def adopt_lines(text: FileText | None, content: str) -> str:
    """Write whole new content the way the file that it replaces is written."""
    if text is None:
        return content
    mark = "\ufeff" if text.text.startswith("\ufeff") and not content.startswith("\ufeff") else ""
    if text.ending == "\n" or "\r" in content:
        return mark + text.adopt(content)
    return mark + "".join(
        text.adopt(strip_ending(line)) + (text.ending if ending_of(line) else "")
        for line in split_lines(content)
    )
