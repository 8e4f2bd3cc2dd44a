"""Splits code and prose into the words that both share: `makeButtonRed` is about a button."""

import re
from collections.abc import Iterator
from typing import Final

_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f]+|\d{2,}")
_HUMP: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z\u00df-\u00ff]+|[^\x00-\x7f]+|\d+|[A-Z]")
_VERY_COMMON: Final = """
a an and are as at be by do for from if in into is it its make not of on or please should so some
that the their then there these this to use was we when where which with you your
alle das dem den der des die ein eine einen mit und von zu im ist auf
"""
_STOP: Final = frozenset(_VERY_COMMON.split())


def split_words(text: str) -> Iterator[str]:
    """Split text into lower-case words, cut at humps and underscores, without very common ones."""
    for word in _WORD.findall(text):
        parts = _HUMP.findall(word) if not word.islower() else (word,)
        for part in parts:
            stem = reduce_word(part.lower())
            if len(stem) > 1 and stem not in _STOP:
                yield stem


def reduce_word(word: str) -> str:
    """Cut a plural's ending, so that `buttons` finds `button`."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
