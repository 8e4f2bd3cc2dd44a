"""Writes the changes of one hunk in the file's own hand: of its context nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from shared.patching.align import NOWHERE
from shared.patching.elide import is_elision
from shared.patching.errors import PatchCode, PatchError
from shared.patching.indent import Shift, find_shift
from shared.patching.match import FileLines, fold_line
from shared.patching.merge_lines import merge_block
from shared.patching.ops import Script
from shared.patching.report import describe_missing
from shared.patching.script import Hunk, Rung
from shared.patching.sound import find_seam
from shared.patching.text import ending_of, strip_endings


@dataclass(frozen=True, slots=True)
class Splice:
    """Lines of the file to replace, and what goes there, without line endings."""

    start: int
    end: int
    new: tuple[str, ...]
    endings: tuple[str, ...] = ()
    """What each new line ends in, where the edit is exact to the byte."""
    final_newline: bool | None = None
    """What the format says of the file's last newline, where the hunk reaches the end."""


@dataclass(frozen=True, slots=True)
class Found:
    """Which line of the file each quoted line is, and how that was found out."""

    pairs: Sequence[int]
    script: Script
    rung: Rung


def write_changes(
    path: str, number: int, hunk: Hunk, lines: FileLines, found: Found
) -> list[Splice]:
    """Write each change of a hunk.

    Raises:
        PatchError: `patch.uncertain`, where a line to be changed is not what was quoted.
    """
    hand = _Hand(path, number, hunk, lines, found)
    splices = [hand.write(change) for change in found.script]
    if found.rung is Rung.EXACT and hunk.says_final_newline and _says_endings(hunk):
        splices = [
            replace(splice, endings=tuple(ending_of(line) for line in hunk.new[c:d]))
            for splice, (_, _, c, d) in zip(splices, found.script, strict=True)
        ]
    if _changes_final_newline(hunk) and found.pairs[-1] + 1 == (end := lines.text.count):
        splices.append(Splice(end, end, (), final_newline=bool(ending_of(hunk.new[-1]))))
    return splices


def _changes_final_newline(hunk: Hunk) -> bool:
    """Tell whether a diff says that the last line had its newline and lacks it, or the reverse."""
    if not (hunk.says_final_newline and hunk.old and hunk.new):
        return False
    return bool(ending_of(hunk.old[-1])) != bool(ending_of(hunk.new[-1]))


def _says_endings(hunk: Hunk) -> bool:
    """Tell whether a diff shows carriage returns, so that a line without one has none."""
    return "\r\n" in "".join((*hunk.old, *hunk.new))


class _Hand:
    """What is known while one hunk is written."""

    def __init__(self, path: str, number: int, hunk: Hunk, lines: FileLines, found: Found) -> None:
        self._path = path
        self._number = number
        self._hunk = hunk
        self._lines = lines
        self._found = found
        self._old = strip_endings(hunk.old)
        self._new = strip_endings(hunk.new)

    def write(self, change: tuple[int, int, int, int]) -> Splice:
        """Write one change: what differs between searched and wanted, and nothing else."""
        old_start, old_end, new_start, new_end = change
        wanted = self._remember(self._new[new_start:new_end])
        pairs = self._found.pairs
        if old_start == old_end:
            at = self._find_seam(old_start, self._new[new_start:new_end])
            return Splice(at, at, tuple(self._shift(wanted, old_start, old_end)))
        first, last = pairs[old_start], pairs[old_end - 1] + 1
        if self._found.rung is Rung.EXACT:
            return Splice(first, last, tuple(wanted))
        searched = self._old[old_start:old_end]
        actual = self._lines.text.bare[first:last]
        if searched == actual:
            return Splice(first, last, tuple(self._retab(wanted)))
        shifted = self._shift([*searched, *wanted], old_start, old_end)
        searched, wanted = shifted[: len(searched)], shifted[len(searched) :]
        if len(searched) != len(actual):  # lines were left out between them
            return Splice(first, last, tuple(wanted))
        merged = merge_block(searched, actual, wanted)
        if merged is None:
            raise self._doubt("a line to be changed is not in {} as it was quoted")
        return Splice(first, last, tuple(merged))

    def _find_seam(self, start: int, new: Sequence[str]) -> int:
        """Answer above which line of the file new lines go."""
        pairs = self._found.pairs
        above = pairs[start - 1] if start else NOWHERE
        below = pairs[start] if start < len(pairs) else NOWHERE
        if above == below == NOWHERE:
            raise self._doubt("new lines for {} stand beside lines that were left out")
        if above == NOWHERE:
            return below
        if below in (NOWHERE, above + 1):
            return above + 1
        seam = find_seam(self._lines.text.bare, above, below, new)
        return above + 1 if seam is None else seam

    def _remember(self, wanted: Sequence[str]) -> list[str]:
        """Give each line that is only moved the text that it has in the file."""
        if self._found.rung is Rung.EXACT:
            return list(wanted)
        bare, pairs = self._lines.text.bare, self._found.pairs
        real: dict[str, str | None] = {}
        removed = [at for start, end, _, _ in self._found.script for at in range(start, end)]
        for at in removed:
            line = self._old[at]
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
        around = range(max(0, start - 1), min(len(self._old), end + 1))
        shift = self._whole_shift or self._find_shift(around)
        if shift is None:
            raise self._doubt("the lines of {} are indented in another way than they were quoted")
        moved: list[str] = []
        for line in new:
            own = shift.move(line) if line.strip() else line
            if own is None:
                raise self._doubt("new lines of {} are indented less than what was quoted")
            moved.append(own)
        return moved

    def _retab(self, new: Sequence[str]) -> list[str]:
        """Write new lines with blanks or tabs as the file does, where the quote mixes them."""
        shift = None if self._found.rung is Rung.EXACT else self._whole_shift
        if shift is None or not shift.blanks_of_tab:
            return list(new)
        return [shift.move(line) or line for line in new]

    @cached_property
    def _whole_shift(self) -> Shift | None:
        return self._find_shift(range(len(self._old)))

    def _find_shift(self, quoted: range) -> Shift | None:
        bare, folded, pairs = self._lines.text.bare, self._lines.folded, self._found.pairs
        there = [at for at in quoted if pairs[at] != NOWHERE]
        there = [at for at in there if fold_line(self._old[at]) == folded[pairs[at]]] or there
        return find_shift([self._old[at] for at in there], [bare[pairs[at]] for at in there])

    def _doubt(self, message: str) -> PatchError:
        return PatchError(
            PatchCode.UNCERTAIN,
            message.format(self._path),
            path=self._path,
            report=describe_missing(self._path, self._number, self._hunk, self._lines),
        )
