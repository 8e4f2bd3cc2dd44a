"""Tells whether an edit broke the syntax of a file: more error nodes than before.

Grammars are loaded when a file of their language is checked for the first time.
Source: https://tree-sitter.github.io/tree-sitter/using-parsers
"""

import importlib
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Language, Tree

MAX_BYTES: Final = 1_000_000
"""A larger file is not checked: it is hardly written by hand."""

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


@cache
def load_language(suffix: str) -> "Language | None":
    """Load the grammar for a file suffix, without its dot; None where there is none."""
    if suffix not in _GRAMMARS:
        return None
    from tree_sitter import Language

    module, function = _GRAMMARS[suffix]
    grammar = importlib.import_module(f"tree_sitter_{module}")
    return Language(getattr(grammar, function)())


def is_syntax_broken(path: str, before: bytes | None, after: bytes) -> bool:
    """Answer whether a file has more syntax errors than it had; False where nobody can tell.

    Args:
        path: its suffix tells the language.
        before: the content that was edited; None for a new file.
        after: the content now.
    """
    language = load_language(path.rpartition("/")[2].rpartition(".")[2].lower())
    if language is None or len(after) > MAX_BYTES or len(before or b"") > MAX_BYTES:
        return False
    from tree_sitter import Parser

    parser = Parser(language)
    errors = _count_errors(parser.parse(after))
    return errors > 0 and errors > (0 if before is None else _count_errors(parser.parse(before)))


def _count_errors(tree: "Tree") -> int:
    if not tree.root_node.has_error:
        return 0
    errors = 0
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            errors += 1
        # errors lie below nodes that say so, so the sound parts are not walked
        stack.extend(child for child in node.children if child.has_error or child.is_missing)
    return errors
