"""Finds the one shift between the indentation that was quoted and the file's, and applies it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TAB_WIDTHS: Final = (4, 2, 8, 3)


@dataclass(frozen=True, slots=True)
class Shift:
    """What turns quoted indentation into the file's."""

    cut: str = ""
    """What each line has in front that the file has not."""
    put: str = ""
    """What the file has there instead."""
    blanks_of_tab: int = 0
    """How many blanks the file has for each quoted tab; below 0, that many for each tab it has."""

    def move(self, line: str) -> str | None:
        """Indent a line as the file is indented; None where it lacks what is to be cut off."""
        indent = _indent_of(line)
        if self.blanks_of_tab > 0:
            return indent.replace("\t", " " * self.blanks_of_tab) + line[len(indent) :]
        if self.blanks_of_tab < 0:
            return indent.replace(" " * -self.blanks_of_tab, "\t") + line[len(indent) :]
        return self.put + line[len(self.cut) :] if line.startswith(self.cut) else None


def find_shift(wanted: Sequence[str], found: Sequence[str]) -> Shift | None:
    """Find the one shift that turns the indentation of every searched line into the file's."""
    lines = [pair for pair in zip(wanted, found, strict=True) if pair[0].strip()]
    if all(searched == actual for searched, actual in lines):
        return Shift()
    pairs = {(_indent_of(searched), _indent_of(actual)) for searched, actual in lines}
    shifts = {_shift_of(before, after) for before, after in pairs}
    if len(shifts) == 1 and not any("\t" in part for part in next(iter(shifts))):
        return Shift(*shifts.pop())
    for width in (*_TAB_WIDTHS, *(-width for width in _TAB_WIDTHS)):
        retab = Shift(blanks_of_tab=width)
        if all(retab.move(before) == after for before, after in pairs):
            return retab
    return Shift(*shifts.pop()) if len(shifts) == 1 else None


def _shift_of(before: str, after: str) -> tuple[str, str]:
    """Cut off what two indentations end in alike."""
    if before == after:
        return "", ""
    common = 0
    while common < min(len(before), len(after)) and before[-1 - common] == after[-1 - common]:
        common += 1
    return before[: len(before) - common], after[: len(after) - common]


def _indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
