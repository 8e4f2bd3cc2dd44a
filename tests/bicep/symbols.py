"""Finds names that nothing declares, declarations in vain, and wiring that does not fit."""

import re
from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from tests.bicep.templates import (
    Block,
    Declaration,
    Template,
    is_literal,
    list_properties,
    literal_of,
    property_of,
    read_template,
    strip_comments,
    text_of,
    walk,
)

FUNCTIONS: Final = frozenset(
    {
        "any",
        "cidrSubnet",
        "concat",
        "contains",
        "empty",
        "environment",
        "filter",
        "flatten",
        "guid",
        "items",
        "json",
        "last",
        "length",
        "listCallbackUrl",
        "loadJsonContent",
        "loadTextContent",
        "loadYamlContent",
        "map",
        "objectKeys",
        "range",
        "readEnvironmentVariable",
        "replace",
        "resourceGroup",
        "resourceId",
        "split",
        "string",
        "subscription",
        "subscriptionResourceId",
        "substring",
        "take",
        "tenant",
        "toLower",
        "toObject",
        "toUpper",
        "trim",
        "union",
        "uniqueString",
        "utcNow",
    }
)
"""Functions of the language that the templates use.

Source: https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions
"""
DECORATORS: Final = frozenset(
    {
        "allowed",
        "batchSize",
        "description",
        "export",
        "maxLength",
        "maxValue",
        "minLength",
        "minValue",
        "secure",
    }
)
_REFERENCE: Final = re.compile(r"(\w+)(?:\[[^\]]*\])?!?\.outputs\.(\w+)")


def list_undefined(template: Template) -> list[str]:
    """Names, functions, types and decorators that nothing declares, or that two things do."""
    known = set(template.declarations) | set(template.imports)
    twice = [*template.twice, *(set(template.declarations) & set(template.imports))]
    found = [f"{template.path.name}: {name!r} is declared twice" for name in twice]
    for node in template.root.named_children:
        local = set(_list_local_names(node))
        for name, is_call in _list_uses(node):
            if text_of(name) not in (FUNCTIONS if is_call else known | local):
                found.append(_tell(template, name, f"unknown name {text_of(name)!r}"))
        if node.type == "decorators":
            found += [
                _tell(template, each, f"unknown decorator {text_of(each.named_children[0])!r}")
                for each in walk(node)
                if each.type == "call_expression"
                and text_of(each.named_children[0]) not in DECORATORS
            ]
    for imported, source in template.imports.items():
        declared = read_template(source).declarations.get(imported)
        if declared is None or "export" not in declared.decorators:
            found.append(f"{template.path.name}: {source.name} exports no {imported!r}")
    return found


def list_unused(template: Template) -> list[str]:
    """Parameters, variables, imports and `existing` resources that nothing refers to."""
    used = {text_of(name) for node in template.root.named_children for name, _ in _list_uses(node)}
    found = [
        f"{template.path.name}: {name!r} is imported and not used"
        for name in template.imports
        if name not in used
    ]
    for name, each in template.declarations.items():
        matters = each.kind in {"parameter_declaration", "variable_declaration"} or (
            isinstance(each, Block) and each.is_existing
        )
        if matters and name not in used and "export" not in each.decorators:
            found.append(f"{template.path.name}:{each.line}: {name!r} is not used")
    return found


def _list_uses(node: Node) -> Iterator[tuple[Node, bool]]:
    """Identifiers in the place of a value, a type or a function (the flag)."""
    if node.type in {"decorators", "import_functionality", "using_statement", "comment"}:
        return
    children = node.named_children
    if node.type == "metadata_declaration" or (not children and node.type != "identifier"):
        return
    skip = _count_names(node)
    for child in children[skip:]:
        if child.type == "identifier":
            yield child, node.type == "call_expression" and child == children[0]
        else:
            yield from _list_uses(child)


def _count_names(node: Node) -> int:
    """How many of a node's first children name something instead of using it."""
    first = node.named_children[0]
    if node.type.endswith("_declaration"):
        return 1
    if node.type == "object_property":
        return 0 if first.type == "string" else 1
    if node.type == "lambda_expression":
        return 1
    if node.type == "for_statement":
        return 1
    return 0


def _list_local_names(node: Node) -> Iterator[str]:
    """Names of loops and lambdas; they count for the whole declaration they stand in."""
    for each in walk(node):
        if each.type in {"for_statement", "lambda_expression"}:
            names = each.named_children[0]
            inner = names.named_children or [names]
            yield from (text_of(name) for name in inner)


def list_module_faults(template: Template) -> list[str]:
    """Parameters that a module lacks, does not know or does not allow, and outputs it has not."""
    found = []
    for module in template.modules:
        path = (template.path.parent / module.target).resolve()
        if not path.exists():
            found.append(f"{template.path.name}:{module.line}: no file {module.target}")
            continue
        found += _check_arguments(template, module, read_template(path))
    for name, output in _REFERENCE.findall(strip_comments(template)):
        declared = template.declarations.get(name)
        if isinstance(declared, Block) and declared.kind == "module_declaration":
            target = read_template((template.path.parent / declared.target).resolve())
            if output not in target.outputs:
                found.append(f"{template.path.name}: {name} has no output {output!r}")
    return found


def _check_arguments(template: Template, module: Block, target: Template) -> list[str]:
    given_node = property_of(module.body, "params")
    given = (
        {text_of(key): value for key, value in list_properties(given_node)} if given_node else {}
    )
    found = [
        f"{template.path.name}:{module.line}: {target.path.name} has no parameter {name!r}"
        for name in given
        if name not in target.parameters
    ]
    found += [
        f"{template.path.name}:{module.line}: {target.path.name} lacks {name!r}"
        for name, each in target.parameters.items()
        if each.value is None and not _is_nullable(each) and name not in given
    ]
    for name, value in given.items():
        allowed = list_allowed(target.parameters[name]) if name in target.parameters else []
        found += [
            _tell(template, literal, f"{name} of {target.path.name} is none of {allowed}")
            for literal in _list_results(value)
            if allowed and literal_of(literal) not in allowed
        ]
    return found


def _is_nullable(declaration: Declaration) -> bool:
    return declaration.type is not None and text_of(declaration.type).endswith("?")


def list_allowed(declaration: Declaration) -> list[str]:
    """Words that a parameter may be."""
    allowed = declaration.decorators.get("allowed")
    return [literal_of(each) for each in allowed.named_children] if allowed else []


def _list_results(node: Node) -> Iterator[Node]:
    """Literal strings that an expression may come to."""
    if is_literal(node):
        yield node
    elif node.type == "ternary_expression":
        for each in node.named_children[1:]:
            yield from _list_results(each)


def _tell(template: Template, node: Node, what: str) -> str:
    return f"{template.path.name}:{node.start_point[0] + 1}: {what}"
