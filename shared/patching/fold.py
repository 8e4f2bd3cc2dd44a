"""Reduces lines to what the coarsest comparison sees: single blanks, none around, plain quotes."""

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Final

_LOOK_ALIKES: Final = {
    ord(char): plain
    for plain, chars in {
        "'": "\u2018\u2019\u201a\u201b\u2032\u02bc",
        '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
        "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
        " ": "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
        "...": "\u2026",
    }.items()
    for char in chars
}


def _fold_look_alikes(line: str) -> str:
    if line.isascii():
        return line
    return unicodedata.normalize("NFKC", line.translate(_LOOK_ALIKES))


def fold_line(line: str) -> str:
    """Reduce one line."""
    bare = _fold_look_alikes(line).strip()
    return " ".join(bare.split()) if "  " in bare or "\t" in bare else bare


def fold_lines(lines: Sequence[str], *, is_ascii: bool, has_tabs: bool) -> list[str]:
    """Reduce all lines of a file.

    Args:
        lines: of the file, without endings.
        is_ascii: whether there are no look-alikes in them.
        has_tabs: whether there may be tabs in them.
    """
    stripped = map(str.strip, lines if is_ascii else map(_fold_look_alikes, lines))
    folded = [" ".join(line.split()) if "  " in line else line for line in stripped]
    if has_tabs:
        return [" ".join(line.split()) if "\t" in line else line for line in folded]
    return folded


class Run:
    """Lines of an edit that stand one below the other, as they are written and folded."""

    def __init__(self, bare: list[str]) -> None:
        self.bare = bare
        """Without endings."""

    @cached_property
    def folded(self) -> list[str]:
        """As the coarsest comparison sees them."""
        return [fold_line(line) for line in self.bare]

    def __len__(self) -> int:
        return len(self.bare)
