"""Tells whether an edit broke the syntax of a file: more error nodes than before.

Source: https://tree-sitter.github.io/tree-sitter/using-parsers
"""

from typing import TYPE_CHECKING, Final

from shared.grammars import load_language, read_suffix

if TYPE_CHECKING:
    from tree_sitter import Tree

MAX_BYTES: Final = 1_000_000
"""A larger file is not checked: it is hardly written by hand."""


def is_syntax_broken(path: str, before: bytes | None, after: bytes) -> bool:
    """Answer whether a file has more syntax errors than it had; False where nobody can tell.

    Args:
        path: its suffix tells the language.
        before: the content that was edited; None for a new file.
        after: the content now.
    """
    language = load_language(read_suffix(path))
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
