"""Puts the changes of hunks into a file and nothing else: endings and context stay the file's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.patching.errors import PatchCode, PatchError
from shared.patching.hand import Splice
from shared.patching.match import FileLines
from shared.patching.place import Placed, list_starts, place_hunk
from shared.patching.report import join_failures
from shared.patching.script import Hunk, Rung
from shared.patching.text import FileText, ending_of, split_lines, strip_ending

MARK: Final = "\ufeff"
"""The byte order mark that a text may begin with."""


@dataclass(frozen=True, slots=True)
class Spliced:
    """A file's text after its hunks."""

    text: str
    rungs: tuple[Rung, ...]
    """How each hunk was found, in the order of the edit."""


def splice_hunks(
    path: str, text: FileText, hunks: Sequence[Hunk], *, ordered: bool, ending: str
) -> Spliced:
    """Apply every hunk of one file, each found in the text as the model was shown it.

    Args:
        path: of the file.
        text: of the file.
        hunks: in the order in which they were written.
        ordered: whether that is their order in the file too.
        ending: of new lines, where neither the file nor the hunks have any.

    Raises:
        PatchError: `patch.context_not_found`, `patch.ambiguous`, `patch.uncertain` or
            `patch.overlap`; nothing is applied then.
    """
    lines = FileLines(text)
    if text.encoding == "latin-1" or text.text.startswith(MARK):
        hunks = [_adopt_hunk(text, hunk) for hunk in hunks]
    placed = _place_in_order(path, lines, hunks) if ordered else _place_anywhere(path, lines, hunks)
    splices = [splice for one in placed for splice in one.splices]
    rungs = tuple(one.rung for one in placed)
    return Spliced(_write(path, text, splices, _choose_ending(text, hunks, ending)), rungs)


def _adopt_hunk(text: FileText, hunk: Hunk) -> Hunk:
    """Write a hunk as the file is decoded; a byte order mark is the file's, whatever is edited."""

    def adopt(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text.adopt(line.removeprefix(MARK)) for line in lines)

    return replace(hunk, old=adopt(hunk.old), new=adopt(hunk.new))


def _place_anywhere(path: str, lines: FileLines, hunks: Sequence[Hunk]) -> list[Placed]:
    whole = range(len(lines.text.bare))
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


def _place_in_order(path: str, lines: FileLines, hunks: Sequence[Hunk]) -> list[Placed]:
    """Place hunks one behind the other; one that could stand in several places waits for the rest.

    Between the hunks above and the hunks below it there may be room in one place only.
    """
    count = len(lines.text.bare)
    placed: dict[int, Placed] = {}
    waiting: list[int] = []
    failures: dict[int, PatchError] = {}
    for at, hunk in enumerate(hunks):
        since = max((one.end for one in placed.values()), default=0)
        try:
            placed[at] = place_hunk(path, lines, hunk, range(since, count), at + 1)
        except PatchError as error:
            if error.code == PatchCode.AMBIGUOUS:
                waiting.append(at)
            else:
                failures[at] = error
    for at, span in _list_spans(lines, hunks, placed, waiting):
        try:
            placed[at] = place_hunk(path, lines, hunks[at], span, at + 1)
        except PatchError as error:
            failures[at] = error
    if failures:
        raise _join(failures)
    return [placed[at] for at in range(len(hunks))]


def _list_spans(
    lines: FileLines, hunks: Sequence[Hunk], placed: Mapping[int, Placed], waiting: Sequence[int]
) -> list[tuple[int, range]]:
    """Answer for each waiting hunk the lines that the others leave it.

    Those above are moved up as far as they can, those below down as far as they can.
    """
    count = len(lines.text.bare)
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


def _choose_ending(text: FileText, hunks: Sequence[Hunk], ending: str) -> str:
    """Answer the ending of new lines: the file's own; the edit's where the file has none yet."""
    if text.text.endswith(("\n", "\r")) or len(text.lines) > 1:
        return text.ending
    if ending != "\n":
        return ending
    written = (ending_of(line) for hunk in hunks for line in hunk.new)
    return next((one for one in written if one), text.ending)


def _write(path: str, text: FileText, splices: Sequence[Splice], default: str) -> str:
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
        if splice.new and parts and not ending_of(parts[-1]):
            parts[-1] += default
        endings = [ending_of(line) for line in text.lines[splice.start : splice.end]]
        if splice.endings:
            endings = list(splice.endings)
        for offset, line in enumerate(splice.new):
            ending = endings[offset] if offset < len(endings) else ""
            parts.append(text.adopt(line) + (ending or default))
        if splice.final_newline is not None and splice.end == len(text.lines):
            final_newline = splice.final_newline
        at = splice.end
    parts.extend(text.lines[at:])
    return _end(text, parts, default, final_newline=final_newline)


def _end(text: FileText, parts: list[str], default: str, *, final_newline: bool) -> str:
    """Begin the text and end it as the file did."""
    if not parts:
        return ""
    if text.text.startswith(MARK) and not parts[0].startswith(MARK):
        parts[0] = MARK + parts[0]
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
    mark = MARK if text.text.startswith(MARK) and not content.startswith(MARK) else ""
    if text.ending == "\n" or "\r" in content:
        return mark + text.adopt(content)
    return mark + "".join(
        text.adopt(strip_ending(line)) + (text.ending if ending_of(line) else "")
        for line in split_lines(content)
    )
