"""Finds a hunk in which lines were left out: a line of dots stands for whatever is there.

The parts between the dots must each be in the file, in their order, in one way only.
"""

import re
from collections.abc import Sequence
from typing import Final

from shared.patching.align import NOWHERE
from shared.patching.fold import Run
from shared.patching.lines import FileLines
from shared.patching.match import find_places

_DOTS: Final = re.compile(
    r"^\s*(?:#|//|/\*|<!--|--|;|%|\()?\s*(?:\.{3}|\u2026)"
    r"(?:[\w ,'-]*(?:\.{3}|\u2026))?\s*(?:\*/|-->|\))?\s*$"
)
MAX_WAYS: Final = 1000
"""Ways that are followed from part to part."""


def is_elision(line: str) -> bool:
    """Tell whether a line stands for lines left out, such as `# ... existing code ...`."""
    return ("..." in line or "\u2026" in line) and bool(_DOTS.match(line))


def find_elided(lines: FileLines, quoted: Run, span: range) -> tuple[tuple[int, ...] | None, int]:
    """Find the one way to lay the parts of a quote into a file.

    Returns:
        For each quoted line its 0-based line in the file, NOWHERE for the dots; None where there
        is not just one way. And how many ways were seen.
    """
    parts = _split(quoted.bare)
    if not parts or (len(parts) == 1 and len(parts[0][1]) == len(quoted)):
        return None, 0
    ways = _list_ways(lines, parts, span)
    if len(ways) != 1:
        return None, len(ways)
    pairs = [NOWHERE] * len(quoted)
    for (offset, part), start in zip(parts, ways[0], strict=True):
        pairs[offset : offset + len(part)] = range(start, start + len(part))
    return tuple(pairs), 1


def _split(quoted: list[str]) -> list[tuple[int, Run]]:
    """Cut a quote at its dots: each part with where it begins."""
    dots = [at for at, line in enumerate(quoted) if is_elision(line)]
    ends = zip([-1, *dots], [*dots, len(quoted)], strict=True)
    return [(above + 1, Run(quoted[above + 1 : at])) for above, at in ends if at - above > 1]


def _list_ways(lines: FileLines, parts: Sequence[tuple[int, Run]], span: range) -> list[list[int]]:
    ways: list[list[int]] = [[]]
    for number, (_, part) in enumerate(parts):
        starts = [place.start for place in find_places(lines, part, span)]
        ways = [
            [*way, start]
            for way in ways
            for start in starts
            if not way or start >= way[-1] + len(parts[number - 1][1])
        ][:MAX_WAYS]
    return ways
