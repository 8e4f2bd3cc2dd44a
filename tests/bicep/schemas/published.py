"""Reads what the Azure MCP server's binary says of a resource type (see extract.py)."""

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

Types = dict[str, dict[str, Any]]
"""Name of a type to its properties, as extract.py describes them."""


def ask_published(resource_type: str) -> list[dict[str, Any]]:
    """Ask the Azure MCP server's binary for one resource type."""
    binary = Path(sysconfig.get_paths()["purelib"]) / "msmcp_azure" / "bin" / "azmcp"
    answer = subprocess.run(
        [str(binary), "bicepschema", "get", "--resource-type", resource_type],
        env={**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"},
        capture_output=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(answer.stdout)["results"]["BicepSchemaResult"]
    return found


def read_published(entries: list[dict[str, Any]], into: Types) -> dict[str, str]:
    """Take every type of one answer into a table, and answer resource -> name of its body."""
    resources = {}
    for entry in entries:
        if entry["$type"] == "Resource":
            body = {**entry["bodyType"], "name": entry["name"]}
            resources[entry["name"]] = entry["name"]
            _take_published(body, into)
        elif entry["$type"] in {"Object", "DiscriminatedObject"}:
            _take_published(entry, into)
    return resources


def _take_published(entry: dict[str, Any], into: Types) -> None:
    if entry["$type"] == "DiscriminatedObject":
        variants = {}
        base = _read_properties(entry["baseProperties"])
        for element in entry["elements"]:
            properties = {**base, **_read_properties(element["properties"])}
            variants[properties[entry["discriminator"]]["type"][0]] = properties
        into[entry["name"]] = {"discriminator": entry["discriminator"], "variants": variants}
        return
    taken: dict[str, Any] = {"properties": _read_properties(entry["properties"])}
    if "additionalPropertiesType" in entry:
        taken["additional"] = _read_type(entry["additionalPropertiesType"])
    into[entry["name"]] = taken


def _read_properties(properties: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["name"]: _read_property(each) for each in properties}


def _read_property(entry: dict[str, Any]) -> dict[str, Any]:
    taken: dict[str, Any] = {"type": _read_type(entry["type"], entry["name"])}
    flags = entry.get("flags", "")
    if "Required" in flags:
        taken["required"] = True
    if "ReadOnly" in flags:
        taken["readOnly"] = True
    for name, value in re.findall(
        r"(minLength|maxLength|minValue|maxValue|pattern): (.*?)(?=, (?:min|max|pattern|sens)|$)",
        entry.get("modifiers", ""),
    ):
        taken[name] = value if name == "pattern" else int(value)
    return taken


def _read_type(written: Any, name: str = "") -> Any:
    if not isinstance(written, str):
        return "any"
    if " | " in written:
        words = written.split(" | ")
        if "string[]" in words:
            return "string[]"
        return [
            *(word for word in words if word != "string"),
            *(["*"] if "string" in words else []),
        ]
    literal = name in {"name", "type", "apiVersion", "kind"} and written not in {"string", "any"}
    return [written] if literal and not written[0].isupper() else written
