"""Makes workbook.json of tiles.yaml and slos.yaml: `python -m tests.alerts.workbook`.

Source: https://github.com/microsoft/Application-Insights-Workbooks (schema of an item: type 1 is
text, 3 a query, 9 parameters)
"""

import json
from collections.abc import Iterator
from textwrap import indent
from typing import Any, Final

import yaml

from tests.alerts.queries import WORKBOOK
from tests.alerts.rules import OBJECTIVES

TILES: Final = WORKBOOK.parent / "tiles.yaml"
_DRAWINGS: Final = {"table": "table", "line": "timechart", "bar": "barchart"}
_HEADING: Final = (
    "# Code Agent\n\nObjectives, jobs, latency, failures, cost, Azure DevOps, queue. "
    "What to do when an alert fires is in its runbook."
)


def read_sections() -> list[dict[str, Any]]:
    """Read what is shown: sections with their tiles, the objectives first."""
    objectives = {
        "name": "objectives",
        "title": "What was kept, and what is left of the error budget, in the chosen time",
        "draw": "table",
        "wide": True,
        "query": write_objectives_query(),
    }
    sections: list[dict[str, Any]] = yaml.safe_load(TILES.read_text(encoding="utf-8"))
    return [{"section": "Objectives", "tiles": [objectives]}, *sections]


def write_objectives_query() -> str:
    """Write the query of all objectives, one row each."""
    lets, parts = [], []
    for number, slo in enumerate(OBJECTIVES["slos"], 1):
        lets.append(f"let events_{number} = {indent(slo['events'].strip(), '    ').strip()};\n")
        parts.append(
            f"    (events_{number}\n    | summarize bad = sum(bad), total = sum(total)\n"
            f'    | extend objective = "{slo["name"]}", target_percent = {slo["target"]} * 1.0, '
            f"budget = {slo['budget']})"
        )
    joined = ",\n".join(parts)
    return (
        f"{''.join(lets)}union\n{joined}\n"
        "| extend share_bad = iff(total == 0, 0.0, todouble(bad) / total)\n"
        "| project\n"
        "    objective,\n"
        "    target_percent,\n"
        "    kept_percent = round(100 * (1 - share_bad), 2),\n"
        "    budget_left_percent = round(100 * (1 - share_bad / budget), 1),\n"
        "    bad,\n"
        "    total\n"
        "| order by budget_left_percent asc\n"
    )


def write_workbook() -> str:
    """Write the workbook as the portal reads it."""
    items = [_write_text("heading", _HEADING), _write_time_range()]
    for section in read_sections():
        items.append(_write_text(section["section"], f"## {section['section']}"))
        items.extend(_write_tiles(section["tiles"]))
    workbook = {
        "version": "Notebook/1.0",
        "items": items,
        "fallbackResourceIds": [],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }
    return json.dumps(workbook, indent=1, ensure_ascii=False) + "\n"


def _write_text(name: str, text: str) -> dict[str, Any]:
    return {"type": 1, "name": f"text {name}", "content": {"json": text}}


def _write_time_range() -> dict[str, Any]:
    hour, day = 3_600_000, 86_400_000
    parameter = {
        "version": "KqlParameterItem/1.0",
        "name": "TimeRange",
        "label": "Time",
        "type": 4,
        "isRequired": True,
        "value": {"durationMs": 7 * day},
        "typeSettings": {
            "selectableValues": [
                {"durationMs": span} for span in (hour, 6 * hour, day, 7 * day, 30 * day)
            ],
            "allowCustom": True,
        },
    }
    content = {
        "version": "KqlParameterItem/1.0",
        "style": "pills",
        "parameters": [parameter],
        "queryType": 0,
        "resourceType": "microsoft.insights/components",
    }
    return {"type": 9, "name": "parameters", "content": content}


def _write_tiles(tiles: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for tile in tiles:
        content: dict[str, Any] = {
            "version": "KqlItem/1.0",
            "query": tile["query"],
            "size": 0,
            "title": tile["title"],
            "noDataMessage": "Nothing in this time.",
            "timeContextFromParameter": "TimeRange",
            "queryType": 0,
            "resourceType": "microsoft.insights/components",
            "visualization": _DRAWINGS[tile["draw"]],
        }
        if tile["name"] == "objectives":
            content["gridSettings"] = _colour("budget_left_percent")
        width = "100" if tile.get("wide") else "50"
        yield {"type": 3, "name": tile["name"], "customWidth": width, "content": content}


def _colour(column: str) -> dict[str, Any]:
    """Mark what is left of a budget: red below 0, orange below 25 %, else green."""
    steps = [("<", "0", "redBright"), ("<", "25", "orange"), ("Default", None, "green")]
    grid = [
        {"operator": operator, "thresholdValue": value, "representation": colour, "text": "{0}{1}"}
        for operator, value, colour in steps
    ]
    options = {"thresholdsOptions": "colors", "thresholdsGrid": grid}
    return {"formatters": [{"columnMatch": column, "formatter": 18, "formatOptions": options}]}


if __name__ == "__main__":
    WORKBOOK.write_text(write_workbook(), encoding="utf-8")
