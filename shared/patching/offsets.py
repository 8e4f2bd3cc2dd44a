"""Where lines begin in a text, counted from the nearest line that is known, not from the top."""

from bisect import bisect_left, bisect_right


class LineOffsets:
    """Offsets of the newlines in front of lines, in a text that has one in front of each."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0]
        self._offsets = [0]

    def line_at(self, offset: int) -> int:
        """Tell which line the newline at an offset stands in front of, from 0."""
        above = bisect_right(self._offsets, offset) - 1
        since = self._offsets[above]
        line = self._lines[above] + self._text.count("\n", since, offset)
        self.note(line, offset)
        return line

    def note(self, line: int, offset: int) -> None:
        """Remember where a line is."""
        at = bisect_left(self._lines, line)
        if at == len(self._lines) or self._lines[at] != line:
            self._lines.insert(at, line)
            self._offsets.insert(at, offset)

    def find_known(self, line: int) -> tuple[int, int]:
        """Answer the nearest known line at or above a line, and its offset."""
        above = bisect_right(self._lines, line) - 1
        return self._lines[above], self._offsets[above]

    def walk(self, offset: int, lines: int) -> int:
        """Answer the offset so many lines further down."""
        for _ in range(lines):
            offset = self._text.find("\n", offset + 1)
        return offset
