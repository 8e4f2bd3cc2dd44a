"""Writes edits as `submit_edits` takes them: quoted lines that stand in one place only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Edit = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file by its lines, to be quoted from."""

    path: str
    lines: Sequence[str]

    def put(self, first: int, last: int, new: Sequence[str]) -> Edit:
        """Put other lines in the place of `first` to `last` (from 0, both counted).

        Lines above are quoted with them until the quote stands in one place only.
        """
        start = first
        while start > 0 and not self._is_single(start, last):
            start -= 1
        kept = self.lines[start:first]
        return self._replace(self.lines[start : last + 1], [*kept, *new])

    def put_each(self, line: str, new: str) -> Edit:
        """Put another line in the place of a line, wherever it stands."""
        is_often = sum(line == other for other in self.lines) > 1
        return self._replace([line], [new]) | {"every_occurrence": is_often}

    def append(self, new: Sequence[str]) -> Edit:
        """Put lines behind the last one."""
        if not self.lines:
            return {"action": "overwrite", "path": self.path, "content": "\n".join(new) + "\n"}
        last = len(self.lines) - 1
        return self.put(last, last, [self.lines[last], *new])

    def _is_single(self, first: int, last: int) -> bool:
        quote = self.lines[first : last + 1]
        starts = range(len(self.lines) - len(quote) + 1)
        return sum(self.lines[at : at + len(quote)] == quote for at in starts) == 1

    def _replace(self, old: Sequence[str], new: Sequence[str]) -> Edit:
        return {
            "action": "replace",
            "path": self.path,
            "search": "\n".join(old),
            "replace": "\n".join(new),
            "every_occurrence": False,
        }


def misquote(edit: Edit) -> Edit:
    """Answer the edit with a quote that stands nowhere."""
    first, *rest = str(edit["search"]).split("\n")
    return edit | {"search": "\n".join([*rest, f"{first} /* from memory */"])}
