"""Splits code and prose into the words that both share: `makeButtonsRed` is about a button.

A word is known by a number from here on (CRC-32 of its stem): four bytes instead of an object keep
the index of a large repository small, and two words in 65,000 that meet by chance harm no ranking.
"""

import re
import zlib
from functools import lru_cache
from typing import Final

MAX_NAME_CHARS: Final = 120
"""What is longer is no name that somebody would write in a request."""

_NAME: Final = re.compile(r"[^\W\d][\w$]*|\d{2,}")
_HUMP: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z\u00df-\u00ff]+|[^\x00-\x7f]+|\d+|[A-Z]")
_PLAIN: Final = re.compile(r"[a-z]+")
_VERY_COMMON: Final = """
a about after again all also an and any are as at be because been before being both but by can could
did do does don each for from had has have he here how if in instead into is it its just let make
may might more most must no not now of on only or other our please same should since so some such
than that the their them then there these they this to too until use very was we were what when
where which while who why will with would yes you your
alle auch auf aus bei bitte das dass dem den der des die ein eine einen einer für ist mit nach nicht
oder und von wenn werden wie wird zu zum zur
class const def false function import int new none null private public return self static str string
true var void
"""
_STOP: Final = frozenset(_VERY_COMMON.split())


def find_names(text: str) -> list[str]:
    """List the names, words and numbers of a text in order, unsplit, as they are written."""
    return _NAME.findall(text)


@lru_cache(1 << 16)
def split_name(name: str) -> tuple[str, ...]:
    """Split a name at humps, underscores and digits into lower-case stems, without common words."""
    name = name[:MAX_NAME_CHARS]
    parts = (name,) if _PLAIN.fullmatch(name) else _HUMP.findall(name)
    words = (part.lower() for part in parts)
    return tuple(reduce_word(word) for word in words if len(word) > 1 and word not in _STOP)


def split_words(text: str) -> list[str]:
    """List the stems of all names of a text, in order."""
    return [word for name in find_names(text) for word in split_name(name)]


def reduce_word(word: str) -> str:
    """Cut the usual endings, so that `buttons` finds `button` and `closing` finds `closed`."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 5 and word.endswith("ing"):
        return _reduce_verb(word[:-3])
    if len(word) > 4 and word.endswith("ed"):
        return _reduce_verb(word[:-2])
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _reduce_verb(word: str) -> str:
    doubled = len(word) > 2 and word[-1] == word[-2] and word[-1] not in "lsz"
    return (word[:-1] if doubled else word).removesuffix("e")


def number_word(word: str) -> int:
    """Answer the number of a stem."""
    return zlib.crc32(word.encode("utf-8", "replace"))


def number_name(name: str) -> int:
    """Answer the number of a whole name, whatever its case; never that of the word by intent."""
    return zlib.crc32(name[:MAX_NAME_CHARS].lower().encode("utf-8", "replace"), 1)


@lru_cache(1 << 16)
def number_name_and_words(name: str) -> tuple[int, tuple[int, ...]]:
    """Answer the numbers of a name and of its words: the same names come again and again."""
    return number_name(name), tuple(number_word(word) for word in split_name(name))
