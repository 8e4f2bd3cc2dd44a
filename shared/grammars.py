"""Loads the tree-sitter grammar for a file, when a file of its language turns up first.

Source: https://tree-sitter.github.io/tree-sitter/using-parsers
"""

import importlib
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Language

_GRAMMARS: Final = {
    suffix: (module, function)
    for module, function, suffixes in (
        ("bash", "language", "sh bash"),
        ("c", "language", "c h"),
        ("c_sharp", "language", "cs"),
        ("cpp", "language", "cc cpp cxx hpp"),
        ("css", "language", "css"),
        ("go", "language", "go"),
        ("html", "language", "html htm"),
        ("java", "language", "java"),
        ("javascript", "language", "js mjs cjs jsx"),
        ("json", "language", "json"),
        ("php", "language_php", "php"),
        ("python", "language", "py pyi"),
        ("ruby", "language", "rb"),
        ("rust", "language", "rs"),
        ("typescript", "language_typescript", "ts mts cts"),
        ("typescript", "language_tsx", "tsx"),
        ("yaml", "language", "yml yaml"),
    )
    for suffix in suffixes.split()
}
"""File suffix to the wheel of its grammar and the function that hands it out."""


def read_suffix(path: str) -> str:
    """Answer what stands behind the last dot of a file's name, in lower case; may be empty."""
    return path.rpartition("/")[2].rpartition(".")[2].lower()


@cache
def load_language(suffix: str) -> "Language | None":
    """Load the grammar for a file suffix, without its dot; None where there is none."""
    if suffix not in _GRAMMARS:
        return None
    from tree_sitter import Language

    module, function = _GRAMMARS[suffix]
    grammar = importlib.import_module(f"tree_sitter_{module}")
    return Language(getattr(grammar, function)())
