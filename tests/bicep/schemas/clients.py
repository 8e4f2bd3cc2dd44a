"""Reads the models of Microsoft's management clients for Python (see extract.py).

Older clients describe a model in `_attribute_map` and `_validation`, newer ones in its fields.
"""

import enum
import importlib
import re
import sys
import types as python_types
import typing
from typing import Any, Final

from tests.bicep.schemas.published import Types

_PLAIN: Final = {"str": "string", "int": "int", "bool": "bool", "float": "any", "object": "any"}
_PARTS_OF_A_MODEL: Final = 2
"""A client's flattened attribute is `properties.name`."""


def read_clients(wanted: dict[str, str]) -> tuple[dict[str, str], Types]:
    """Read the models of the management clients into the same shape."""
    found: Types = {}
    for resource, where in wanted.items():
        package, _, name = where.partition(":")
        module = importlib.import_module(f"azure.mgmt.{package}.models")
        _take_model(getattr(module, name), module, found, resource)
        found[resource]["properties"].setdefault("name", {"type": "string"})
        found[resource]["properties"]["name"] = {"type": "string", "required": True}
    return {name: name for name in wanted}, found


def _take_model(model: Any, module: Any, into: Types, name: str = "") -> str:
    name = name or model.__name__
    if name in into:
        return name
    into[name] = {"properties": {}}
    fields = _list_fields(model, module, into)
    into[name]["properties"] = fields
    subtypes = vars(model).get("_subtype_map", {})
    for discriminator, children in subtypes.items():
        key = model._attribute_map[discriminator]["key"].replace("\\.", ".")
        variants = {}
        for word, child in children.items():
            sub = _take_model(getattr(module, child), module, into)
            variants[word] = {**into[sub]["properties"], key: {"type": [word], "required": True}}
        into[name] = {"discriminator": key, "variants": variants}
    return name


def _list_fields(model: Any, module: Any, into: Types) -> dict[str, Any]:
    if hasattr(model, "_attribute_map"):
        return _list_mapped_fields(model, module, into)
    found = {}
    for ancestor in reversed(model.__mro__):
        names = {**vars(sys.modules[ancestor.__module__]), "_models": module}
        hints = typing.get_type_hints(ancestor, names)
        for attribute, field in vars(ancestor).items():
            if type(field).__name__ != "_RestField":
                continue
            hint = hints.get(attribute, Any)
            entry: dict[str, Any] = {"type": _read_hint(hint, module, into)}
            if not _is_optional(hint):
                entry["required"] = True
            if field._visibility == ["read"]:
                entry = {"type": entry["type"], "readOnly": True}
            found[field._rest_name_input or attribute] = entry
    return found


def _is_optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _read_hint(hint: Any, module: Any, into: Types) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, python_types.UnionType}:
        rest = [each for each in arguments if each not in {str, type(None)}]
        return _read_hint(rest[0], module, into) if rest else "string"
    if origin is list:
        return f"{_read_hint(arguments[0], module, into)}[]"
    if origin is dict:
        return f"map:{_read_hint(arguments[1], module, into)}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return [*(member.value for member in hint), "*"]
    if isinstance(hint, type) and hint.__module__.startswith("azure."):
        return _take_model(hint, module, into)
    return _PLAIN.get(getattr(hint, "__name__", ""), "any")


def _list_mapped_fields(model: Any, module: Any, into: Types) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute, where in model._attribute_map.items():
        if not where["key"]:  # whatever else the service may send
            continue
        keys = re.split(r"(?<!\\)\.", where["key"])
        rules = model._validation.get(attribute, {})
        entry: dict[str, Any] = {"type": _read_mapped(where["type"], module, into)}
        if rules.get("required"):
            entry["required"] = True
        if rules.get("readonly"):
            entry["readOnly"] = True
        for ours, theirs in (
            ("minLength", "min_length"),
            ("maxLength", "max_length"),
            ("minValue", "minimum"),
            ("maxValue", "maximum"),
            ("pattern", "pattern"),
        ):
            if theirs in rules:
                entry[ours] = rules[theirs]
        if len(keys) == _PARTS_OF_A_MODEL:
            outer = f"{model.__name__}.{keys[0]}"
            into.setdefault(outer, {"properties": {}})["properties"][keys[1]] = entry
            found[keys[0]] = {"type": outer}
        else:
            found[keys[0].replace("\\.", ".")] = entry
    return found


def _read_mapped(written: str, module: Any, into: Types) -> Any:
    if written.startswith("["):
        return f"{_read_mapped(written[1:-1], module, into)}[]"
    if written.startswith("{"):
        return f"map:{_read_mapped(written[1:-1], module, into)}"
    if hasattr(module, written):
        return _take_model(getattr(module, written), module, into)
    return _PLAIN.get(written, "string" if written in {"iso-8601", "duration"} else "any")
