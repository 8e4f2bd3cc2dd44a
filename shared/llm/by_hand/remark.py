"""Puts a note into a file in its own comment syntax, where it cannot change what the file does.

Pure. The note's text comes from outside: `neutralise` keeps letters, digits and plain punctuation
only, so that it can neither end a comment nor mean anything to a compiler, a template engine or a
linter.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.grammars import load_language
from shared.llm.by_hand.workspace import split_words

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_NOTE_CHARS: Final = 160


@dataclass(frozen=True, slots=True)
class CommentSyntax:
    """How one line of comment is written."""

    opening: str
    closing: str = ""
    is_visible_text: bool = False
    """No comment at all: the file is prose, and the note is a paragraph of it."""

    def write(self, text: str, indent: str = "") -> str:
        """Write a neutralised text as a line."""
        return f"{indent}{self.opening}{text}{self.closing}"


_HASH = CommentSyntax("# ")
_SLASHES = CommentSyntax("// ")
_DASHES = CommentSyntax("-- ")
_SEMICOLON = CommentSyntax("; ")
_PERCENT = CommentSyntax("% ")
_APOSTROPHE = CommentSyntax("' ")
_STARS = CommentSyntax("/* ", " */")
_ARROWS = CommentSyntax("<!-- ", " -->")

_BY_SUFFIX: Final = {
    suffix: syntax
    for syntax, suffixes in (
        (
            _HASH,
            "py pyi rb sh bash zsh yml yaml toml pl r ps1 psm1 tf nix jl ex exs cmake mk",
        ),
        (
            _SLASHES,
            "js mjs cjs jsx ts mts cts tsx java c h cc cpp cxx hpp cs go rs swift kt kts scala",
        ),
        (_SLASHES, "dart groovy gradle scss less proto bicep fs zig jsonc"),
        (_STARS, "css"),
        (_ARROWS, "html htm xml xaml csproj vbproj fsproj props targets resx vue svelte"),
        (_DASHES, "sql lua hs elm"),
        (_SEMICOLON, "ini lisp clj el asm"),
        (_PERCENT, "tex erl"),
        (_APOSTROPHE, "vb vbs bas"),
        (CommentSyntax("> ", is_visible_text=True), "md markdown"),
        (CommentSyntax(".. ", is_visible_text=True), "rst"),
        (CommentSyntax("", is_visible_text=True), "txt"),
        (CommentSyntax("@* ", " *@"), "cshtml razor"),
        (CommentSyntax("// "), "php"),
    )
    for suffix in suffixes.split()
}
_BY_NAME: Final = {
    "dockerfile": _HASH,
    "makefile": _HASH,
    ".gitignore": _HASH,
    ".dockerignore": _HASH,
    ".editorconfig": _HASH,
    "gemfile": _HASH,
    "rakefile": _HASH,
    "requirements.txt": _HASH,
    "readme": CommentSyntax("", is_visible_text=True),
}
_KEPT: Final = frozenset(" .,;!()'-_/+?")
_SPELLED: Final = {"%": " percent", "&": " and ", '"': "'", "`": "'", "’": "'", ":": ";", "=": " "}  # noqa: RUF001 (typed by people)


def find_syntax(path: str) -> CommentSyntax | None:
    """Answer how a file writes comments; None where it has none (JSON, binary formats, unknown)."""
    name = path.rpartition("/")[2].lower()
    return _BY_NAME.get(name) or _BY_SUFFIX.get(name.rpartition(".")[2] if "." in name else "")


def neutralise(text: str) -> str:
    """Make one harmless line of any text: letters, digits, blanks and plain punctuation.

    No character is left that ends a comment, escapes, interpolates, or continues a line.
    """
    kept: list[str] = []
    for char in unicodedata.normalize("NFC", text):
        spelled = _SPELLED.get(char, char)
        if spelled != char:
            kept.append(spelled)
        elif char in _KEPT or unicodedata.category(char)[0] in "LNM":
            kept.append(char)
        else:
            kept.append(" ")
    line = " ".join("".join(kept).split())
    line = re.sub(r"([^\w\s])(?:\s*\1)+", r"\1", line).strip(" -/;,+")
    if len(line) > MAX_NOTE_CHARS:
        line = line[:MAX_NOTE_CHARS].rsplit(" ", 1)[0][:MAX_NOTE_CHARS].rstrip(" -/;,+") + "..."
    return line or "see the pull request"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place for a line of its own."""

    row: int
    """The line goes before this one (0-based); the number of lines means the end."""
    indent: str = ""
    name: str = ""
    """First line of what stands there, for ranking."""


