"""Ranks the files of a snapshot for a request, and says why each is where it is.

BM25 over the words of contents, file names and folders, plus names of the code that the request
writes, times a factor for the kind of file; then what is more than a coincidence: the file that the
thread hangs on, paths that the request speaks of, files of the pull request; a little for
neighbours. The constants were tuned with benchmarks/context.py (docs/context.md).
Source: https://en.wikipedia.org/wiki/Okapi_BM25
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from shared.context.cards import DEFINED, find_count
from shared.context.index import Index
from shared.context.paths import weigh_path
from shared.context.request import ContextRequest, Query, read_request

_K1: Final = 1.5
_B: Final = 0.3
_RARITY_POWER: Final = 0.75
"""Dampens idf: one rare word that is there by chance should not win."""
_NAME_WEIGHT: Final = 4.0
"""Occurrences in the text that a word in the file's name is worth."""
_FOLDER_WEIGHT: Final = 1.0
_DEFINED_BONUS: Final = 1.0
"""In idf, for a name that the file defines, on top of using it."""
_PART_BONUS: Final = 3.0
"""The same for a name that is a part of the file's path."""
_PAIR_WEIGHT: Final = 0.4

# shares of the best score
_TITLED: Final = 0.2
"""For a file all of whose name is in the first line."""
_COVERED: Final = 0.1
"""For a file all of whose name is in the request."""
_THREAD: Final = 3.0
_SPOKEN: Final = 2.0
_CHANGED: Final = 0.5
_LENT: Final = 0.03
"""What a good file lends to its twins, to what it refers to and to what refers to it."""
_LENT_IN_FOLDER: Final = 0.05
_LENDERS: Final = 20
_MOST_BORROWERS: Final = 5
"""A stem that more files bear says nothing."""


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file and how well it fits."""

    path: str
    score: float
    why: tuple[str, ...]
    """Closed words: thread, spoken, changed, words, names, file name, neighbour."""


class _Tally:
    """Scores and reasons by place."""

    def __init__(self, size: int) -> None:
        self.scores = [0.0] * size
        self.reasons: defaultdict[int, set[str]] = defaultdict(set)

    def add(self, place: int, amount: float, why: str) -> None:
        """Add to a score and say what for."""
        self.scores[place] += amount
        self.reasons[place].add(why)

    @property
    def best(self) -> float:
        """The best score so far, 1 when there is none."""
        return max(self.scores, default=0.0) or 1.0


def rank_files(index: Index, request: ContextRequest) -> list[RankedFile]:
    """Rank the files, the best first. Files that nothing speaks for are left out."""
    query = read_request(request)
    tally = _Tally(len(index.entries))
    _score_words(index, query, tally)
    _score_names(index, query, tally)
    _score_file_names(index, query, tally)
    for place, entry in enumerate(index.entries):
        if tally.scores[place] > 0:
            tally.scores[place] *= weigh_path(entry.facts, query.asked)
    _score_pull_request(index, request, query, tally)
    _lend(index, query, tally)
    ranked = [
        RankedFile(index.entries[place].path, round(tally.scores[place], 4), tuple(sorted(why)))
        for place, why in tally.reasons.items()
    ]
    return sorted(ranked, key=lambda file: (-file.score, file.path))


def _score_words(index: Index, query: Query, tally: _Tally) -> None:
    cards = [entry.card for entry in index.entries]
    mean = sum(card.length for card in cards) / max(1, sum(card.length > 0 for card in cards))
    norms = [1 - _B + _B * card.length / max(1.0, mean) for card in cards]
    none: frozenset[int] = frozenset()
    for word, weight in query.words.items():
        in_name = index.name_words.get(word, none)
        in_folder = index.folder_words.get(word, none)
        found = dict.fromkeys(in_name | in_folder, 0)
        for place, card in enumerate(cards):
            count = find_count(card.words, card.word_counts, word)
            if count:
                found[place] = count
        rarity = _measure_rarity(len(found), len(cards)) ** _RARITY_POWER * weight * (_K1 + 1)
        for place, count in found.items():
            frequency = count / norms[place]
            frequency += _NAME_WEIGHT * (place in in_name) + _FOLDER_WEIGHT * (place in in_folder)
            tally.add(place, rarity * frequency / (frequency + _K1), "words")


def _measure_rarity(found: int, total: int) -> float:
    """Answer the idf of what is in `found` of `total` files; never negative."""
    return math.log(1 + (total - found + 0.5) / (found + 0.5))


def _score_names(index: Index, query: Query, tally: _Tally) -> None:
    weights = {**dict.fromkeys(query.pairs, 0.0), **query.names}
    for name, weight in weights.items():
        found: dict[int, int] = {}
        for place, entry in enumerate(index.entries):
            mark = find_count(entry.card.names, entry.card.name_counts, name)
            if mark:
                found[place] = mark
        in_path = index.parts.get(name, frozenset()) if weight else frozenset[int]()
        found |= dict.fromkeys(in_path.difference(found), 0)
        rarity = _measure_rarity(len(found), len(index.entries))
        pair = _PAIR_WEIGHT if name in query.pairs else 0.0
        for place, mark in found.items():
            count = mark & ~DEFINED
            bonus = (weight + pair) * count / (count + 1)
            if mark & DEFINED:
                bonus += weight * _DEFINED_BONUS
            if place in in_path:
                bonus += weight * _PART_BONUS
            tally.add(place, rarity * bonus, "names")


def _score_file_names(index: Index, query: Query, tally: _Tally) -> None:
    best = tally.best
    touched = {place for word in query.words for place in index.name_words.get(word, ())}
    for place in sorted(touched):
        words = index.entries[place].facts.name_words
        titled = len(words & query.first_line) / len(words)
        covered = sum(word in query.words for word in words) / len(words)
        tally.add(place, best * (_TITLED * titled + _COVERED * covered), "file name")


def _score_pull_request(index: Index, request: ContextRequest, query: Query, tally: _Tally) -> None:
    best = tally.best
    for place in _find_spoken(index, query):
        tally.add(place, _SPOKEN * best, "spoken")
    for path in dict.fromkeys(request.changed_paths):
        if path in index.places:
            tally.add(index.places[path], _CHANGED * best, "changed")
    if request.thread_path is not None and request.thread_path in index.places:
        tally.add(index.places[request.thread_path], _THREAD * best, "thread")


def _find_spoken(index: Index, query: Query) -> Iterator[int]:
    """Find files whose path, end of path or name with its suffix is written in the request."""
    spoken: defaultdict[str, list[str]] = defaultdict(list)
    for path in query.spoken_paths:
        spoken[path.rpartition("/")[2]].append(f"/{path}")
    for place, entry in enumerate(index.entries):
        full = f"/{entry.path.lower()}"
        if any(full.endswith(end) for end in spoken.get(entry.facts.name, ())):
            yield place


def _lend(index: Index, query: Query, tally: _Tally) -> None:
    """Let the best files lend a little to their neighbours: how much the best lender gives."""
    order = sorted(tally.reasons, key=lambda place: (-tally.scores[place], place))
    lenders = list(islice(order, _LENDERS))
    scores = {place: tally.scores[place] for place in lenders}
    lent: dict[int, float] = {}
    for place in lenders:
        for other in _find_neighbours(index, place):
            lent[other] = max(lent.get(other, 0.0), _LENT * scores[place])
    in_folder: dict[str, float] = {}
    for place in order:
        in_folder.setdefault(index.entries[place].facts.folder, tally.scores[place])
    for place in order:
        entry = index.entries[place]
        tally.scores[place] += (
            _LENT_IN_FOLDER * in_folder[entry.facts.folder] * weigh_path(entry.facts, query.asked)
        )
    for place, amount in lent.items():
        factor = weigh_path(index.entries[place].facts, query.asked)
        tally.add(place, amount * factor, "neighbour")


def _find_neighbours(index: Index, place: int) -> set[int]:
    entry = index.entries[place]
    near = set(_pick_few(index.stems.get(entry.facts.stem, ())))
    for stem in entry.card.references:
        near.update(_pick_few(index.stems.get(stem, ())))
    near.update(_pick_few(index.referrers.get(entry.facts.stem, ())))
    near.discard(place)
    return near


def _pick_few(places: Sequence[int]) -> Sequence[int]:
    return places if len(places) <= _MOST_BORROWERS else ()
