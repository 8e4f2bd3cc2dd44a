"""Packs the best files of a snapshot into one text within a token budget.

Small files are shown whole, larger ones by their signatures and the regions that the request is
about. Deterministic. Lines carry their numbers, so that no content can pass for a heading; what was
left out is said.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.context.index import Index
from shared.context.outline import find_signatures
from shared.context.ranking import RankedFile, rank_files
from shared.context.request import ContextRequest
from shared.context.visibility import read_text
from shared.context.words import split_words

BYTES_PER_TOKEN: Final = 2.5
"""On the safe side: code has some 3 to 4 bytes a token with the tokenisers in use."""
TREE_SHARE: Final = 0.1
"""Part of the budget for the list of paths."""
BEST_SHARE: Final = 0.4
"""Part of the budget that each of the best files may use up."""
OTHER_SHARE: Final = 0.1
"""The same for each of the others."""
BEST_FILES: Final = 3
OUTLINE_SHARE: Final = 0.4
"""Part of a file's room for its signatures."""
EXCERPT_MARGIN: Final = 12
"""Lines shown above and below a line that counts."""
MAX_PACKED_FILES: Final = 40
MAX_REGIONS: Final = 60
"""Of one file."""
ENOUGH_AROUND: Final = 8
"""Lines that are shown above and below a line which needs no region of its own."""
MAX_TOLD_CHANGES: Final = 20
"""Ranges of changed lines that are told of one file."""

_THREAD: Final = 1000.0
_CHANGED: Final = 5.0
_FADING_LINES: Final = 100
"""So far into a change a line counts half: every change's beginning comes before more of one."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """What is shown of a file."""

    path: str
    text: str
    is_whole: bool
    note: str = ""
    """What is said of it, besides."""


@dataclass(frozen=True, slots=True)
class ContextPack:
    """What the model is shown."""

    paths: tuple[str, ...]
    """Of the repository, as far as they fit."""
    more_paths: int
    """How many were left out."""
    files: tuple[PackedFile, ...]
    unread: int = 0
    """Files that were not searched to their ends because the repository is too large."""
    left_out: int = 0
    """Good files for which there was no room."""
    ranked: tuple[RankedFile, ...] = ()
    """Every file that something speaks for, the best first."""

    def render(self) -> str:
        """Write it as one text."""
        parts = ["# Files of the repository\n", *(f"{show_path(path)}\n" for path in self.paths)]
        if self.more_paths:
            parts.append(f"… and {self.more_paths} more\n")
        if self.unread:
            parts.append(f"({self.unread} files were searched in part: there is too much)\n")
        if self.left_out:
            parts.append(f"({self.left_out} more files may matter but do not fit here)\n")
        parts.extend(_render_file(file) for file in self.files)
        return "".join(parts)


def show_path(path: str) -> str:
    """Write a path on one line, whatever its author put into it."""
    return "".join(char if char.isprintable() else "\ufffd" for char in path)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text, rather too many than too few."""
    return int(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN) + 1


def build_context(
    files: Mapping[str, bytes],
    index: Index,
    request: ContextRequest,
    *,
    budget_tokens: int,
    ranked: Sequence[RankedFile] | None = None,
) -> ContextPack:
    """Choose what to show: the list of paths, then the best files until the budget is used up.

    `ranked` is what `rank_files` said of this request, for whoever asked already.
    """
    if ranked is None:
        ranked = rank_files(index, request)
    paths = _choose_paths(index, ranked, int(budget_tokens * TREE_SHARE))
    more = len(index.entries) - len(paths)
    candidates = ranked[:MAX_PACKED_FILES]
    bare = ContextPack(paths, more, (), index.unread, len(candidates))
    left = budget_tokens - estimate_tokens(bare.render())
    packed: list[PackedFile] = []
    for place, ranked_file in enumerate(candidates):
        share = BEST_SHARE if place < BEST_FILES else OTHER_SHARE
        room = min(left, int(budget_tokens * share))
        text = read_text(files, ranked_file.path) if room > 0 else None
        file = None if text is None else _fit(ranked_file.path, text, request, room)
        if file is not None:
            packed.append(file)
            left -= estimate_tokens(_render_file(file))
    left_out = len(candidates) - len(packed)
    return ContextPack(paths, more, tuple(packed), index.unread, left_out, tuple(ranked))


def _choose_paths(index: Index, ranked: Sequence[RankedFile], budget: int) -> tuple[str, ...]:
    chosen: list[str] = []
    left = budget - estimate_tokens("# Files of the repository\n… and 000000 more\n")
    best = [file.path for file in ranked]
    for path in dict.fromkeys([*best, *index.places]):
        left -= estimate_tokens(show_path(path) + "\n")
        if left < 0:
            break
        chosen.append(path)
    return tuple(sorted(chosen))