def list_spots(path: str, lines: Sequence[str], request: str, near_line: int | None) -> list[Spot]:
    """List where a note can go, the best first: before what the request is about, top, end.

    Args:
        path: decides the language.
        lines: the file, without line endings.
        request: its words rank the definitions.
        near_line: a line (1-based) that the request hangs on.
    """
    spots = _rank(_find_definitions(path, lines), request, near_line)
    top = Spot(_skip_prologue(path, lines))
    spots.append(top)
    if not path.lower().endswith((".php", ".cshtml", ".razor")) and lines:
        spots.append(Spot(len(lines)))
    return list(dict.fromkeys(spots))


def insert_note(path: str, lines: Sequence[str], spot: Spot, text: str) -> list[str] | None:
    """Insert a neutralised note; None when the file's kind has no place for it."""
    syntax = find_syntax(path)
    if syntax is None or (path.lower().endswith(".php") and not _is_pure_php(lines)):
        return None
    note = [syntax.write(text, spot.indent)]
    before, after = list(lines[: spot.row]), list(lines[spot.row :])
    if syntax.is_visible_text:
        if before and before[-1].strip():
            note.insert(0, "")
        if after and after[0].strip():
            note.append("")
    return before + note + after


def insert_docstring(lines: Sequence[str], text: str, request: str, turn: int) -> list[str] | None:
    """Give a Python definition without a docstring one; None when each has its own.

    Args:
        lines: the file, without line endings.
        text: a neutralised sentence.
        request: its words rank the definitions.
        turn: which of them, where several will do; counted round.
    """
    rows: list[int] = []
    for node in _definition_nodes("x.py", lines, request):
        body = node.child_by_field_name("body")
        if body is None or body.start_point.row == node.start_point.row or not body.named_children:
            continue
        first = body.named_children[0]
        if _is_string_statement(first):
            continue
        row = first.start_point.row
        indent = lines[row][: len(lines[row]) - len(lines[row].lstrip())]
        if indent:
            rows.append(row)
    if not rows:
        return None
    row = rows[turn % len(rows)]
    indent = lines[row][: len(lines[row]) - len(lines[row].lstrip())]
    sentence = text.rstrip(" .'") + "."
    return [*lines[:row], f'{indent}"""{sentence}"""', *lines[row:]]


def _is_string_statement(node: "Node") -> bool:
    children = node.named_children
    return node.type == "expression_statement" and bool(children) and children[0].type == "string"


_DEFINITIONS: Final = frozenset(
    [
        "function_definition",
        "class_definition",
        "function_declaration",
        "class_declaration",
        "rule_set",
        "method_definition",
        "method_declaration",
        "interface_declaration",
        "type_alias_declaration",
        "struct_item",
        "enum_item",
        "function_item",
        "impl_item",
        "trait_item",
        "struct_declaration",
        "enum_declaration",
        "constructor_declaration",
        "record_declaration",
        "namespace_declaration",
        "method",
        "class",
        "module",
        "class_specifier",
        "lexical_declaration",
        "generator_function_declaration",
    ]
)
_PARENTS: Final = frozenset({"decorated_definition", "export_statement", "template_declaration"})


def _find_definitions(path: str, lines: Sequence[str]) -> list[Spot]:
    spots: list[Spot] = []
    for node in _definition_nodes(path, lines, ""):
        row = node.start_point.row
        line = lines[row]
        # a line of its own only where nothing but blanks stands before, and never inside a literal
        if line[: node.start_point.column].strip() or not line.strip():
            continue
        spots.append(Spot(row, line[: len(line) - len(line.lstrip())], line))
    return spots


