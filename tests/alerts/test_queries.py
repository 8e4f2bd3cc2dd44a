"""Every Kusto query of the project, as Microsoft's language service and our own events see it."""

import re
from dataclasses import fields
from typing import Final

import pytest

from shared.telemetry.events import EVENTS
from shared.telemetry.metrics import METRICS
from tests.alerts.queries import list_queries
from tests.alerts.rules import BURN_RATES, RULES, expand_burn_rates
from tests.bicep.evaluate import Evaluator
from tests.bicep.templates import FOLDER, read_template
from tests.kusto.service import MISSING, Typed, check_queries, is_there

QUERIES: Final = list_queries()
_NAMES: Final = re.compile(r"\bname (?:==|in) (\([^)]*\)|\"[^\"]*\")")
_DIMENSION: Final = re.compile(r"\bcustomDimensions(?:\.(\w+)|\[\"([^\"]+)\"\])")
_MEASUREMENT: Final = re.compile(r"\bcustomMeasurements(?:\.(\w+)|\[\"([^\"]+)\"\])")
_COUNTS_OF_ROWS: Final = {"QueueBacklog", "SuspiciousActivity"}
"""Count points of a metric, or groups: what sampling does not touch."""
_OF_FAILURES: Final = {"component", "operation", "verdict", "jobId", "correlationId"}
"""Dimensions of `exceptions` (shared/telemetry/failures.py)."""
_OF_SPANS: Final = {"operation", "error_code", "jobId", "variant"}
"""Dimensions of `dependencies` (shared/telemetry/tracing.py)."""

PLANTED: Final = {
    "customEvents | where nmae == 'x'": "KS142",
    "customevents | count": "KS204",
    "customEvents | summarize count() by customDimensions.status": "KS116",
    "customEvents | summarize sum(name)": "KS138",
    "customEvents | whre true": "KS",
}
"""A query with a fault, and the code that tells of it."""


@pytest.fixture(scope="module")
def typed() -> dict[str, Typed]:
    """What the service says of every query, and of those with a planted fault."""
    if not is_there():
        pytest.skip(MISSING)
    return check_queries({**QUERIES, **{query: query for query in PLANTED}})


def test_every_query_is_sound_to_microsofts_language_service(typed: dict[str, Typed]) -> None:
    assert {name: typed[name].faults for name in QUERIES if typed[name].faults} == {}
    assert len(QUERIES) >= 90


def test_the_language_service_finds_planted_faults(typed: dict[str, Typed]) -> None:
    for query, code in PLANTED.items():
        assert any(code in fault for fault in typed[query].faults), query


def test_rules_measure_a_column_that_is_a_number_and_split_by_texts(
    typed: dict[str, Typed],
) -> None:
    for rule in RULES:
        columns = typed[f"alert {rule.name}"].columns
        assert columns[rule.column] in {"int", "long", "real"}, rule.name
        for dimension in rule.plain.get("dimensions", []):
            assert columns[dimension] == "string", rule.name


def test_objectives_answer_what_the_burn_rate_needs(typed: dict[str, Typed]) -> None:
    """A column of two types becomes two columns in a union."""
    for name in QUERIES:
        if name.startswith("objective"):
            kinds = dict(typed[name].columns)
            assert kinds.pop("timestamp") == "datetime", name
            assert kinds.keys() == {"bad", "total"}, name
            assert set(kinds.values()) <= {"int", "long"}, name


def list_unknown_names(query: str) -> list[str]:
    """List what a query asks for that nothing of ours sends."""
    events = {event.name: event for event in EVENTS}
    metrics = {metric.name: metric for metric in METRICS}
    asked = {name for told in _NAMES.findall(query) for name in re.findall(r'"([^"]+)"', told)}
    unknown = sorted(asked - events.keys() - metrics.keys())
    named = [events[name] for name in asked if name in events]
    dimensions = {field.name for event in named for field in fields(event)} - {
        name for event in named for name in event.measurements
    }
    dimensions |= {
        name for metric in metrics if metric in asked for name in metrics[metric].dimensions
    }
    dimensions |= _OF_FAILURES if "exceptions" in query else set()
    dimensions |= _OF_SPANS if "dependencies" in query else set()
    measurements = {name for event in named for name in event.measurements}
    for form, known in ((_DIMENSION, dimensions), (_MEASUREMENT, measurements)):
        unknown += sorted({a or b for a, b in form.findall(query)} - known)
    return unknown


def test_every_query_asks_for_events_and_fields_that_the_app_sends() -> None:
    unknown = {name: list_unknown_names(query) for name, query in QUERIES.items()}
    assert {name: told for name, told in unknown.items() if told} == {}


@pytest.mark.parametrize(
    ("query", "unknown"),
    [
        ('customEvents | where name == "variant_complete"', ["variant_complete"]),
        (
            'customEvents | where name == "job_completed" | project customDimensions.llmProvider',
            ["llmProvider"],
        ),
        (
            'customEvents | where name in ("heartbeat") | extend p = customMeasurements["depth"]',
            ["depth"],
        ),
        ("exceptions | extend c = customDimensions.part", ["part"]),
    ],
)
def test_a_name_that_nobody_sends_is_found(query: str, unknown: list[str]) -> None:
    assert list_unknown_names(query) == unknown


def test_no_query_takes_a_percentile_of_a_sum() -> None:
    for name, query in QUERIES.items():
        assert not ("customMetrics" in query and "percentile" in query), name


def test_rules_count_what_was_sampled_and_leave_the_window_to_the_rule() -> None:
    for rule in RULES:
        assert re.search(r"itemCount|customMetrics|dcount|isnotnull|arg_max", rule.query), rule.name
        assert not re.search(r"summarize[^|]*= count\(\)[^|]*\n\| (project|where)", rule.query) or (
            rule.name in _COUNTS_OF_ROWS
        ), rule.name
        assert not re.search(r"\bavg\(", rule.query), rule.name
        for ago in re.findall(r"ago\((\d+)([mhd])\)", rule.query):
            minutes = int(ago[0]) * {"m": 1, "h": 60, "d": 1440}[ago[1]]
            assert minutes < rule.window_min, rule.name


def test_bicep_and_python_make_the_same_rules_of_the_objectives() -> None:
    module = Evaluator(read_template(FOLDER / "modules" / "alerts.bicep"), {})
    deployed = module.value_of("burnRateAlerts")
    assert [{**alert, "guid": None} for alert in deployed] == [
        {**alert, "guid": None} for alert in expand_burn_rates()
    ]
    assert len({alert["guid"] for alert in deployed}) == len(BURN_RATES)
    queries = {alert["name"]: alert["query"] for alert in module.value_of("queryAlerts")}
    assert queries == {rule.name: rule.query for rule in RULES}
