"""What a path alone tells: its words, and how likely somebody means a file of its kind.

The factors were tuned on patches of Debian's source packages (docs/context.md): most requests are
about source code, even where tests and documents repeat their words more often.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.context.words import number_name, number_word, reduce_word, split_words
from shared.grammars import read_suffix

_SOURCE: Final = """
axaml bash bat c cc cjs clj cpp cs cshtml css cts cxx dart elm erb ex exs fs go gradle groovy h
haml hpp hs htm html hxx java j2 jinja jinja2 js jsx kt kts less lua m mjs mm mts php phtml pl pm
proto ps1 psm1 py pyi pyx qml r razor rb rs sass scala scss sh sql svelte swift tf tmpl ts tsx
twig ui vb vue xaml
"""
_SOURCE_SUFFIXES: Final = frozenset(_SOURCE.split())
_TEST: Final = re.compile(
    r"(?:^|/)(?:[\w.-]{0,40}[._-])?(?:tests?|specs?|e2e|testing|__tests__|__mocks__|fixtures?"
    r"|__fixtures__|__snapshots__|cypress|test_?suites?|test_?data|unittests?)/"
    r"|(?:^|/)(?:[\w.-]{0,40}[._-])?tests?[._-]?(?:helpers?|integration|utils?|utilities)[./]"
    r"|(?:^|/)(?:test_|conftest|tests?\.py$)|[._-](?:tests?|spec|e2e|cy|test-d)\."
    r"|(?-i:[a-z](?:Tests?|Specs))[./]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that a request is seldom about."""

    factor: float
    """What a score is multiplied with."""
    asked: frozenset[str]
    """Words of a request that lift it."""
    pattern: re.Pattern[str]
    """Found in the paths of the kind."""


_KINDS: Final = tuple(
    Kind(factor, frozenset(map(reduce_word, asked.split())), re.compile(pattern, re.IGNORECASE))
    for factor, asked, pattern in (
        (
            0.4,
            "doc document readme guide manual",
            r"(?:^|/)(?:docs?|documentation|man|help)/|\.(?:md|rst|txt|adoc)$|(?:^|/)readme",
        ),
        (
            0.3,
            "changelog release news history",
            (
                r"(?:^|/)(?:releasenotes|changelogs?|newsfragments|\.changeset)/"
                r"|(?:^|/)(?:changelog|changes|history|news|release[_-]?notes)(?:[\w-]|\.\d){0,40}"
                r"(?:\.(?:html?|md|rst|txt))?$"
            ),
        ),
        (
            0.4,
            "example sample demo tutorial benchmark story",
            (
                r"(?:^|/)(?:[\w-]{1,40}\.)?(?:examples?|samples?|demos?|tutorials?|bench(?:marks?)?"
                r"|playgrounds?|stories)/|\.(?:bench|stories)\."
            ),
        ),
        (
            0.4,
            "translation locale translate language i18n l10n",
            r"(?:^|/)(?:locales?|i18n|l10n|translations?|po|lang)/|\.pot?$|\.resx$|\.xlf$",
        ),
        (
            0.5,
            "config configuration setting dependency depend version pipeline",
            r"\.(?:json|ya?ml|toml|ini|cfg|conf|xml|\w\wproj|props|targets|config\.[cm]?[jt]s)$",
        ),
        (0.5, "make docker setup configure build", r"(?:^|/)(?:setup\.py|makefile|dockerfile)"),
        (0.7, "tool script build ci", r"(?:^|/)(?:scripts?|tools?|hack|ci|\.github|devtools)/"),
        (
            0.3,
            "generate generator codegen",
            r"(?:^|/)(?:__generated__|generated)/|[._-]generated\.\w{1,10}$",
        ),
        (0.5, "migrate migration schema", r"(?:^|/)migrations/\w{0,80}\d|ModelSnapshot\.cs$"),
        (
            0.3,
            "assembly namespace suppression version",
            r"(?:AssemblyInfo|GlobalSuppressions|GlobalUsings)\.cs$",
        ),
        (0.6, "stub type typing", r"\.pyi$|\.d\.[cm]?ts$"),
        (0.7, "header", r"\.(?:h|hh|hpp|hxx)$"),
        (
            0.6,
            "black blue border bold button color colour css font gray green grey margin red white",
            r"\.(?:css|scss|sass|less)$",
        ),
        (0.6, "form heading html label layout link page template view", r"\.html?$"),
    )
)
_NO_SOURCE_FACTOR: Final = 0.15
_TEST_FACTOR: Final = 0.35
_ASKED_FACTOR: Final = 0.6
"""For tests and what is not source, when the request speaks of them: mostly only in passing."""
_TEST_WORDS: Final = frozenset({"test", "spec", "fixture"})


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What is known of a path without its content."""

    folder: str
    name: str
    """The last part, in lower case."""
    name_words: frozenset[int]
    """Numbers of the words of the name without its suffixes."""
    folder_words: frozenset[int]
    parts: frozenset[int]
    """Numbers of the folders' names and of the file's without its suffixes, unsplit."""
    stem: int
    """Number of the name without suffixes and test marks: twins share it."""
    is_test: bool
    is_source: bool
    suffix: str
    kinds: tuple[Kind, ...]


@lru_cache(1 << 16)
def describe_path(path: str) -> PathFacts:
    """Read a path of a repository."""
    folder, _, name = path.rpartition("/")
    suffix = read_suffix(path)
    bare = name.rpartition(".")[0] or name
    stem = re.sub(
        r"^(?:test_|_+|\.+)|(?:[_.-]?(?:tests?|spec))$", "", name.partition(".")[0].lower()
    )
    return PathFacts(
        folder=folder,
        name=name.lower(),
        name_words=frozenset(map(number_word, split_words(bare))),
        folder_words=frozenset(map(number_word, split_words(folder))),
        parts=frozenset(map(number_name, (*filter(None, folder.split("/")), bare))),
        stem=number_name(stem),
        is_test=_TEST.search(path) is not None,
        is_source=suffix in _SOURCE_SUFFIXES,
        suffix=suffix,
        kinds=tuple(kind for kind in _KINDS if kind.pattern.search(path)),
    )


def weigh_path(facts: PathFacts, asked: AbstractSet[str]) -> float:
    """Answer the factor, above 0 and at most 1, for a path when a request has the words `asked`.

    What the request speaks of is not demoted, or less: `readme`, `changelog`, `yaml`, `tests`.
    """
    factor = 1.0
    if facts.is_test:
        factor *= _TEST_FACTOR if _TEST_WORDS.isdisjoint(asked) else _ASKED_FACTOR
    if facts.suffix in asked:
        return factor
    is_asked = False
    for kind in facts.kinds:
        if kind.asked.isdisjoint(asked):
            factor *= kind.factor
        else:
            is_asked = True
    if facts.is_source:
        return factor
    return factor * (_ASKED_FACTOR if is_asked else _NO_SOURCE_FACTOR)
