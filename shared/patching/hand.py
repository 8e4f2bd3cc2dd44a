"""Writes the changes of one hunk in the file's own hand: of its context nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.patching.align import NOWHERE
from shared.patching.elide import is_elision
from shared.patching.errors import PatchCode, PatchError
from shared.patching.indent import Shift, find_shift
from shared.patching.lines import FileLines, HunkLines
from shared.patching.merge_lines import merge_block
from shared.patching.ops import Script
from shared.patching.report import describe_missing
from shared.patching.script import Hunk, Rung
from shared.patching.sound import find_seam
from shared.patching.text import ending_of


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


def write_changes(lines: FileLines, asked: HunkLines, found: Found) -> list[Splice]:
    """Write each change of a hunk.

    Raises:
        PatchError: `patch.uncertain`, where a line to be changed is not what was quoted.
    """
    hunk = asked.hunk
    if found.rung is Rung.EXACT:
        splices = _write_exact(asked, found)
    else:
        hand = _Hand(lines, asked, found)
        splices = [hand.write(change) for change in found.script]
    if _changes_final_newline(hunk) and found.pairs[-1] + 1 == (end := lines.text.count):
        splices.append(Splice(end, end, (), final_newline=bool(ending_of(hunk.new[-1]))))
    return splices


def _write_exact(asked: HunkLines, found: Found) -> list[Splice]:
    """Write the changes of a hunk whose lines stand in the file just as they were quoted."""
    start, hunk = found.pairs[0], asked.hunk
    is_exact_to_the_byte = hunk.says_final_newline and _says_endings(hunk)
    return [
        Splice(
            start + a,
            start + b,
            tuple(asked.new.bare[c:d]),
            tuple(map(ending_of, hunk.new[c:d])) if is_exact_to_the_byte else (),
        )
        for a, b, c, d in found.script
    ]


def _changes_final_newline(hunk: Hunk) -> bool:
    """Tell whether a diff says that the last line had its newline and lacks it, or the reverse."""
    if not (hunk.says_final_newline and hunk.old and hunk.new):
        return False
    return bool(ending_of(hunk.old[-1])) != bool(ending_of(hunk.new[-1]))


def _says_endings(hunk: Hunk) -> bool:
    """Tell whether a diff shows carriage returns, so that a line without one has none."""
    return "\r\n" in "".join((*hunk.old, *hunk.new))


class _Hand:
    """What is known while a hunk is written whose lines are not just as they were quoted."""

    def __init__(self, lines: FileLines, asked: HunkLines, found: Found) -> None:
        self._lines = lines
        self._asked = asked
        self._script = found.script
        self._pairs = found.pairs
        self._bare = lines.text.bare
        self._old = asked.old.bare

    def write(self, change: tuple[int, int, int, int]) -> Splice:
        """Write one change: what differs between searched and wanted, and nothing else."""
        old_start, old_end, new_start, new_end = change
        new = self._asked.new.bare[new_start:new_end]
        wanted = self._remember(new)
        if old_start == old_end:
            at = self._find_seam(old_start, new)
            return Splice(at, at, tuple(self._shift(wanted, old_start, old_end)))
        first, last = self._pairs[old_start], self._pairs[old_end - 1] + 1
        searched = self._old[old_start:old_end]
        actual = self._bare[first:last]
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
        above = self._pairs[start - 1] if start else NOWHERE
        below = self._pairs[start] if start < len(self._pairs) else NOWHERE
        if above == below == NOWHERE:
            raise self._doubt("new lines for {} stand beside lines that were left out")
        if above == NOWHERE:
            return below
        if below in (NOWHERE, above + 1):
            return above + 1
        seam = find_seam(self._bare, above, below, new)
        return above + 1 if seam is None else seam

    @cached_property
    def _real(self) -> dict[str, str | None]:
        """The text that lines to be removed have in the file, where it is not the quoted one."""
        real: dict[str, str | None] = {}
        for at in (at for start, end, _, _ in self._script for at in range(start, end)):
            line = self._old[at].strip()
            own = self._bare[self._pairs[at]].strip() if self._pairs[at] != NOWHERE else None
            if line and own != line and not is_elision(line):
                real[line] = own
        return real

    def _remember(self, wanted: Sequence[str]) -> Sequence[str]:
        """Give each line that is only moved the text that it has in the file."""
        if not self._real:
            return wanted
        written: list[str] = []
        for line in wanted:
            own = self._real.get(line.strip(), line.strip())
            if own is None:
                raise self._doubt("a line to be moved is not in {} as it was quoted")
            written.append(line.replace(line.strip(), own) if line.strip() else line)
        return written

    def _shift(self, new: Sequence[str], start: int, end: int) -> list[str]:
        """Indent new lines as the file is indented where they go."""
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

    def _retab(self, new: Sequence[str]) -> Sequence[str]:
        """Write new lines with blanks or tabs as the file does, where the quote mixes them."""
        shift = self._whole_shift
        if shift is None or not shift.blanks_of_tab:
            return new
        return [shift.move(line) or line for line in new]

    @cached_property
    def _whole_shift(self) -> Shift | None:
        return self._find_shift(range(len(self._old)))

    def _find_shift(self, quoted: range) -> Shift | None:
        searched, folded, pairs = self._asked.old.folded, self._lines.folded, self._pairs
        there = [at for at in quoted if pairs[at] != NOWHERE]
        there = [at for at in there if searched[at] == folded[pairs[at]]] or there
        return find_shift([self._old[at] for at in there], [self._bare[pairs[at]] for at in there])

    def _doubt(self, message: str) -> PatchError:
        path = self._lines.path
        return PatchError(
            PatchCode.UNCERTAIN,
            message.format(path),
            path=path,
            report=describe_missing(self._lines, self._asked),
        )
