"""Decides whether a request says what should change, or must be asked about. By rules, no model.

A false question annoys more than a missing one helps: a request is vague only when **every** word
of it is known to name nothing (`vague_words.toml`, English and German). One unknown word, a path,
a number or a quotation makes it clear, and so does a thread that hangs on a file. "Red or blue?" is
no reason to ask: variants are made to be compared.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

MAX_OPTIONS: Final = 4


class VagueReason(StrEnum):
    """Why a request must be asked about; each has its words in the comments' `words.toml`."""

    TOO_SHORT = "too_short"
    """It says to do something, and not what to: "fix it", "aufräumen"."""
    NO_OBJECT = "no_object"
    """Its object is anything at all: "improve the code", "fix all bugs"."""
    SEVERAL_MEANINGS = "several_meanings"
    """It names a file, and several have that name."""


class OptionKind(StrEnum):
    """What an option means; each has its words in the comments' `words.toml`."""

    CHANGED_FILES = "changed_files"
    ONE_FILE = "one_file"


@dataclass(frozen=True, slots=True)
class QuestionOption:
    """A possible reading of the request, taken from the repository."""

    kind: OptionKind
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What must be asked, without the words for it. The first option is the likeliest."""

    reason: VagueReason
    options: tuple[QuestionOption, ...]
    subject: str = ""
    """The name that several files have."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a request is written beside."""

    ranked_paths: Sequence[str]
    """Files of the repository, those that fit the request best first."""
    changed_paths: Sequence[str] = ()
    """Files that the pull request changes."""
    thread_path: str | None = None
    """File that the thread hangs on."""


_WORDS: Final = Path(__file__).with_name("vague_words.toml")
_POINTERS: Final = frozenset(("it", "its", "es", "this", "that", "das", "dies", "here", "hier"))
"""They stand for an object, and name none."""
_CONCRETE: Final = re.compile(r"[`\"“”„«»]|\d|\w[./\\_#-]\w|[a-zß-ÿ][A-Z]|[@#$%={}<>\[\]]")
"""A quotation, a number, a path, an identifier, code: something that is named."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_FILE_NAME: Final = re.compile(r"(?<![\w./\\-])[\w-]+(?:\.[\w-]+)*\.[A-Za-z]\w{0,9}(?![\w/\\-])")
_MADE_NEW: Final = re.compile(
    r"\b(?:create|add|new|every|each|all|both"
    r"|anlegen|lege|erstellen?|neue?[ns]?|jede[rns]?|alle[ns]?|beide[ns]?)\b",
    re.IGNORECASE,
)


def find_question(intent: str, around: Surroundings) -> Question | None:
    """Find what must be asked about a request; None when it is clear enough."""
    if around.thread_path is None:
        reason = judge_words(intent)
        if reason is not None:
            return Question(reason, _list_places(around))
    return _find_double_name(intent, around)


def judge_words(text: str) -> VagueReason | None:
    """Judge a text by its words alone; None when one of them may name something."""
    if _CONCRETE.search(text):
        return None
    words = _split(text)
    known = _load_words()
    if not words <= known.all:
        return None
    names_anything = words & (known.anything - _POINTERS)
    return VagueReason.NO_OBJECT if names_anything else VagueReason.TOO_SHORT


def says_deed_only(text: str) -> bool:
    """Answer whether a text asks for a deed or a quality and names nothing to have it."""
    words, known = _split(text), _load_words()
    wants = not words or words & (known.deeds | known.qualities)
    return bool(wants) and judge_words(text) is not None


def _split(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


@dataclass(frozen=True, slots=True)
class _VagueWords:
    deeds: frozenset[str]
    qualities: frozenset[str]
    anything: frozenset[str]
    fillers: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.deeds | self.qualities | self.anything | self.fillers


@cache
def _load_words() -> _VagueWords:
    lists = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    return _VagueWords(**{name: frozenset(words.split()) for name, words in lists.items()})


def _list_places(around: Surroundings) -> tuple[QuestionOption, ...]:
    """List where a request without a place could belong: first of all where the work goes on."""
    changed = [path for path in around.ranked_paths if path in set(around.changed_paths)]
    others = [path for path in around.ranked_paths if path not in changed]
    options: list[QuestionOption] = []
    if len(changed) > 1:
        options.append(QuestionOption(OptionKind.CHANGED_FILES, tuple(changed)))
        others = []
    places = [*changed, *others][: MAX_OPTIONS - 1]
    options.extend(QuestionOption(OptionKind.ONE_FILE, (path,)) for path in places)
    return tuple(options)


def _find_double_name(intent: str, around: Surroundings) -> Question | None:
    """Find a file name that several files have, where nothing says which of them is meant."""
    if _MADE_NEW.search(intent):
        return None
    for name in _FILE_NAME.findall(intent):
        found = [path for path in around.ranked_paths if path.rpartition("/")[2] == name]
        changed = [path for path in found if path in set(around.changed_paths)]
        # a file in the root folder is named in full; a single changed one is what is worked on
        decided = name in found or around.thread_path in found or len(changed) == 1
        if len(found) > 1 and not decided:
            options = tuple(
                QuestionOption(OptionKind.ONE_FILE, (path,)) for path in found[:MAX_OPTIONS]
            )
            return Question(VagueReason.SEVERAL_MEANINGS, options, subject=name)
    return None
