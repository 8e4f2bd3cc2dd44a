"""Puts the new lines of hunks into a file and nothing else: endings and context stay the file's."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.patching.errors import PatchCode, PatchError
from shared.patching.match import FileLines, Place, choose_place, find_anchor, find_places
from shared.patching.merge_lines import merge_line
from shared.patching.ops import compare_lines
from shared.patching.report import describe_ambiguous, describe_missing
from shared.patching.script import Hunk, Rung
from shared.patching.text import FileText, ending_of, split_lines, strip_ending


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
        splices.extend(found[0])
        rungs.append(found[1])
        if ordered and found[0]:
            since = max(splice.end for splice in found[0])
    return Spliced(_write(path, text, splices, _choose_ending(text, hunks)), tuple(rungs))


def _choose_ending(text: FileText, hunks: Sequence[Hunk]) -> str:
    """Answer the ending of new lines: the file's own; the edit's where the file has none yet."""
    if text.text.endswith(("\n", "\r")) or len(text.lines) > 1:
        return text.ending
    written = (ending_of(line) for hunk in hunks for line in hunk.new)
    return next((ending for ending in written if ending), text.ending)


def _place_hunk(
    path: str, lines: FileLines, hunk: Hunk, since: int, number: int
) -> tuple[list[_Splice], Rung]:
    if not hunk.old:
        return [_insert(path, lines, hunk, number)], Rung.EXACT
    places = find_places(lines, hunk, since=since)
    if hunk.everywhere and places:
        return [_replace(path, lines, hunk, place, number) for place in places], places[0].rung
    if not places and hunk.inline is not None:
        inline = _replace_inside(lines, hunk)
        if inline:
            return inline, Rung.EXACT
    if not places:
        raise PatchError(
            PatchCode.CONTEXT_NOT_FOUND,
            f"the lines to be replaced are not in {path}",
            path=path,
            report=describe_missing(path, number, hunk, lines),
        )
    place = choose_place(lines, hunk, places)
    if place is None:
        raise PatchError(
            PatchCode.AMBIGUOUS,
            f"the lines to be replaced stand {len(places)} times in {path}",
            path=path,
            report=describe_ambiguous(path, number, hunk, [place.start for place in places]),
        )
    return [_replace(path, lines, hunk, place, number)], _name_rung(lines, hunk, place)


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


def _replace(path: str, lines: FileLines, hunk: Hunk, place: Place, number: int) -> _Splice:
    old = [strip_ending(line) for line in hunk.old]
    new = [strip_ending(line) for line in hunk.new]
    actual = lines.text.bare[place.start : place.start + len(old)]
    final_newline = None
    if hunk.says_final_newline and hunk.new:
        final_newline = bool(ending_of(hunk.new[-1]))
    end = place.start + len(old)
    if place.rung is Rung.EXACT:
        return _Splice(place.start, end, tuple(new), final_newline)
    cut, put = place.indent
    searched = [_shift(line, cut, put) for line in old]
    wanted = [_shift(line, cut, put) for line in new]
    script = hunk.script if hunk.script is not None else compare_lines(old, new)
    merged: list[str] = []
    at = 0
    for old_start, old_end, new_start, new_end in script:
        merged.extend(actual[at:old_start])
        if old_end - old_start == new_end - new_start:
            for offset in range(old_end - old_start):
                line = merge_line(
                    searched[old_start + offset],
                    actual[old_start + offset],
                    wanted[new_start + offset],
                )
                if line is None:
                    raise PatchError(
                        PatchCode.UNCERTAIN,
                        f"a line to be changed is not in {path} as it was quoted",
                        path=path,
                        report=describe_missing(path, number, hunk, lines),
                    )
                merged.append(line)
        else:
            merged.extend(wanted[new_start:new_end])
        at = old_end
    merged.extend(actual[at:])
    return _Splice(place.start, end, tuple(merged), final_newline)


def _shift(line: str, cut: str, put: str) -> str:
    if not line.strip():
        return line
    return put + line.removeprefix(cut)


def _replace_inside(lines: FileLines, hunk: Hunk) -> list[_Splice]:
    """Replace a part of lines, where it stands just once or everywhere is meant."""
    if hunk.inline is None:
        return []
    searched, wanted = hunk.inline
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
    if place.rung is not Rung.EXACT:
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
