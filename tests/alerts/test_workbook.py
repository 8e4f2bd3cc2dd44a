"""The workbook: what it is made of, and whether what it shows can be drawn from data."""

import json

import pytest

from tests.alerts.conftest import OpenStory
from tests.alerts.evaluation import Telemetry
from tests.alerts.picture import draw_workbook
from tests.alerts.queries import WORKBOOK, list_tiles
from tests.alerts.rules import OBJECTIVES
from tests.alerts.tell_scenarios import NOW, list_stories
from tests.alerts.workbook import read_sections, write_workbook

SECTIONS = {
    "Objectives",
    "Jobs and variants",
    "Latency",
    "Failures",
    "Cost",
    "Azure DevOps",
    "Queue, circuits, canary",
}


@pytest.fixture(scope="module")
def heap(open_story: OpenStory) -> Telemetry:
    """The telemetry of all stories together."""
    merged: dict[str, list[dict[str, object]]] = {}
    for name in list_stories():
        for table, rows in open_story(name).rows.items():
            merged.setdefault(table, []).extend(rows)
    return Telemetry(merged, NOW)


def test_the_workbook_is_made_of_its_tiles() -> None:
    assert WORKBOOK.read_text(encoding="utf-8") == write_workbook(), (
        "run `python -m tests.alerts.workbook`"
    )
    assert {section["section"] for section in read_sections()} == SECTIONS
    names = [item["name"] for item in json.loads(write_workbook())["items"]]
    assert len(names) == len(set(names))


def test_every_tile_has_something_to_draw(heap: Telemetry) -> None:
    tiles = dict(list_tiles())
    assert len(tiles) == sum(len(section["tiles"]) for section in read_sections())
    assert [name for name, query in tiles.items() if not heap.ask(query)] == []


def test_the_page_shows_every_tile_and_the_budgets_that_are_spent(heap: Telemetry) -> None:
    page = draw_workbook(heap)
    assert "Nothing in this time." not in page
    assert page.count("<h3>") == len(dict(list_tiles()))
    assert page.count("class='number bad'") == len(OBJECTIVES["slos"])


def test_budgets_are_counted_as_the_objectives_say(open_story: OpenStory) -> None:
    query = dict(list_tiles())["objectives"]
    shown = {row["objective"]: row for row in open_story("recovered EndToEnd").ask(query)}
    kept = shown["EndToEnd"]
    assert (kept["bad"], kept["total"], kept["kept_percent"]) == (4, 8, 50)
    assert kept["budget_left_percent"] == pytest.approx(100 * (1 - 0.5 / 0.01))
    untouched = shown["StubLatency"]
    assert (untouched["total"], untouched["budget_left_percent"]) == (0, 100)
