"""Rules and dashboard for Prometheus: they ask for what there is, and alerts fire when due."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from shared.telemetry.metrics import METRICS, Kind, Metric
from tests.local.functions_host.hosting import REPOSITORY

FOLDER = REPOSITORY / "ops" / "prometheus"
PROMTOOL = shutil.which("promtool")
ENDINGS = {
    Kind.COUNTER: ("_total",),
    Kind.GAUGE: ("",),
    Kind.HISTOGRAM: ("_bucket", "_count", "_sum"),
}
_SELECTOR = re.compile(r"(code_agent_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


def list_series() -> dict[str, Metric]:
    return {f"{metric.exposed}{end}": metric for metric in METRICS for end in ENDINGS[metric.kind]}


def list_queries() -> Iterator[str]:
    rules = (FOLDER / "rules.yaml").read_text("utf-8")
    for block in rules.split("- alert:")[1:]:
        yield block.partition("expr:")[2].partition("labels: {severity")[0]
    dashboard = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_every_query_asks_for_series_and_labels_that_there_are() -> None:
    series = list_series()
    asked: set[str] = set()
    for query in list_queries():
        for name, selected in _SELECTOR.findall(query):
            assert name in series, query
            labels = set(_LABEL.findall(selected))
            assert labels <= {*series[name].labels, "le", "instance", "job"}, query
            asked.add(name)
        grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", query)
        known = {label for name, _ in _SELECTOR.findall(query) for label in series[name].labels}
        for labels in grouped:
            assert {label.strip() for label in labels.split(",")} <= {*known, "le"}, query
    assert len(asked) > 15


def test_the_dashboard_has_a_place_for_each_panel() -> None:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)


@pytest.mark.skipif(
    PROMTOOL is None, reason="no promtool here; on Debian: apt-get install prometheus"
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "rules.yaml"),
        ("test", "rules", "rules_test.yaml"),
        ("check", "config", "--syntax-only", "scrape.yaml"),
    ],
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def test_every_alert_is_tested_in_its_fault_and_in_health() -> None:
    names = re.findall(r"- alert: (\w+)", (FOLDER / "rules.yaml").read_text("utf-8"))
    tests = (FOLDER / "rules_test.yaml").read_text("utf-8")
    fired = set(re.findall(r"alertname: (\w+), exp_alerts", tests))
    silent = set(re.findall(r"alertname: (\w+)\}", tests))
    assert names
    assert fired == silent == set(names)
