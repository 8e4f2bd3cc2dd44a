"""Kusto queries on what was collected, in a program and on the command line."""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.app_insights import kql
from local.app_insights.collected import Collected
from local.app_insights.envelopes import Row
from local.app_insights.kusto import Kusto, QueryError
from local.app_insights.tables import TABLES
from tests.local.functions_host.hosting import REPOSITORY

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def build_event(minute: int, status: str, duration_ms: float) -> tuple[str, Row]:
    return "customEvents", {
        "timestamp": NOON.replace(minute=minute).isoformat(),
        "name": "variant_completed",
        "customDimensions": {"status": status, "llmProvider": "stub"},
        "customMeasurements": {"duration_ms": duration_ms},
        "itemCount": 2,
    }


EVENTS = [
    build_event(minute, "failed" if minute == 3 else "success", 1000.0 * minute)
    for minute in range(10)
]
CALLS = [
    ("requests", {"timestamp": NOON.isoformat(), "success": success, "itemCount": 3})
    for success in ("True", "False")
]


@pytest.fixture(scope="module")
def kusto() -> Kusto:
    collected = Collected()
    collected.add(EVENTS + CALLS)
    return Kusto(collected.all_rows())


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("customEvents | summarize sum(itemCount)", [(20,)]),
        (
            "customEvents | where timestamp > ago(5m) | summarize count() by name",
            [("variant_completed", 4)],
        ),
        (
            "customEvents | summarize percentile(todouble(customMeasurements.duration_ms), 95)",
            [(9000.0,)],
        ),
        ("customEvents | summarize by tostring(customDimensions.llmProvider)", [("stub",)]),
        ("requests | summarize bad = sumif(itemCount, success == false)", [(3,)]),
        ("requests | where success == 'False' | count", [(1,)]),
    ],
)
def test_queries_find_what_was_collected(
    kusto: Kusto, query: str, rows: list[tuple[object, ...]]
) -> None:
    now = NOON.replace(minute=10, second=30)
    assert list(kusto.query(query, now=now).rows) == rows


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("CustomEvents | count", "no table 'CustomEvents': names are exact. Meant: 'customEvents'"),
        ("requests | union Requests | count", "Requests"),
        ("let x = toscalar(REQUESTS | count); requests | extend x", "REQUESTS"),
        ("nothing | count", "nothing"),
        ("customEvents | where nosuch == 1", "nosuch"),
        ("customEvents | wher name == 'x'", "could not parse KQL at 1:13"),
        ("requests | summarize errors = count(), rate = errors * 2", "errors"),
    ],
)
def test_what_kusto_would_not_run_is_not_run(kusto: Kusto, query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        kusto.query(query)


def test_every_column_of_every_table_can_be_asked_for(kusto: Kusto) -> None:
    for table, columns in TABLES.items():
        assert kusto.query(f"{table} | project {', '.join(columns)}").columns == tuple(columns)


def test_the_command_queries_a_run_and_says_what_is_wrong(tmp_path: Path) -> None:
    Collected(tmp_path).add(EVENTS)
    (tmp_path / "q.kql").write_text(
        "customEvents | where timestamp > ago(2m) | project name, timestamp"
    )
    command = [sys.executable, "-m", "local", "kql", "--data", str(tmp_path)]
    now = ["--now", "2026-11-25T12:10:30Z"]
    asked = ["--file", str(tmp_path / "q.kql"), *now]
    done = subprocess.run(
        [*command, *asked, "--json"], cwd=REPOSITORY, capture_output=True, check=True
    )
    assert json.loads(done.stdout) == [
        {"name": "variant_completed", "timestamp": "2026-11-25T12:09:00+00:00"}
    ]
    wrong = subprocess.run(
        [*command, "customevents | count"], cwd=REPOSITORY, capture_output=True, check=False
    )
    assert wrong.returncode == 1
    assert b"names are exact" in wrong.stderr


def test_people_get_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Collected(tmp_path).add(EVENTS)
    parser = argparse.ArgumentParser()
    kql.add_arguments(parser)
    query = (
        "customEvents | summarize n = count() by status = tostring(customDimensions.status)"
        "| order by n"
    )
    assert kql.run(parser.parse_args([query, "--data", str(tmp_path)])) == 0
    assert capsys.readouterr().out.splitlines() == [
        "status   n",
        "-------  -",
        "success  9",
        "failed   1",
        "",
        "2 rows",
    ]
    assert kql.run(parser.parse_args([query, "--data", str(tmp_path / "none")])) == 1
    assert "nothing has been collected yet" in capsys.readouterr().err
