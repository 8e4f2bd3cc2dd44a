"""Holds resources of a template against Azure's published types (`schemas/`, its extract.py)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tree_sitter import Node

from tests.bicep.templates import (
    Block,
    Template,
    is_literal,
    list_properties,
    literal_of,
    property_of,
    text_of,
)

FOLDER: Final = Path(__file__).parent / "schemas"
OF_THE_LANGUAGE: Final = frozenset({"parent", "scope", "dependsOn"})
"""Properties of a resource that Bicep itself reads."""
_PLAIN: Final = frozenset({"string", "int", "bool", "any"})
_FITTING: Final = {"string": "string", "number": "int", "boolean": "bool"}


@cache
def load_types() -> dict[str, dict[str, Any]]:
    """Resource with its version -> its types by name."""
    found = {}
    for path in FOLDER.glob("*.json"):
        content = json.loads(path.read_text())
        for resource, name in content["resources"].items():
            found[resource] = {**content["types"], "": content["types"][name]}
    return found


def list_type_faults(template: Template) -> list[str]:
    """Everything in the resources of a template that Azure would not take, or does not know."""
    found = []
    for resource in template.resources:
        if resource.target not in load_types():
            found.append(f"{template.path.name}:{resource.line}: no published {resource.target}")
        elif not resource.is_existing:
            found += _Check(template, resource, load_types()[resource.target]).run()
    return found


@dataclass(frozen=True)
class _Check:
    """One resource against its type."""

    template: Template
    resource: Block
    types: dict[str, dict[str, Any]]

    def run(self) -> list[str]:
        root = self.types[""]
        if "discriminator" not in root:
            root = {
                "properties": {
                    **root["properties"],
                    **{name: {"type": "any"} for name in OF_THE_LANGUAGE},
                }
            }
        return list(self._check_object(self.resource.body, root, is_whole=True))

    def _tell(self, node: Node, what: str) -> str:
        return f"{self.template.path.name}:{node.start_point[0] + 1}: {what}"

    def _check_object(self, node: Node, shape: dict[str, Any], *, is_whole: bool) -> Iterator[str]:
        """Check an object's properties; `is_whole`: whether what is required must be there."""
        properties = self._choose(node, shape)
        if properties is None:
            yield self._tell(node, f"{shape['discriminator']} is none of {[*shape['variants']]}")
            return
        for key, value in list_properties(node):
            name = literal_of(key)
            if name in properties:
                yield from self._check_property(value, name, properties[name])
            elif "additional" in shape:
                yield from self._check_value(value, shape["additional"])
            elif name not in OF_THE_LANGUAGE or shape is not self.types[""]:
                yield self._tell(key, f"{self.resource.target} knows no {name!r} here")
        if is_whole:
            given = {literal_of(key) for key, _ in list_properties(node)}
            for name, each in properties.items():
                if each.get("required") and name not in given:
                    yield self._tell(node, f"{self.resource.target} wants {name!r} here")

    def _choose(self, node: Node, shape: dict[str, Any]) -> dict[str, Any] | None:
        if "discriminator" not in shape:
            return dict(shape["properties"])
        word = property_of(node, shape["discriminator"])
        chosen = shape["variants"].get(literal_of(word)) if word is not None else None
        return chosen if chosen is None else dict(chosen)

    def _check_property(self, node: Node, name: str, rule: dict[str, Any]) -> Iterator[str]:
        if rule.get("readOnly"):
            yield self._tell(node, f"{name!r} is written by the service alone")
            return
        yield from self._check_value(node, rule["type"])
        if is_literal(node):
            yield from self._check_text(node, name, rule)
        if node.type == "number":
            number = int(text_of(node))
            if not rule.get("minValue", number) <= number <= rule.get("maxValue", number):
                yield self._tell(node, f"{name!r} is out of bounds")

    def _check_text(self, node: Node, name: str, rule: dict[str, Any]) -> Iterator[str]:
        value = literal_of(node)
        if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)):
            yield self._tell(node, f"{name!r} is too long or too short")
        if "pattern" in rule and not re.search(rule["pattern"], value):
            yield self._tell(node, f"{name!r} does not look like {rule['pattern']}")

    def _check_value(self, node: Node, wanted: Any) -> Iterator[str]:
        """Check an expression, as far as it can be followed without being computed."""
        if wanted == "any":
            return
        for value, is_whole in self._follow(node):
            yield from self._check_followed(value, wanted, is_whole=is_whole)

    def _check_followed(self, node: Node, wanted: Any, *, is_whole: bool) -> Iterator[str]:
        if isinstance(wanted, list):
            if is_literal(node) and "*" not in wanted and literal_of(node) not in wanted:
                yield self._tell(node, f"{literal_of(node)!r} is none of {wanted}")
            elif node.type in {"object", "array", "number", "boolean"}:
                yield self._tell(node, f"one of {wanted} expected")
        elif wanted.endswith("[]"):
            yield from self._check_array(node, wanted.removesuffix("[]"))
        elif wanted.startswith("map:"):
            shape = {"properties": {}, "additional": wanted.removeprefix("map:")}
            yield from self._check_shape(node, shape, is_whole=is_whole)
        elif wanted in _PLAIN:
            if node.type in {"object", "array"} or _FITTING.get(node.type, wanted) != wanted:
                yield self._tell(node, f"{wanted} expected")
        elif wanted in self.types:
            yield from self._check_shape(node, self.types[wanted], is_whole=is_whole)

    def _check_shape(self, node: Node, shape: dict[str, Any], *, is_whole: bool) -> Iterator[str]:
        if node.type == "object":
            yield from self._check_object(node, shape, is_whole=is_whole)
        elif node.type in {"array", *_FITTING}:
            yield self._tell(node, "an object expected")

    def _check_array(self, node: Node, element: str) -> Iterator[str]:
        if node.type == "array":
            for each in node.named_children:
                if each.type != "comment" and not _is_index(each):
                    yield from self._check_value(each, element)
        elif node.type == "for_statement" or _is_map(node):
            yield from self._check_value(_find_element(node), element)
        elif node.type in {"object", *_FITTING}:
            yield self._tell(node, "an array expected")

    def _follow(self, node: Node) -> Iterator[tuple[Node, bool]]:
        """Literals that an expression may come to, and whether each is the whole value."""
        children = node.named_children
        if node.type == "ternary_expression":
            for each in children[1:]:
                yield from self._follow(each)
        elif node.type == "identifier" and text_of(node) in self.template.declarations:
            declared = self.template.declarations[text_of(node)]
            if declared.kind == "variable_declaration" and declared.value is not None:
                yield from self._follow(declared.value)
        elif node.type == "call_expression" and text_of(children[0]) in {"union", "concat"}:
            for each in children[1].named_children:
                yield from ((value, value.type == "array") for value, _ in self._follow(each))
        elif node.type == "call_expression" and text_of(children[0]) == "filter":
            yield from self._follow(children[1].named_children[0])
        elif node.type not in {"call_expression", "identifier"} or _is_map(node):
            yield node, True


def _is_index(node: Node) -> bool:
    """Tell whether an array is `[key]` of `[values[key]]`: the grammar takes it for an element."""
    before = node.prev_sibling
    return (
        node.type == "array"
        and before is not None
        and before.end_byte == node.start_byte
        and before.is_named
    )


def _is_map(node: Node) -> bool:
    return node.type == "call_expression" and text_of(node.named_children[0]) == "map"


def _find_element(node: Node) -> Node:
    """What a loop or a `map` makes of each element."""
    while node.type in {"for_statement", "call_expression", "arguments", "lambda_expression"}:
        if node.type == "call_expression" and not _is_map(node):
            break
        node = node.named_children[-1]
    return node
