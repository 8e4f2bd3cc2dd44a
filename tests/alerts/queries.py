"""Every Kusto query of the project, by the place where it stands."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from local.app_insights.tables import TABLES
from tests.alerts.rules import BURN_RATES, OBJECTIVES, QUERY_RULES, ROOT

WORKBOOK: Final = ROOT / "bicep" / "workbook" / "workbook.json"
_FENCED: Final = re.compile(r"```(?:kusto|kql)\n(.*?)```", re.DOTALL)
_QUOTED: Final = re.compile(rf"`((?:{'|'.join(TABLES)}) \| [^`]+)`")
_COMMAND: Final = re.compile(r"-m local kql (?:--\S+ \S+ )*[\"']([^\"']+)[\"']")
_HISTORIC: Final = ("alerts.md",)
"""Quotes the guide's queries, which are wrong; it is written from what is checked elsewhere."""


def list_queries() -> dict[str, str]:
    """List all queries, by place."""
    found = {f"alert {rule.name}": rule.query for rule in (*QUERY_RULES, *BURN_RATES)}
    found |= {f"objective {slo['name']}": slo["events"] for slo in OBJECTIVES["slos"]}
    found |= {f"workbook {name}": query for name, query in list_tiles()}
    found |= dict(_list_documented())
    return found


def list_tiles() -> Iterator[tuple[str, str]]:
    """List the queries of the workbook, by the names of their tiles."""
    if WORKBOOK.exists():
        yield from _find_tiles(json.loads(WORKBOOK.read_text(encoding="utf-8")))


def _find_tiles(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        content = node.get("content")
        if isinstance(content, dict) and "query" in content:
            yield node["name"], content["query"]
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _find_tiles(part)


def _list_documented() -> Iterator[tuple[str, str]]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        if path.name in _HISTORIC:
            continue
        text = path.read_text(encoding="utf-8")
        found = [part for form in (_FENCED, _QUOTED, _COMMAND) for part in form.findall(text)]
        for number, query in enumerate(found, 1):
            yield f"{path.relative_to(ROOT)} {number}", query
