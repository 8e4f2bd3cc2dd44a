"""What the index knows of one file's content: counts of its words and names in compact arrays.

A card depends on the bytes alone, so it is good for every commit and path that has the same blob.
"""

import hashlib
import re
import threading
from array import array
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.context.visibility import MAX_FILE_BYTES, decode_text
from shared.context.words import find_names, number_name, number_name_and_words

DEFINED: Final = 128
"""Mark in a name's count: the file defines it."""
_MOST: Final = DEFINED - 1
"""Counts end here; more says nothing more."""

# Every repetition is bounded or cannot overlap its neighbour, and none crosses a line.
_MODIFIERS: Final = (
    r"(?:(?:public|private|protected|internal|static|final|async|override|virtual|abstract|export"
    r"|default|declare|readonly|sealed|synchronized|inline|extern|unsafe|partial|pub|get|set)"
    r"[ \t]+)"
)
_DEFINITION: Final = re.compile(
    rf"^[ \t]*{_MODIFIERS}{{0,8}}(?:def|class|function|func|fn|interface|type|enum|struct|trait"
    r"|module|namespace|record|const|let|var|sub|macro|impl|union|#?define|typedef)[ \t]{1,8}"
    r"(?:(?:class|struct)[ \t]{1,8})?"
    r"(?:\([^)\n]{0,80}\)[ \t]?)?\*?([A-Za-z_$][\w$]*)"
    rf"|^[ \t]*{_MODIFIERS}{{1,8}}(?:[\w<>\[\],.?:]+[ \t]+){{0,3}}?([A-Za-z_$][\w$]*)"
    r"(?:<[\w, \t]{1,60}>)?[ \t]*[({=;]"
    r"|^([a-z_]\w*) ?\([^;\n]*$",
    re.MULTILINE,
)
_REFERENCE: Final = re.compile(
    r"^[ \t]*(?:import|from|require|require_once|include|use|using|#include|export|@import)\b"
    r"([^\n]{0,300})|(?:require|import|href=|src=|url)\(?[ \t]{0,4}['\"]([^'\"\n]{1,200})['\"]",
    re.MULTILINE,
)
_STEM: Final = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class FileCard:
    """Counts of one content, in arrays. Those of a pair belong together; numbers are sorted."""

    content_bytes: int
    """Size of what was read."""
    is_hidden: bool = False
    """The content must not be shown: binary, generated, or a private key."""
    is_cut: bool = False
    """Only its beginning was read, or nothing."""
    length: int = 0
    """Words altogether; 0 for what is hidden, too large or was not read."""
    words: Sequence[int] = ()
    """Numbers of the stems in it."""
    word_counts: Sequence[int] = ()
    names: Sequence[int] = ()
    """Numbers of the names in it, unsplit and without their case."""
    name_counts: Sequence[int] = ()
    """Counts, with the mark DEFINED for what the file defines."""
    references: Sequence[int] = ()
    """Numbers of names in its imports, includes and links: stems of files perhaps."""

    @property
    def memory_bytes(self) -> int:
        """Memory that the card holds, roughly."""
        return 5 * (len(self.words) + len(self.names)) + 4 * len(self.references) + 700


UNREAD: Final = FileCard(content_bytes=0, is_cut=True)
"""Of a file whose content nobody asked for."""


def read_card(content: bytes, limit: int = MAX_FILE_BYTES) -> FileCard:
    """Count the words and names in the first `limit` bytes of a content, in linear time."""
    if len(content) > MAX_FILE_BYTES:
        return FileCard(content_bytes=len(content), is_cut=True)
    text = decode_text(content[:limit])
    if text is None:
        return FileCard(content_bytes=len(content), is_hidden=True)
    words: Counter[int] = Counter()
    names: Counter[int] = Counter()
    for name, count in Counter(find_names(text)).items():
        number, parts = number_name_and_words(name)
        names[number] += count
        for part in parts:
            words[part] += count
    marks = {number: min(count, _MOST) for number, count in names.items()}
    for match in _DEFINITION.finditer(text):
        number = number_name(match[match.lastindex or 0])
        marks[number] = marks.get(number, 0) | DEFINED
    references = {
        number_name(stem)
        for match in _REFERENCE.finditer(text)
        for stem in _STEM.findall(match[match.lastindex or 0])
    }
    sorted_words, sorted_names = sorted(words), sorted(marks)
    return FileCard(
        content_bytes=len(content),
        is_cut=len(content) > limit,
        length=sum(words.values()),
        words=array("I", sorted_words),
        word_counts=array("B", [min(words[number], 255) for number in sorted_words]),
        names=array("I", sorted_names),
        name_counts=array("B", [marks[number] for number in sorted_names]),
        references=array("I", sorted(references)),
    )


def find_count(numbers: Sequence[int], counts: Sequence[int], number: int) -> int:
    """Answer the count that belongs to a number, 0 for a number that is not there."""
    at = bisect_left(numbers, number)
    return counts[at] if at < len(numbers) and numbers[at] == number else 0


class CardCache:
    """Cards by the id that git gives a blob; the least recently used go first. Thread-safe."""

    def __init__(self, max_bytes: int = 128 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._memory_bytes = 0
        self._cards: OrderedDict[str, FileCard] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, blob_id: str, limit: int = MAX_FILE_BYTES) -> FileCard | None:
        """Find the card of a blob's first `limit` bytes; None where it is not kept."""
        with self._lock:
            whole = self._cards.get(blob_id)
            key = blob_id if whole and whole.content_bytes <= limit else f"{blob_id}:{limit}"
            card = self._cards.get(key)
            if card is not None:
                self._cards.move_to_end(key)
            return card

    def read(self, blob_id: str, content: bytes, limit: int = MAX_FILE_BYTES) -> FileCard:
        """Find the card of a blob's first `limit` bytes, or read them and keep the card."""
        card = self.find(blob_id, limit)
        if card is None:
            card = read_card(content, limit)
            key = blob_id if len(content) <= limit else f"{blob_id}:{limit}"
            with self._lock:
                if key not in self._cards:
                    self._memory_bytes += card.memory_bytes
                self._cards[key] = card
                while self._memory_bytes > self._max_bytes:
                    _, dropped = self._cards.popitem(last=False)
                    self._memory_bytes -= dropped.memory_bytes
        return card


def name_blob(content: bytes) -> str:
    """Answer the id that git gives a content (SHA-1)."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
