"""Puts the changes of hunks into a file and nothing else: endings and context stay the file's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.patching.errors import PatchCode, PatchError
from shared.patching.hand import Splice
from shared.patching.lines import FileLines
from shared.patching.order import place_anywhere, place_in_order
from shared.patching.script import Hunk, Rung
from shared.patching.text import MARK, FileText, ending_of, split_lines, strip_ending


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
    if text.encoding == "latin-1" or text.text.startswith(MARK):
        hunks = [_adopt_hunk(text, hunk) for hunk in hunks]
    lines = FileLines(path, text, hunks)
    placed = place_in_order(lines) if ordered else place_anywhere(lines)
    splices = [splice for one in placed for splice in one.splices]
    rungs = tuple(one.rung for one in placed)
    return Spliced(_write(path, text, splices, _choose_ending(text, hunks, ending)), rungs)


def _adopt_hunk(text: FileText, hunk: Hunk) -> Hunk:
    """Write a hunk as the file is decoded; a byte order mark is the file's, whatever is edited."""

    def adopt(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text.adopt(line.removeprefix(MARK)) for line in lines)

    return replace(hunk, old=adopt(hunk.old), new=adopt(hunk.new))


def _choose_ending(text: FileText, hunks: Sequence[Hunk], ending: str) -> str:
    """Answer the ending of new lines: the file's own; the edit's where the file has none yet."""
    if text.text.endswith(("\n", "\r")) or text.count > 1:
        return text.ending
    if ending != "\n":
        return ending
    written = (ending_of(line) for hunk in hunks for line in hunk.new)
    return next((one for one in written if one), text.ending)


def _write(path: str, text: FileText, splices: Sequence[Splice], default: str) -> str:
    """Write the file with every splice; untouched lines keep their own endings."""
    parts: list[str] = []
    at = 0
    final_newline: bool | None = None
    is_own = True
    for splice in sorted(splices, key=lambda one: (one.start, one.end)):
        if splice.start < at:
            raise PatchError(
                PatchCode.OVERLAP,
                f"two edits replace the same lines of {path}",
                path=path,
                report=f"Two edits of {path} overlap at line {splice.start + 1}. Join them.",
            )
        if splice.start > at:
            parts.append(text.cut(at, splice.start))
        if splice.new and parts and not ending_of(parts[-1]):
            parts[-1] += default
        endings = splice.endings or _list_endings(text, splice)
        for offset, line in enumerate(splice.new):
            ending = endings[min(offset, len(endings) - 1)] if endings else ""
            parts.append(text.adopt(line) + (ending or default))
        at = splice.end
        is_last = text.is_end(at)
        if splice.final_newline is not None and is_last:
            final_newline = splice.final_newline
        is_own = is_own and not (splice.new and is_last)
    if not text.is_end(at):
        parts.append(text.cut(at))
    if final_newline is None and not is_own:
        final_newline = text.ends_in_newline
    return _end(text, parts, default, final_newline=final_newline)


def _list_endings(text: FileText, splice: Splice) -> Sequence[str]:
    """List what the lines that a splice replaces end in, where that may differ."""
    if not text.has_returns:
        return ()
    return [ending_of(line) for line in text.lines[splice.start : splice.end]]


def _end(text: FileText, parts: list[str], default: str, *, final_newline: bool | None) -> str:
    """Begin the text as the file did, and end it with a newline or without; None: as it is."""
    if not parts:
        return ""
    if text.text.startswith(MARK) and not parts[0].startswith(MARK):
        parts[0] = MARK + parts[0]
    last = parts[-1]
    if final_newline and not ending_of(last):
        parts[-1] = last + default
    elif final_newline is False and ending_of(last):
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
