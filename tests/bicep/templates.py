"""Reads Bicep files into what the checks ask about: symbols, resources, modules, types.

No compiler: a grammar (tree-sitter-bicep) and the rules of the language that the checks need.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "bicep"
MAIN: Final = FOLDER / "main.bicep"
PARAMETERS: Final = FOLDER / "main.bicepparam"
FILES: Final = sorted(FOLDER.rglob("*.bicep"))

_PARSER: Final = Parser(Language(tree_sitter_bicep.language()))
_COMMENT: Final = re.compile(r"//[^\n]*")


@dataclass(frozen=True)
class Declaration:
    """Something with a name. `value` is its expression; `kind` its tree-sitter type."""

    kind: str
    name: str
    node: Node
    value: Node | None
    type: Node | None
    decorators: dict[str, Node]

    @property
    def line(self) -> int:
        return self.node.start_point[0] + 1

    @property
    def description(self) -> str:
        return text_of(self.decorators["description"]) if "description" in self.decorators else ""


@dataclass(frozen=True)
class Block(Declaration):
    """A resource (`target` is `type@version`) or a module (`target` is its path)."""

    target: str
    is_existing: bool
    body: Node


@dataclass
class Template:
    """One file."""

    path: Path
    text: str
    root: Node
    declarations: dict[str, Declaration] = field(default_factory=dict)
    imports: dict[str, Path] = field(default_factory=dict)
    outputs: dict[str, Declaration] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    """Names that are declared more than once."""

    def list_kind(self, kind: str) -> dict[str, Declaration]:
        return {name: each for name, each in self.declarations.items() if each.kind == kind}

    @property
    def parameters(self) -> dict[str, Declaration]:
        return self.list_kind("parameter_declaration")

    @property
    def resources(self) -> list[Block]:
        return self._list_blocks("resource_declaration")

    @property
    def modules(self) -> list[Block]:
        return self._list_blocks("module_declaration")

    def _list_blocks(self, kind: str) -> list[Block]:
        found = (each for each in self.declarations.values() if isinstance(each, Block))
        return [each for each in found if each.kind == kind]


@cache
def read_template(path: Path) -> Template:
    return parse(path.read_text(), path)


def parse(text: str, path: Path) -> Template:
    """Parse a text as the file `path`. In a parameters file the grammar knows no values."""
    read = text
    if path.suffix == ".bicepparam":
        read = re.sub(r"^param (\w+) =", r"var \1 =", text, flags=re.MULTILINE)
    template = Template(path, text, _PARSER.parse(read.encode()).root_node)
    decorators: dict[str, Node] = {}
    for node in template.root.named_children:
        if node.type == "decorators":
            decorators |= _read_decorators(node)
            continue
        _take(node, decorators, template)
        decorators = {}
    return template


def _take(node: Node, decorators: dict[str, Node], template: Template) -> None:
    if node.type == "import_functionality":
        source = next(each for each in node.named_children if each.type == "string")
        for each in node.named_children:
            if each.type == "identifier":
                template.imports[text_of(each)] = template.path.parent / literal_of(source)
        return
    name = next((each for each in node.named_children if each.type == "identifier"), None)
    is_declared = node.type.endswith("_declaration") and node.type != "metadata_declaration"
    if name is None or not is_declared:
        return
    rest = [each for each in node.named_children if each.start_byte > name.start_byte]
    declared = next((each for each in rest if each.type == "type"), None)
    values = [each for each in rest if each is not declared and each.type != "comment"]
    value = values[-1] if values and _has_value(node) else None
    base = Declaration(
        node.type, text_of(name), node, value, declared or _type_value(node, value), decorators
    )
    if base.name in template.declarations and node.type != "output_declaration":
        template.twice.append(base.name)
    if node.type in {"resource_declaration", "module_declaration"} and value is not None:
        template.declarations[base.name] = Block(
            **vars(base),
            target=literal_of(next(each for each in rest if each.type == "string")),
            is_existing=any(each.type == "existing" for each in node.children),
            body=_find_body(value),
        )
    elif node.type == "output_declaration":
        template.outputs[base.name] = base
    else:
        template.declarations[base.name] = base


def _has_value(node: Node) -> bool:
    return any(each.type == "=" for each in node.children)


def _type_value(node: Node, value: Node | None) -> Node | None:
    """A parameter's type can be a bare object in the grammar; so is that of a `type`."""
    if node.type == "type_declaration":
        return value
    return next(
        (each for each in node.named_children if each.type in {"object", "array_type"}), None
    )


def _read_decorators(node: Node) -> dict[str, Node]:
    found = {}
    for decorator in node.named_children:
        call = decorator.named_children[0]
        arguments = [each for each in call.named_children if each.type == "arguments"]
        inner = arguments[0].named_children if arguments else []
        found[text_of(call.named_children[0])] = inner[0] if inner else call
    return found


def _find_body(value: Node) -> Node:
    """The object of a declaration, whatever condition or loop stands before it."""
    while value.type != "object":
        value = value.named_children[-1]
    return value


def text_of(node: Node) -> str:
    return (node.text or b"").decode().strip("'")


def literal_of(node: Node) -> str:
    """A string without interpolation, its escapes undone."""
    return text_of(node).replace("\\'", "'").replace("\\\\", "\\")


def is_literal(node: Node) -> bool:
    return node.type == "string" and not any(each.type == "interpolation" for each in node.children)


def list_properties(node: Node) -> Iterator[tuple[Node, Node]]:
    """Key and value of every property of an object."""
    for each in node.named_children:
        if each.type == "object_property":
            parts = [part for part in each.named_children if part.type != "comment"]
            yield parts[0], parts[-1]


def property_of(node: Node, name: str) -> Node | None:
    return next((value for key, value in list_properties(node) if text_of(key) == name), None)


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from walk(child)


def list_syntax_errors(template: Template) -> list[str]:
    return [
        f"{template.path.name}:{node.start_point[0] + 1}: not Bicep: {text_of(node)[:40]!r}"
        for node in _walk_all(template.root)
        if node.is_error or node.is_missing
    ]


def _walk_all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk_all(child)


def strip_comments(template: Template) -> str:
    return _COMMENT.sub("", template.text.replace("https://", "https:"))
