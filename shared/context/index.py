"""The index of a snapshot: a card for each file that is read, the facts of every path.

At most MAX_TOTAL_BYTES are read. In a repository that has more, each file is read from its
beginning as far as its share goes; the shares of likely files are larger. Cards are kept by blob,
so that the next commit of a repository costs what it changed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.context.cards import UNREAD, CardCache, FileCard, name_blob
from shared.context.paths import PathFacts, describe_path, weigh_path
from shared.context.visibility import MAX_FILE_BYTES, may_show_path

MAX_TOTAL_BYTES: Final = 48 * 1024 * 1024
"""Of all texts that are read; docs/context.md has the time and memory that this costs."""
MIN_READ_BYTES: Final = 1024
"""Less of a file is not worth reading."""


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
    parts: Mapping[int, frozenset[int]]
    """Number of an unsplit name to the places whose paths have it as a part."""
    stems: Mapping[int, tuple[int, ...]]
    """Number of a stem to the places of the files that bear it."""
    referrers: Mapping[int, tuple[int, ...]]
    """Number of a stem to the places of the files that import, include or link it."""
    unread: int
    """Files that were not read to their ends because the repository is too large."""


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
        max_total_bytes: how much is read altogether.
    """
    kept = CardCache() if cards is None else cards
    known_ids = {} if blob_ids is None else blob_ids
    # the likely ones first: they are read further when not all can be read to their ends
    paths = sorted(
        (path for path in files if may_show_path(path)),
        key=lambda path: (-weigh_path(describe_path(path), frozenset()), path),
    )
    read: dict[str, FileCard] = {}
    left = max_total_bytes
    for place, path in enumerate(paths):
        limit = _round_down(min(MAX_FILE_BYTES, 2 * left // (len(paths) - place)))
        if limit == 0:
            break
        read[path] = _read_path(files, path, known_ids.get(path), kept, limit)
        left -= min(read[path].content_bytes, limit)
    return _arrange(sorted(paths), read)


def _round_down(limit: int) -> int:
    """Answer the largest power of two within a limit: few different cards for one blob."""
    return 1 << (limit.bit_length() - 1) if limit >= MIN_READ_BYTES else 0


def _read_path(
    files: Mapping[str, bytes], path: str, blob_id: str | None, kept: CardCache, limit: int
) -> FileCard:
    if blob_id is not None:
        card = kept.find(blob_id, limit)
        if card is not None:
            return card
    content = files[path]
    return kept.read(blob_id or name_blob(content), content, limit)


def _arrange(paths: Sequence[str], read: Mapping[str, FileCard]) -> Index:
    entries = tuple(
        Entry(path, describe_path(path), card)
        for path in paths
        if not (card := read.get(path, UNREAD)).is_hidden
    )
    name_words: defaultdict[int, set[int]] = defaultdict(set)
    folder_words: defaultdict[int, set[int]] = defaultdict(set)
    parts: defaultdict[int, set[int]] = defaultdict(set)
    stems: defaultdict[int, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        stems[entry.facts.stem].append(place)
        for word in entry.facts.name_words:
            name_words[word].add(place)
        for word in entry.facts.folder_words:
            folder_words[word].add(place)
        for part in entry.facts.parts:
            parts[part].add(place)
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
        parts={part: frozenset(places) for part, places in parts.items()},
        stems={stem: tuple(places) for stem, places in stems.items()},
        referrers={stem: tuple(places) for stem, places in referrers.items()},
        unread=sum(entry.card.is_cut for entry in entries),
    )
