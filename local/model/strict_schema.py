"""What a service asks of a strict JSON schema: every property required, no others.

Sources: https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas
https://platform.claude.com/docs/en/build-with-claude/structured-outputs
"""

from collections.abc import Iterator, Mapping
from typing import Any


def find_loose_ends(schema: Any, place: str = "()") -> Iterator[str]:
    """Say what makes a schema not strict, place by place."""
    if not isinstance(schema, Mapping):
        yield f"In context={place}, schema must be an object."
        return
    kinds = schema.get("type")
    if kinds == "object" or (isinstance(kinds, list) and "object" in kinds):
        yield from _check_object(schema, place)
    for name, child in schema.get("properties", {}).items():
        yield from find_loose_ends(child, f"({place}, 'properties', '{name}')")
    if "items" in schema:
        yield from find_loose_ends(schema["items"], f"({place}, 'items')")
    for word in ("anyOf", "oneOf", "allOf"):
        for child in schema.get(word, ()):
            yield from find_loose_ends(child, f"({place}, '{word}')")
    for name, child in schema.get("$defs", {}).items():
        yield from find_loose_ends(child, f"({place}, '$defs', '{name}')")


def _check_object(schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield (
            f"In context={place}, 'additionalProperties' is required to be supplied and to be "
            "false."
        )
    missing = sorted(set(schema.get("properties", {})) - set(schema.get("required", ())))
    if missing:
        yield (
            f"In context={place}, 'required' is required to be supplied and to be an array "
            f"including every key in properties. Missing '{missing[0]}'."
        )
