"""Writes to the model why an edit does not fit: the failing block, the nearest lines, the remedy.

Quotes code, so it goes back to the model and nowhere else.
"""

from collections.abc import Sequence
from typing import Final

from rapidfuzz import fuzz, process

from shared.patching.errors import PatchCode, PatchError
from shared.patching.lines import MAX_REPORTS, FileLines, HunkLines
from shared.patching.script import FileEdit

MAX_QUOTED_LINES: Final = 30
CONTEXT_LINES: Final = 3
MAX_NAMED: Final = 30
"""Fitting edits that are listed."""
MAX_NAMED_CHARS: Final = 100
MAX_SEARCHED_LINES: Final = 20_000


def describe_missing(lines: FileLines, asked: HunkLines) -> str:
    """Describe a hunk whose lines are not in the file."""
    path, searched = lines.path, asked.old.bare
    told = [
        f"Hunk {asked.number} of {path} does not fit. It searches these lines:",
        *_quote(searched),
    ]
    near = _find_nearest(lines, searched)
    if near is None:
        told.append(f"No line of {path} resembles them.")
    else:
        bare = lines.text.bare
        first = max(0, near - CONTEXT_LINES)
        last = min(len(bare), near + len(searched) + CONTEXT_LINES)
        told.append(f"The nearest lines of {path} are:")
        told.extend(f"{at + 1:>6}: {bare[at]}" for at in range(first, last)[:MAX_QUOTED_LINES])
    told.append("Quote the lines exactly as they stand in the file.")
    return "\n".join(told)


def describe_ambiguous(lines: FileLines, asked: HunkLines, starts: Sequence[int]) -> str:
    """Describe a hunk whose lines stand in several places."""
    path = lines.path
    where = ", ".join(str(start + 1) for start in starts[:10])
    return "\n".join(
        (
            f"Hunk {asked.number} of {path} fits in {len(starts)} places, from lines {where}:",
            *_quote(asked.old.bare),
            "Add lines above or below until it fits in one place only.",
        )
    )


def join_failures(failures: Sequence[PatchError]) -> PatchError:
    """Tell of several failures at once, so that one answer can mend them all."""
    first = failures[0]
    parts = [failure.report for failure in failures[:MAX_REPORTS]]
    if len(failures) > MAX_REPORTS:
        parts.append(f"{len(failures) - MAX_REPORTS} more edits do not fit.")
    return PatchError(
        PatchCode(first.code), first.message, path=first.path, report="\n\n".join(parts)
    )


def describe_fitting(edits: Sequence[FileEdit]) -> str:
    """List the edits that fit, each by what it is about."""
    told: list[str] = []
    for edit in edits:
        searched = [next((line for line in hunk.old if line.strip()), "") for hunk in edit.hunks]
        told.extend(f"- {edit.path}: {line.strip()[:MAX_NAMED_CHARS]}" for line in searched)
        if not searched:
            told.append(f"- {edit.path}")
    more = len(told) - MAX_NAMED
    told[MAX_NAMED:] = [f"- and {more} more"] if more > 0 else []
    return "\n".join(("These edits fit and need not be sent again:", *told))


def _quote(lines: Sequence[str]) -> list[str]:
    quoted = [f"    {line}" for line in lines[:MAX_QUOTED_LINES]]
    if len(lines) > MAX_QUOTED_LINES:
        quoted.append(f"    … {len(lines) - MAX_QUOTED_LINES} more lines")
    return quoted


def _find_nearest(lines: FileLines, quoted: Sequence[str]) -> int | None:
    """Find the line at which the longest searched line is most nearly found."""
    if not lines.reports_left:
        return None
    lines.reports_left -= 1
    searched = [line.strip() for line in quoted]
    offset = max(range(len(searched)), key=lambda at: len(searched[at]), default=None)
    if offset is None or not searched[offset]:
        return None
    bare = list(map(str.strip, lines.text.bare[:MAX_SEARCHED_LINES]))
    best = process.extractOne(searched[offset], bare, scorer=fuzz.ratio, score_cutoff=50)
    return None if best is None else max(0, int(best[2]) - offset)