def _definition_nodes(path: str, lines: Sequence[str], request: str) -> "list[Node]":
    language = load_language(path.rpartition(".")[2].lower())
    if language is None:
        return []
    from tree_sitter import Parser

    source = "\n".join(lines).encode("utf-8", "replace")
    if not source.isascii():
        # columns are bytes; rows are what counts, and indentation is ASCII
        source = re.sub(rb"[\x80-\xff]", b"x", source)
    tree = Parser(language).parse(source)
    if tree.root_node.has_error:
        return []
    found: list[Node] = []
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        if node.type in _DEFINITIONS:
            parent = node.parent
            top = parent if parent is not None and parent.type in _PARENTS else node
            if request or (top.type != "lexical_declaration" or _is_top_level(top)):
                found.append(node if request else top)
        stack.extend(reversed(node.children))
    if request:
        words = split_words(request)
        found.sort(key=lambda node: -len(words & split_words(lines[node.start_point.row])))
    return found


def _is_top_level(node: "Node") -> bool:
    return node.parent is not None and node.parent.parent is None


def _rank(spots: Iterable[Spot], request: str, near_line: int | None) -> list[Spot]:
    words = split_words(request)

    def key(spot: Spot) -> tuple[int, int, int]:
        distance = 0
        if near_line is not None:
            offset = near_line - 1 - spot.row
            distance = offset if offset >= 0 else 1_000_000 - offset
        return (distance, -len(words & split_words(spot.name)), spot.row)

    return sorted(spots, key=key)


_MARKUP: Final = frozenset(
    [
        "html",
        "htm",
        "xml",
        "xaml",
        "csproj",
        "vbproj",
        "fsproj",
        "props",
        "targets",
        "resx",
        "vue",
        "svelte",
    ]
)
_WHOLE_DECLARATION: Final = re.compile(
    r"\s*(?:<\?[^<>]*\?>|<!doctype[^<>\[]*>|<!--(?:(?!--).)*-->)\s*", re.IGNORECASE
)
_PROLOGUE: Final = re.compile(
    r"""\s*(?:(?:\#|//|--|;|%).*|<\?php\s*|@charset\s.*;|---"""
    r"""|'use .*|"use .*|/\*(?:(?!\*/).)*\*/)\s*""",
    re.IGNORECASE,
)
"""Lines that must come first: interpreter, encoding, directives, licence, `<?php`."""


def _skip_prologue(path: str, lines: Sequence[str]) -> int:
    """Answer the row behind what must come first: interpreter, declarations, licence."""
    suffix = path.rpartition(".")[2].lower()
    if suffix in {"md", "markdown", "rst", "txt"}:
        return _skip_heading(lines)
    row = 0
    if suffix in _MARKUP:
        while row < len(lines) and lines[row].lstrip().startswith(("<?", "<!")):
            if not _WHOLE_DECLARATION.fullmatch(lines[row]):
                return len(lines)  # it goes on, or something stands behind it: only the end is safe
            row += 1
        return row
    if lines and lines[0].lstrip().startswith("/*") and "*/" not in lines[0]:
        row = next((at + 1 for at, line in enumerate(lines) if line.rstrip().endswith("*/")), 0)
    while row < len(lines) and lines[row].strip() and _PROLOGUE.fullmatch(lines[row]):
        row += 1
    return row


def _skip_heading(lines: Sequence[str]) -> int:
    row = 0
    if lines and lines[0].strip() == "---":
        row = next((at + 1 for at in range(1, len(lines)) if lines[at].strip() == "---"), 0)
    if row < len(lines) and lines[row].startswith("#"):
        row += 1
    elif row + 1 < len(lines) and re.fullmatch(r"[=\-~^]{3,}\s*", lines[row + 1]):
        row += 2
    return row


def _is_pure_php(lines: Sequence[str]) -> bool:
    text = "\n".join(lines)
    return text.startswith("<?php") and "?>" not in text and text.count("<?") == 1
