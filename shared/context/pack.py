"""Packs the best files of a snapshot into one text within a token budget: whole, or in excerpts.

Deterministic. Lines carry their numbers; nothing binary, generated or very large is shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.context.ranking import ContextRequest, Index, RankedFile, rank_files, read_text
from shared.context.words import split_words

BYTES_PER_TOKEN: Final = 2.5
"""On the safe side: code has some 3 to 4 bytes a token with the tokenisers in use."""
TREE_SHARE: Final = 0.1
"""Part of the budget for the list of paths."""
EXCERPT_MARGIN: Final = 12
"""Lines shown above and below a line that counts."""
MAX_PACKED_FILES: Final = 40


@dataclass(frozen=True, slots=True)
class PackedFile:
    """What is shown of a file."""

    path: str
    text: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class ContextPack:
    """What the model is shown."""

    paths: tuple[str, ...]
    """Of the repository, as far as they fit."""
    more_paths: int
    """How many were left out."""
    files: tuple[PackedFile, ...]

    def render(self) -> str:
        """Write it as one text."""
        parts = ["# Files of the repository\n", *(f"{path}\n" for path in self.paths)]
        if self.more_paths:
            parts.append(f"… and {self.more_paths} more\n")
        parts.extend(_render_file(file) for file in self.files)
        return "".join(parts)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text, rather too many than too few."""
    return int(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN) + 1


def build_context(
    files: Mapping[str, bytes], index: Index, request: ContextRequest, *, budget_tokens: int
) -> ContextPack:
    """Choose what to show: the list of paths, then the best files until the budget is used up."""
    ranked = rank_files(index, request)
    paths = _choose_paths(index, ranked, int(budget_tokens * TREE_SHARE))
    more = len(index.words) - len(paths)
    left = budget_tokens - estimate_tokens(ContextPack(paths, more, ()).render())
    packed: list[PackedFile] = []
    for ranked_file in ranked:
        if len(packed) == MAX_PACKED_FILES:
            break
        text = read_text(files, ranked_file.path)
        file = None if text is None else _fit(ranked_file.path, text, request, left)
        if file is not None:
            packed.append(file)
            left -= estimate_tokens(_render_file(file))
    return ContextPack(paths, more, tuple(packed))


def _choose_paths(index: Index, ranked: Sequence[RankedFile], budget: int) -> tuple[str, ...]:
    chosen: list[str] = []
    left = budget - estimate_tokens("# Files of the repository\n… and 000000 more\n")
    best = [file.path for file in ranked]
    for path in dict.fromkeys([*best, *index.words]):
        left -= estimate_tokens(path + "\n")
        if left < 0:
            break
        chosen.append(path)
    return tuple(sorted(chosen))


def _fit(path: str, text: str, request: ContextRequest, left: int) -> PackedFile | None:
    """Show a file whole, or excerpts of it, or not at all."""
    lines = text.split("\n")
    whole = PackedFile(path, _number(lines, [(0, len(lines))]), is_whole=True)
    if estimate_tokens(_render_file(whole)) <= left:
        return whole
    for margin in (EXCERPT_MARGIN, 4, 1):
        ranges = _choose_ranges(path, lines, request, margin)
        excerpt = PackedFile(path, _number(lines, ranges), is_whole=False)
        if ranges and estimate_tokens(_render_file(excerpt)) <= left:
            return excerpt
    return None


def _choose_ranges(
    path: str, lines: Sequence[str], request: ContextRequest, margin: int
) -> list[tuple[int, int]]:
    asked = set(split_words(request.text))
    marked = {at for at, line in enumerate(lines) if not asked.isdisjoint(split_words(line))}
    if path == request.thread_path and request.thread_lines is not None:
        first, last = request.thread_lines
        marked |= set(range(max(0, first - 1), min(len(lines), last)))
    ranges: list[tuple[int, int]] = []
    for at in sorted(marked):
        start, end = max(0, at - margin), min(len(lines), at + margin + 1)
        if ranges and start <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
    return ranges


def _number(lines: Sequence[str], ranges: Sequence[tuple[int, int]]) -> str:
    return "".join(_number_lines(lines, ranges))


def _number_lines(lines: Sequence[str], ranges: Sequence[tuple[int, int]]) -> Iterator[str]:
    for start, end in ranges:
        if start > 0:
            yield "  ⋮\n"
        for at in range(start, end):
            if at < len(lines) - 1 or lines[at]:
                yield f"{at + 1:>5} {lines[at]}\n"


def _render_file(file: PackedFile) -> str:
    kind = "" if file.is_whole else " (excerpts)"
    return f"\n# {file.path}{kind}\n{file.text}"