def _fit(path: str, text: str, request: ContextRequest, room: int) -> PackedFile | None:
    """Show a file whole, or its signatures and best regions, or not at all."""
    lines = text.split("\n")
    note = _describe_changes(path, request)
    if len(text) / BYTES_PER_TOKEN <= room:  # a character has at least one byte
        whole = PackedFile(path, _number(lines, range(len(lines))), is_whole=True, note=note)
        if estimate_tokens(_render_file(whole)) <= room:
            return whole
    empty = PackedFile(path, "", is_whole=False, note=note)
    room -= estimate_tokens(_render_file(empty)) + 2
    outline_room = int(room * OUTLINE_SHARE)
    shown: set[int] = set()
    for at in find_signatures(path, text):
        outline_room -= _measure_line(lines[at])
        if outline_room < 0:
            break
        shown.add(at)
        room -= _measure_line(lines[at])
    regions = _choose_regions(path, lines, request, shown, room)
    if not regions:
        return None  # signatures alone cost room that a better file can use
    return PackedFile(path, _number(lines, sorted(shown | regions)), is_whole=False, note=note)


def _choose_regions(
    path: str, lines: Sequence[str], request: ContextRequest, shown: set[int], room: int
) -> set[int]:
    """Choose the lines that count with what is around them, the best first, beside what is shown.

    Around each as much as there is room for.
    """
    chosen: set[int] = set()
    settled: set[int] = set()
    regions = 0
    for at in _rank_lines(path, lines, request):
        if at in settled:
            continue
        for margin in (EXCERPT_MARGIN, 4, 1):
            region = range(max(0, at - margin), min(len(lines), at + margin + 1))
            added = [near for near in region if near not in shown and near not in chosen]
            cost = sum(_measure_line(lines[near]) for near in added)
            if cost <= room:
                chosen.update(region)
                room -= cost
                enough = margin - ENOUGH_AROUND
                settled.update(range(at - enough, at + enough + 1))
                break
        regions += 1
        if regions == MAX_REGIONS:
            break
    return chosen


def _measure_line(line: str) -> int:
    """Estimate the tokens of a line with its number, and of a gap above it."""
    return estimate_tokens(line) + 5


def _rank_lines(path: str, lines: Sequence[str], request: ContextRequest) -> list[int]:
    """Rank the lines that something speaks for, 0-based, the best first."""
    asked = set(split_words(request.text)) | set(split_words(request.title))
    having = [asked.intersection(split_words(line)) for line in lines]
    spread = Counter(word for words in having for word in words)
    weights = {word: math.log(1 + len(lines) / count) for word, count in spread.items()}
    scores = [sum(sorted(weights[word] for word in words)) for words in having]
    for first, last in request.changed_lines.get(path, ()):
        # where lines were only removed, the place is the line that follows
        for offset, at in enumerate(_clip(first, max(first, last), lines)):
            scores[at] += _CHANGED / (1 + offset / _FADING_LINES)
    if path == request.thread_path and request.thread_lines is not None:
        for at in _clip(*request.thread_lines, lines):
            scores[at] += _THREAD
    return sorted(
        (at for at, score in enumerate(scores) if score > 0), key=lambda at: (-scores[at], at)
    )


def _clip(first: int, last: int, lines: Sequence[str]) -> range:
    """Turn 1-based lines into places, as far as they are there."""
    return range(max(0, first - 1), min(len(lines), last))


def _describe_changes(path: str, request: ContextRequest) -> str:
    """Say on a line what the pull request itself changes in a file; empty for nothing."""
    ranges = request.changed_lines.get(path, ())
    if not ranges:
        return "(changed by the pull request)\n" if path in request.changed_paths else ""
    told = [_describe_range(first, last) for first, last in ranges[:MAX_TOLD_CHANGES]]
    more = ", …" if len(ranges) > len(told) else ""
    return f"(changed by the pull request: {', '.join(told)}{more})\n"


def _describe_range(first: int, last: int) -> str:
    if last < first:
        return f"removed before {first}"
    return str(first) if first == last else f"{first}-{last}"


def _number(lines: Sequence[str], shown: Iterable[int]) -> str:
    return "".join(_number_lines(lines, shown))


def _number_lines(lines: Sequence[str], shown: Iterable[int]) -> Iterator[str]:
    expected = 0
    for at in shown:
        if at > expected:
            yield "  ⋮\n"
        if at < len(lines) - 1 or lines[at]:
            yield f"{at + 1:>5} {lines[at]}\n"
        expected = at + 1


def _render_file(file: PackedFile) -> str:
    kind = "" if file.is_whole else " (signatures and excerpts)"
    return f"\n# {show_path(file.path)}{kind}\n{file.note}{file.text}"
