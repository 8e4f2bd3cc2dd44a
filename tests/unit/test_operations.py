"""The map of the guide: every line is there once, and what it names exists."""

import re

from tests.local.functions_host.hosting import REPOSITORY

MAP = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
LINES = 85


def test_every_line_of_the_guide_stands_in_the_map_once() -> None:
    told: list[int] = []
    for cell in re.findall(r"^\| (S\d[^|]*) \|", MAP, re.MULTILINE):
        for first, last in re.findall(r"S(\d+)(?: to S(\d+))?", cell):
            told += range(int(first), int(last or first) + 1)
    assert sorted(told) == list(range(1, LINES + 1))


def test_every_file_that_the_map_names_exists() -> None:
    folders = r"shared|bicep|docs|ops|tests|local"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]+)`", MAP))
    named |= {f"docs/{name}" for name in re.findall(r"\]\(([\w-]+\.md)\)", MAP)}
    assert len(named) > 25
    assert [name for name in sorted(named) if not (REPOSITORY / name).exists()] == []


def test_every_objective_and_alert_that_the_map_names_exists() -> None:
    data = "".join(path.read_text("utf-8") for path in (REPOSITORY / "bicep/alerts").glob("*.yaml"))
    known = set(re.findall(r"name: (\w+)", data))
    named = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", MAP)) - {"DevOps", "OpenTelemetry"}
    assert len(named) > 15
    assert named - known - {"PagerDuty"} == set()
