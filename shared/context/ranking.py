"""Ranks the files of a snapshot for a request: words in common, paths that it names, what is near.

The score is BM25 over words of paths and texts, with bonuses for what is more than a coincidence:
the file that the thread hangs on, paths written in the request, files of the pull request,
neighbours. Source: https://en.wikipedia.org/wiki/Okapi_BM25
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pathspec import GitIgnoreSpec

from shared.context.words import split_words
from shared.domain.foreign_paths import FOREIGN_GLOBS

MAX_FILE_BYTES: Final = 1_000_000
"""A larger file is known by its path only."""
MAX_TOTAL_BYTES: Final = 64 * 1024 * 1024
"""Of all texts that are read; files behind that are known by their paths only."""
MAX_LINE_CHARS: Final = 5_000
"""A file with a longer line is minified or generated."""

_NOT_SHOWN: Final = GitIgnoreSpec.from_lines(
    [*FOREIGN_GLOBS, "package-lock.json", "pnpm-lock.yaml", "go.sum"]
)
"""Vendored and generated files: never shown."""
_K1: Final = 1.2
_B: Final = 0.75
_PATH_WEIGHT: Final = 4
"""How many times a word of the path counts as one of the text."""
_TEST: Final = re.compile(r"(?:^|/)tests?/|(?:^|/)test_|[._-](?:test|spec)s?\.", re.IGNORECASE)
_TEST_WEIGHT: Final = 0.5
_REFERENCE: Final = re.compile(
    r"""(?:import|from|require|include|href|src|url)\b[\s("'=:<]*([\w@./\\-]+)""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ContextRequest:
    """What the context is for."""

    text: str
    """What was asked."""
    title: str
    """Of the pull request."""
    description: str
    changed_paths: tuple[str, ...]
    """Files that the pull request changes."""
    thread_path: str | None = None
    """File that the command's thread hangs on."""
    thread_lines: tuple[int, int] | None = None
    """First and last line of it, 1-based."""


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file and how well it fits."""

    path: str
    score: float
    why: tuple[str, ...]
    """Closed words: thread, named, changed, words, neighbour."""


@dataclass(slots=True)
class Index:
    """What is known of a snapshot's text files."""

    words: dict[str, Counter[str]] = field(default_factory=dict)
    """Path to how often each word is in it."""
    lengths: dict[str, int] = field(default_factory=dict)
    spread: Counter[str] = field(default_factory=Counter)
    """Word to the number of files it is in."""
    references: dict[str, frozenset[str]] = field(default_factory=dict)
    """Path to the stems of the files that it mentions by import, link or include."""


def read_text(files: Mapping[str, bytes], path: str) -> str | None:
    """Read a file that may be shown; None for binaries, generated and very large ones."""
    if _NOT_SHOWN.match_file(path):
        return None
    content = files[path]
    if len(content) > MAX_FILE_BYTES or b"\0" in content[:8000]:
        return None
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    if max((len(line) for line in text.split("\n")), default=0) > MAX_LINE_CHARS:
        return None
    return text


def build_index(files: Mapping[str, bytes]) -> Index:
    """Read each text file once. Paths of vendored and generated files are left out altogether."""
    index = Index()
    total = 0
    for path in sorted(files):
        if _NOT_SHOWN.match_file(path):
            continue
        text = read_text(files, path) if total <= MAX_TOTAL_BYTES else None
        if text is None and not _is_text_name(path):
            continue
        total += len(text or "")
        counted = Counter(split_words(text or ""))
        length = sum(counted.values())
        for word in split_words(path):
            counted[word] += _PATH_WEIGHT
        index.words[path] = counted
        index.lengths[path] = length + 1
        index.spread.update(counted.keys())
        index.references[path] = frozenset(_stem(match) for match in _REFERENCE.findall(text or ""))
    return index


def _is_text_name(path: str) -> bool:
    """Tell a name that usually holds text: such a file is listed though it was not read."""
    return path.rpartition(".")[2].lower() in {"py", "cs", "ts", "js", "css", "html", "md", "java"}


def rank_files(index: Index, request: ContextRequest) -> list[RankedFile]:
    """Rank the files, the best first. Files that nothing speaks for are left out."""
    asked = Counter(split_words(request.text))
    around = Counter(split_words(f"{request.title} {request.description}"))
    average = sum(index.lengths.values()) / max(1, len(index.lengths))
    scores: dict[str, float] = {}
    reasons: dict[str, set[str]] = {}
    for path in index.words:
        score = _score_words(index, path, asked, average)
        score += 0.2 * _score_words(index, path, around, average)
        if _TEST.search(path) and "test" not in asked:
            score *= _TEST_WEIGHT  # a test repeats the words of what it tests
        if score > 0:
            scores[path], reasons[path] = score, {"words"}
    best = max(scores.values(), default=1.0) or 1.0
    for path, bonus, why in _list_bonuses(index, request):
        scores[path] = scores.get(path, 0.0) + bonus * best
        reasons.setdefault(path, set()).add(why)
    _add_neighbours(index, scores, reasons)
    ranked = [
        RankedFile(path, round(score, 4), tuple(sorted(reasons[path])))
        for path, score in scores.items()
    ]
    return sorted(ranked, key=lambda file: (-file.score, file.path))


def _score_words(index: Index, path: str, asked: Counter[str], average: float) -> float:
    counted = index.words[path]
    total = len(index.words)
    score = 0.0
    for word in asked:
        count = counted.get(word, 0)
        if count:
            spread = index.spread[word]
            rarity = math.log(1 + (total - spread + 0.5) / (spread + 0.5))
            length = 1 - _B + _B * index.lengths[path] / average
            score += rarity * count * (_K1 + 1) / (count + _K1 * length)
    return score


def _list_bonuses(index: Index, request: ContextRequest) -> list[tuple[str, float, str]]:
    bonuses: list[tuple[str, float, str]] = []
    text = request.text.lower()
    for path in index.words:
        name = path.rpartition("/")[2].lower()
        if path == request.thread_path:
            bonuses.append((path, 3.0, "thread"))
        if path.lower() in text or ("." in name and re.search(rf"\b{re.escape(name)}\b", text)):
            bonuses.append((path, 2.0, "named"))
    bonuses.extend((path, 0.5, "changed") for path in request.changed_paths if path in index.words)
    return bonuses


def _add_neighbours(index: Index, scores: dict[str, float], reasons: dict[str, set[str]]) -> None:
    """Let the best files lend a part of their score to what they refer to, and to their twins."""
    best = sorted(scores, key=lambda path: (-scores[path], path))[:10]
    by_stem: dict[str, list[str]] = {}
    for path in index.words:
        by_stem.setdefault(_stem(path), []).append(path)
    lent: dict[str, float] = {}
    for path in best:
        stems = {*index.references[path], _stem(path), f"test_{_stem(path)}", f"{_stem(path)}_test"}
        for stem in stems:
            for other in by_stem.get(stem, ())[:5]:
                if other != path:
                    lent[other] = max(lent.get(other, 0.0), 0.3 * scores[path])
    for path, part in lent.items():
        scores[path] = scores.get(path, 0.0) + part
        reasons.setdefault(path, set()).add("neighbour")


def _stem(path: str) -> str:
    """Answer a file's name without folders and suffixes: `a/cart.test.js` and `cart` are twins."""
    name = path.replace("\\", "/").rstrip("/").rpartition("/")[2].lower()
    return name.lstrip("_.").partition(".")[0]
