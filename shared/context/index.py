"""The index of a snapshot: a card for each file that is read, the facts of every path.

Reading stops at MAX_TOTAL_BYTES, likely files first; the rest is known by its paths only. Cards are
kept by blob, so that the next commit of a repository costs what it changed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.context.cards import UNREAD, CardCache, FileCard, name_blob
from shared.context.paths import PathFacts, describe_path, weigh_path
from shared.context.visibility import MAX_FILE_BYTES, may_show_path

MAX_TOTAL_BYTES: Final = 64 * 1024 * 1024
"""Of all texts that are read; docs/context.md has the time and memory that this costs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the index."""

    path: str
    facts: PathFacts
    card: FileCard


@dataclass(frozen=True, slots=True)
class Index:
    """What is known of a snapshot's files; a place is a number of an entry, in order of paths."""

    entries: tuple[Entry, ...]
    places: Mapping[str, int]
    """Path to place."""
    name_words: Mapping[int, frozenset[int]]
    """Number of a word to the places whose file names have it."""
    folder_words: Mapping[int, frozenset[int]]
    """The same for the folders."""
    stems: Mapping[int, tuple[int, ...]]
    """Number of a stem to the places of the files that bear it."""
    referrers: Mapping[int, tuple[int, ...]]
    """Number of a stem to the places of the files that import, include or link it."""
    unread: int
    """Files whose content was not read because the repository is too large."""


def build_index(
    files: Mapping[str, bytes],
    *,
    blob_ids: Mapping[str, str] | None = None,
    cards: CardCache | None = None,
    max_total_bytes: int = MAX_TOTAL_BYTES,
) -> Index:
    """Read the files that may be shown, in time linear in their size.

    Args:
        files: path to content, each asked for once at most.
        blob_ids: path to git's id of its content, where the caller knows it: what `cards` holds
            is then not asked for at all.
        cards: kept from call to call.
        max_total_bytes: where reading stops; the rest is known by its paths only.
    """
    kept = CardCache() if cards is None else cards
    known_ids = {} if blob_ids is None else blob_ids
    # the likely ones first: they are read when not all can be
    paths = sorted(
        (path for path in files if may_show_path(path)),
        key=lambda path: (-weigh_path(describe_path(path), frozenset()), path),
    )
    read: dict[str, FileCard] = {}
    left = max_total_bytes
    for path in paths:
        if left <= 0:
            break
        blob_id = known_ids.get(path)
        card = None if blob_id is None else kept.find(blob_id)
        if card is None:
            content = files[path]
            card = kept.read(blob_id or name_blob(content), content)
        left -= min(card.content_bytes, MAX_FILE_BYTES)
        read[path] = card
    return _arrange(sorted(paths), read)


def _arrange(paths: Sequence[str], read: Mapping[str, FileCard]) -> Index:
    entries = tuple(
        Entry(path, describe_path(path), card)
        for path in paths
        if not (card := read.get(path, UNREAD)).is_hidden
    )
    name_words: defaultdict[int, set[int]] = defaultdict(set)
    folder_words: defaultdict[int, set[int]] = defaultdict(set)
    stems: defaultdict[int, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        stems[entry.facts.stem].append(place)
        for word in entry.facts.name_words:
            name_words[word].add(place)
        for word in entry.facts.folder_words:
            folder_words[word].add(place)
    referrers: defaultdict[int, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        for stem in entry.card.references:
            if stem in stems:
                referrers[stem].append(place)
    return Index(
        entries=entries,
        places={entry.path: place for place, entry in enumerate(entries)},
        name_words={word: frozenset(places) for word, places in name_words.items()},
        folder_words={word: frozenset(places) for word, places in folder_words.items()},
        stems={stem: tuple(places) for stem, places in stems.items()},
        referrers={stem: tuple(places) for stem, places in referrers.items()},
        unread=len(paths) - len(read),
    )
