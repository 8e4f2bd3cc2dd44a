"""What is asked, read into weighted words, names and paths that a file can answer to."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from shared.context.words import find_names, number_name, number_word, split_name, split_words

MAX_TEXT_CHARS: Final = 8_000
"""Of each text; what follows is a log or a paste and says little about the place."""
MAX_WORDS: Final = 120

_FIRST_LINE: Final = 1.0
_OTHER_LINES: Final = 0.4
_PULL_REQUEST_TITLE: Final = 0.2
_DESCRIPTION: Final = 0.1
_NOISE: Final = re.compile(
    r"https?://\S+"
    r"|(?i:\b(?:close[sd]?|fix(?:e[sd])?|ref(?:s|erences)?|resolve[sd]?|see):?[ \t]{1,4})?"
    r"(?:\b(?:AB|GH))?#\d+"
    r"|\b(?=[\da-f]{0,39}[a-f])(?=[\da-f]{0,39}\d)[\da-f]{7,40}\b"
    r"|^[ \t]*(?:[A-Z][\w-]{1,40}-by|Change-Id|Cc|Origin|Related work items):[^\n]*"
    r"|^Merged PR \d+:",
    re.MULTILINE,
)
"""Addresses, numbers of issues with the verb before them, commits, and trailers of messages."""
_OF_EVERY_REQUEST: Final = """
add allow avoid bug bump change chore correct correctly drop ensure feat fix handle implement
improve introduce issue perf prevent problem properly provide refactor regression remove replace
simplify support typo update
"""
_SAY_NOTHING: Final = frozenset(split_words(_OF_EVERY_REQUEST))
"""Words that say what to do and seldom where; a request of nothing else is read with them."""
_COMPOUND: Final = re.compile(r"[^\W_]_[^\W_]|[a-z][A-Z]|[A-Z][A-Z][a-z]")
_MARKED: Final = re.compile(r"[`'\"]([A-Za-z_]\w{1,119})(?=[`'\"(])|\b([A-Za-z_]\w{1,119})(?=\()")
_QUOTED: Final = re.compile(r"`([^`\n]{1,200})`")
_DOTTED: Final = re.compile(r"\b[A-Za-z_]\w{0,119}(?:\.[A-Za-z_]\w{0,119}){1,8}")
_PATH: Final = re.compile(r"[\w@~+./\\-]{2,400}")


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
    changed_lines: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    """First and last lines, 1-based, that the pull request changes, as far as they are known.

    The last is less than the first where lines were only removed, before the first.
    """


@dataclass(frozen=True, slots=True)
class Query:
    """A request as numbers."""

    words: Mapping[int, float]
    """Number of each stem to its weight, 1 for a word of the command's first line."""
    first_line: frozenset[int]
    names: Mapping[int, float]
    """Numbers of what is written like a name of the code, to their weights."""
    pairs: frozenset[int]
    """Numbers of names that two words side by side would make: `draft request`, `draftRequest`."""
    asked: frozenset[str]
    """Stems of the command itself."""
    spoken_paths: frozenset[str]
    """What is written like a path or file name, in lower case, with forward slashes."""


def read_request(request: ContextRequest) -> Query:
    """Read a request; any text will do."""
    asked = _clean(request.text)
    first, _, rest = asked.partition("\n")
    texts = (
        (first, _FIRST_LINE),
        (rest, _OTHER_LINES),
        (_clean(request.title), _PULL_REQUEST_TITLE),
        (_clean(request.description), _DESCRIPTION),
    )
    names: dict[int, float] = {}
    for text, weight in texts:
        for name in _find_code_names(text):
            if len(names) < MAX_WORDS:
                names.setdefault(number_name(name), 1.0 if weight >= _OTHER_LINES else weight)
    return Query(
        words=_weigh_words(texts, _SAY_NOTHING) or _weigh_words(texts, frozenset()),
        first_line=frozenset(map(number_word, split_words(first))),
        names=names,
        pairs=frozenset(_join_neighbours(first)),
        asked=frozenset(split_words(asked)),
        spoken_paths=frozenset(_find_paths(asked)),
    )


def _weigh_words(texts: Iterable[tuple[str, float]], passed: AbstractSet[str]) -> dict[int, float]:
    words: dict[int, float] = {}
    for text, weight in texts:
        for word in split_words(text):
            if len(words) < MAX_WORDS and word not in passed:
                words.setdefault(number_word(word), weight)
    return words


def _clean(text: str) -> str:
    return _NOISE.sub(" ", text[:MAX_TEXT_CHARS]).strip()


def _find_code_names(text: str) -> Iterator[str]:
    yield from (name for name in find_names(text) if _COMPOUND.search(name))
    yield from (match[match.lastindex or 0] for match in _MARKED.finditer(text))
    for match in _DOTTED.finditer(text):
        yield from match[0].split(".")
    for match in _QUOTED.finditer(text):
        yield from filter(split_name, find_names(match[1]))


def _join_neighbours(line: str) -> Iterator[int]:
    names = [name for name in find_names(line) if name.isalpha()][:MAX_WORDS]
    for one, other in pairwise(names):
        if split_name(one) or split_name(other):
            yield number_name(one + other)
            yield number_name(f"{one}_{other}")


def _find_paths(text: str) -> Iterator[str]:
    for match in _PATH.finditer(text.lower()):
        path = match[0].replace("\\", "/").strip("./")
        if "." in path or "/" in path:
            yield path
