"""Computes Bicep expressions: names, settings and alerts as a deployment would make them.

Only what the templates use. `uniqueString` gets a stand-in of the right length.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from tree_sitter import Node

from tests.bicep.templates import Template, list_properties, literal_of, text_of

Scope = Mapping[str, Any]

_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "any": lambda value: value,
    "concat": lambda *parts: [each for part in parts for each in part],
    "contains": lambda whole, part: part in whole,
    "empty": lambda value: not value,
    "filter": lambda values, keep: [each for each in values if keep(each)],
    "flatten": lambda values: [each for inner in values for each in inner],
    "guid": lambda *parts: "guid:" + "/".join(map(str, parts)),
    "items": lambda mapping: [{"key": key, "value": mapping[key]} for key in sorted(mapping)],
    "json": json.loads,
    "last": lambda values: values[-1],
    "length": len,
    "map": lambda values, change: [change(each) for each in values],
    "objectKeys": sorted,
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda text, by: text.split(by),
    "string": str,
    "subscription": lambda: {"subscriptionId": "00000000-0000-0000-0000-000000000000"},
    "substring": lambda text, start: text[start:],
    "take": lambda value, count: value[:count],
    "toLower": str.lower,
    "toObject": lambda values, key, value: {key(each): value(each) for each in values},
    "toUpper": str.upper,
    "trim": str.strip,
    "union": lambda *parts: {key: value for part in parts for key, value in part.items()},
    "uniqueString": lambda *_: "abcdefghijklm",
    "utcNow": lambda _form: "2026-11-01",
}


_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "+": operator.add,
    ">": operator.gt,
}
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "loadTextContent": str,
    "loadJsonContent": json.loads,
    "loadYamlContent": yaml.safe_load,
}


class Evaluator:
    """Computes what is declared in one file; `given` stands for its parameters and modules.

    A module is a mapping `{"outputs": {name: value}}`. `environment` is what
    `readEnvironmentVariable` reads.
    """

    def __init__(
        self, template: Template, given: Scope, environment: Mapping[str, str] | None = None
    ) -> None:
        self._template = template
        self._given = given
        self._environment = environment or {}

    def value_of(self, name: str) -> Any:
        """Compute a parameter, a variable or an output."""
        if name in self._given:
            return self._given[name]
        declared = self._template.declarations.get(name) or self._template.outputs[name]
        if declared.value is None:
            raise KeyError(name)
        return self.compute(declared.value)

    def compute(self, node: Node, scope: Scope | None = None) -> Any:
        """Compute an expression; `scope` holds the names of lambdas around it."""
        return _Computation(self, scope or {}).compute(node)

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Call a function of the language."""
        if name in _READERS:
            return _READERS[name](self._template.path.parent.joinpath(arguments[0]).read_text())
        if name == "readEnvironmentVariable":
            variable, *default = arguments
            return (
                self._environment.get(variable, *default)
                if default
                else self._environment[variable]
            )
        return _FUNCTIONS[name](*arguments)


class _Computation:
    """One method for each kind of node of the grammar."""

    def __init__(self, evaluator: Evaluator, scope: Scope) -> None:
        self._evaluator = evaluator
        self._scope = scope

    def compute(self, node: Node) -> Any:
        return getattr(self, f"compute_{node.type}")(node)

    def compute_string(self, node: Node) -> str:
        return "".join(
            self._interpolate(each) if each.type == "interpolation" else literal_of(each)
            for each in node.named_children
        )

    def _interpolate(self, node: Node) -> str:
        """Compute `${…}`; the grammar takes blanks between two of them into the second."""
        blanks, _, _ = text_of(node).partition("${")
        return f"{blanks}{self.compute(node.named_children[0])}"

    def compute_number(self, node: Node) -> int:
        return int(text_of(node))

    def compute_boolean(self, node: Node) -> bool:
        return text_of(node) == "true"

    def compute_identifier(self, node: Node) -> Any:
        name = text_of(node)
        return self._scope[name] if name in self._scope else self._evaluator.value_of(name)

    def compute_object(self, node: Node) -> dict[str, Any]:
        return {
            self.compute(key) if key.type == "string" else text_of(key): self.compute(value)
            for key, value in list_properties(node)
        }

    def compute_array(self, node: Node) -> list[Any]:
        return [self.compute(each) for each in node.named_children if each.type != "comment"]

    def compute_parenthesized_expression(self, node: Node) -> Any:
        return self.compute(node.named_children[-1])

    compute_lambda_expression = compute_parenthesized_expression
    """Reached when it is called: what it comes to is its last child."""

    def compute_ternary_expression(self, node: Node) -> Any:
        condition, first, second = node.named_children
        return self.compute(first if self.compute(condition) else second)

    def compute_unary_expression(self, node: Node) -> bool:
        return not self.compute(node.named_children[0])

    def compute_binary_expression(self, node: Node) -> Any:
        left, right = node.named_children
        first = self.compute(left)
        match next(text_of(each) for each in node.children if not each.is_named):
            case "??":
                return first if first is not None else self.compute(right)
            case "||":
                return first or self.compute(right)
            case "&&":
                return first and self.compute(right)
            case other:
                return _OPERATORS[other](first, self.compute(right))

    def compute_subscript_expression(self, node: Node) -> Any:
        values, key = node.named_children
        return self.compute(values)[self.compute(key)]

    def compute_member_expression(self, node: Node) -> Any:
        """Compute `a.b.c`. The grammar binds a member to the whole ternary before it."""
        names: list[str] = []
        base = node
        while base.type == "member_expression":
            names.insert(0, text_of(base.named_children[1]))
            base = base.named_children[0]
        if base.type == "ternary_expression":
            condition, first, _ = base.named_children
            if self.compute(condition):
                return self.compute(first)
        value = self.compute(base)
        for name in names:
            value = value.get(name) if ".?" in text_of(node) else value[name]
        return value

    def compute_call_expression(self, node: Node) -> Any:
        name, arguments = node.named_children
        computed = [self._compute_argument(each) for each in arguments.named_children]
        return self._evaluator.call(text_of(name), computed)

    def _compute_argument(self, node: Node) -> Any:
        """Compute an argument; a lambda becomes a function of Python.

        The grammar takes what follows a lambda's first term for something around the lambda.
        """
        base = node
        while base.type in {"member_expression", "binary_expression", "ternary_expression"}:
            base = base.named_children[0]
        if base.type != "lambda_expression":
            return self.compute(node)
        names = [text_of(each) for each in _list_names(base.named_children[0])]

        def call(*values: Any) -> Any:
            scope = {**self._scope, **dict(zip(names, values, strict=True))}
            return _Computation(self._evaluator, scope).compute(node)

        return call


def _list_names(node: Node) -> list[Node]:
    return node.named_children or [node]


def load_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


PLACEHOLDER: Final = re.compile(r"\{[a-z]+\}")
"""What `burn_rate.kql` leaves to the module."""
