"""Alerts and objectives as data, and what the module makes of them."""

import json
import re
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from tests.bicep.evaluate import PLACEHOLDER, Evaluator, load_yaml
from tests.bicep.templates import FOLDER, ROOT, read_template

ALERTS = load_yaml(FOLDER / "alerts" / "alerts.yaml")
OBJECTIVES = load_yaml(FOLDER / "alerts" / "slos.yaml")
SCHEMA = json.loads((FOLDER / "alerts" / "schema.json").read_text())
MINUTES = {"M": 1, "H": 60, "D": 1440}
TABLES = {
    "availabilityResults",
    "customEvents",
    "customMetrics",
    "dependencies",
    "exceptions",
    "pageViews",
    "performanceCounters",
    "requests",
    "traces",
}


def check(content: Any, definition: str) -> list[str]:
    schema = {"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]}
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]


def list_rules() -> list[dict[str, Any]]:
    """Every rule that the module deploys as a query, the burn rates with them."""
    module = Evaluator(read_template(FOLDER / "modules" / "alerts.bicep"), {})
    rules: list[dict[str, Any]] = module.value_of("queryAlerts")
    return rules


def count_minutes(duration: str) -> int:
    return int(re.sub(r"\D", "", duration)) * MINUTES[duration[-1]]


def test_the_files_are_what_the_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert check(ALERTS, "alerts_file") == []
    assert check(OBJECTIVES, "slos_file") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"severity": 5}, "severity"),
        ({"window": "P7D"}, "window"),
        ({"threshold": 0.5}, "threshold"),
        ({"runbook": "https://elsewhere"}, "runbook"),
        ({"action_group": "everybody"}, "action_group"),
        ({"measure": {"aggregation": "Maximum"}}, "measure"),
        ({"kind": "metric"}, "metric"),
        ({"ignored": True}, "ignored"),
    ],
)
def test_the_schema_refuses_what_azure_would(change: dict[str, Any], told: str) -> None:
    found = check({"alerts": [{**ALERTS["alerts"][0], **change}]}, "alerts_file")
    assert any(told in each for each in found), found


def test_names_and_guids_are_unique() -> None:
    rules = [*list_rules(), *(each for each in ALERTS["alerts"] if each["kind"] == "metric")]
    for key in ("name", "guid"):
        values = [rule[key] for rule in rules]
        assert len(values) == len(set(values))


def test_budgets_are_what_the_targets_leave() -> None:
    for slo in OBJECTIVES["slos"]:
        assert 1 - Decimal(slo["target"]) / 100 == Decimal(slo["budget"]), slo["name"]


def test_no_placeholder_is_left_in_a_query() -> None:
    for rule in list_rules():
        assert not PLACEHOLDER.search(rule["query"]), rule["name"]


def test_rules_are_such_as_azure_takes() -> None:
    """Source: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule"""
    for rule in list_rules():
        window, frequency = count_minutes(rule["window"]), count_minutes(rule["frequency"])
        assert frequency <= window, rule["name"]
        periods = rule["failing_periods"]
        assert periods["min"] <= periods["of"], rule["name"]
        assert window * periods["of"] <= count_minutes("P2D"), rule["name"]
        if frequency == 1:
            assert not re.search(r"\b(search|union|take)\b", rule["query"]), rule["name"]
        assert set(re.findall(r"\b[a-z]+[A-Z]\w*|\brequests\b|\btraces\b", rule["query"])) & TABLES
        column = rule["measure"].get("column")
        assert column is None or re.search(rf"\b{column} = ", rule["query"]), rule["name"]


def test_runbooks_are_there_and_none_without_its_alert() -> None:
    named = {each["runbook"] for each in (*ALERTS["alerts"], *OBJECTIVES["slos"])}
    for module in (FOLDER / "modules").glob("*.bicep"):
        text = module.read_text()
        alerts = len(
            re.findall(r"'Microsoft\.Insights/(?:metricAlerts|scheduledQueryRules)@", text)
        )
        assert text.count("runbook: '${runbookBaseUrl}") >= alerts, module.name
        named |= set(re.findall(r"docs/runbooks/[\w-]+\.md", text))
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert named == there
    for path in there:
        text = (ROOT / path).read_text()
        for part in ("What it means", "First look", "Likely causes", "What to do", "Whom to call"):
            assert f"**{part}" in text, path
        look = text.partition("**First look")[2].partition("**Likely causes")[0]
        query, around = "".join(look.split("```")[1::2]), "".join(look.split("```")[::2])
        # what a Logic App does is in no table of the component
        assert query.startswith("kusto\n") or path == "docs/runbooks/relay-failed.md"
        assert re.search(
            r"/gateway/\w+|workbook|\*Metrics\*|\*Logs\*|\*Runs history\*|runs of the pipeline",
            around,
        ), path
        assert re.search(r"`(python -m ops|curl|ops/backup\.sh|az) ?", around), path
        for link in re.findall(r"\]\((?!http)([^)#]+)", text):
            assert (ROOT / path).parent.joinpath(link).exists(), (path, link)
