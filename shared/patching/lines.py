"""The lines of a file and of its hunks in the forms in which they are compared, each made once."""

from collections.abc import Sequence
from functools import cached_property
from itertools import compress
from typing import Final

from shared.patching.fold import Run, fold_lines
from shared.patching.ops import Script, compare_lines
from shared.patching.script import Hunk
from shared.patching.text import FileText, strip_endings

MAX_EFFORT: Final = 4_000_000
"""Cells of alignments for one file: a second or two, whatever a model may write."""
MAX_REPORTS: Final = 8
"""Hunks of one file that are told of in full; the model mends those first."""


class HunkLines:
    """One hunk of a file, and its lines in the forms in which they are compared."""

    def __init__(self, hunk: Hunk, number: int) -> None:
        self.hunk = hunk
        self.number = number
        """Which hunk of the file it is, from 1."""
        self.line = hunk.line
        """Where it is said to begin, counted from 1; others may correct it, or doubt it (None)."""

    @cached_property
    def old(self) -> Run:
        """The searched lines."""
        return Run(strip_endings(self.hunk.old))

    @cached_property
    def new(self) -> Run:
        """The replacing lines."""
        return Run(strip_endings(self.hunk.new))

    @cached_property
    def script(self) -> Script:
        """What changes: ranges of the searched and of the replacing lines."""
        if self.hunk.script is not None:
            return self.hunk.script
        return compare_lines(self.old.bare, self.new.bare)


class FileLines:
    """A file's lines, and the hunks that are looked for among them."""

    def __init__(self, path: str, text: FileText, hunks: Sequence[Hunk]) -> None:
        self.path = path
        self.text = text
        self.hunks = [HunkLines(hunk, number) for number, hunk in enumerate(hunks, 1)]
        """In the order of the edit."""
        self.effort_left = MAX_EFFORT
        """What drifted hunks of this file may still take, in cells of alignments."""
        self.reports_left = MAX_REPORTS
        """Hunks for which the nearest lines may still be looked up."""

    def spend(self, effort: int) -> None:
        """Take effort off what is left."""
        self.effort_left = max(0, self.effort_left - effort)

    @cached_property
    def folded(self) -> list[str]:
        """Every line as the coarsest comparison sees it."""
        text = self.text.text
        return fold_lines(self.text.bare, is_ascii=text.isascii(), has_tabs="\t" in text)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Where each searched line of any hunk stands, folded; an empty list where it does not."""
        places: dict[str, list[int]] = {line: [] for hunk in self.hunks for line in hunk.old.folded}
        is_asked = map(places.__contains__, self.folded)
        for at in compress(range(len(self.folded)), is_asked):
            places[self.folded[at]].append(at)
        return places
