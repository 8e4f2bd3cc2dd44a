"""Each rule fires on what it is for, and stays silent on what merely looks like it."""

from datetime import timedelta

import pytest

from tests.alerts.conftest import OpenStory
from tests.alerts.evaluation import Telemetry
from tests.alerts.objectives import BURNS
from tests.alerts.rules import BURN_RATES, OBJECTIVES, QUERY_RULES, RULES, count_minutes
from tests.alerts.scenarios import FIRES, STAYS_SILENT
from tests.alerts.tell_scenarios import NOW

BY_NAME = {rule.name: rule for rule in RULES}
NOTHING = Telemetry({}, NOW)
ABSENCE = {"ServiceDown", "NoCommands", "BackupOverdue"}
"""Fire on silence."""


def test_every_rule_has_a_scenario_that_fires_it() -> None:
    assert FIRES.keys() == {rule.name for rule in QUERY_RULES}
    assert BURNS.keys() == {slo["name"] for slo in OBJECTIVES["slos"]}


@pytest.mark.parametrize("name", FIRES)
def test_an_alert_fires_in_its_story(open_story: OpenStory, name: str) -> None:
    verdict = open_story(f"fires {name}").judge(BY_NAME[name])
    assert verdict.fires, verdict


@pytest.mark.parametrize("name", STAYS_SILENT)
def test_an_alert_stays_silent_in_a_near_miss(open_story: OpenStory, name: str) -> None:
    verdict = open_story(f"silent {name}").judge(BY_NAME[name])
    assert not verdict.fires, verdict
    assert verdict.values, "it saw nothing at all"


@pytest.mark.parametrize("name", BURNS)
def test_a_burning_budget_fires_at_every_speed_and_a_recovered_one_at_none(
    open_story: OpenStory, name: str
) -> None:
    burning, recovered = open_story(f"burns {name}"), open_story(f"recovered {name}")
    for speed in ("Fast", "Medium", "Slow"):
        rule = BY_NAME[f"{name}BurnRate{speed}"]
        assert burning.judge(rule).fires, speed
        assert recovered.judge(rule).values == (0,), speed


def test_no_telemetry_at_all_alerts_of_absence_only() -> None:
    assert {rule.name for rule in RULES if NOTHING.judge(rule).fires} == ABSENCE


def test_sampled_records_weigh_as_much_as_all_of_them(open_story: OpenStory) -> None:
    """A fifth of the requests, each standing for five, is the same to every rule on requests."""
    rule = BY_NAME["HighErrorRate"]
    full = open_story("fires HighErrorRate")
    failed = [row for row in full.rows["requests"] if row["success"] == "False"]
    served = [row for row in full.rows["requests"] if row["success"] == "True"]
    assert (len(failed), len(served)) == (5, 20)
    sampled = Telemetry(
        {"requests": [{**row, "itemCount": 5} for row in (*failed[:1], *served[:4])]}, NOW
    )
    assert sampled.judge(rule).values == full.judge(rule).values == (20.0,)


def test_nobody_is_alerted_of_a_quiet_weekend() -> None:
    rule = BY_NAME["NoCommands"]
    for days, fires in ((-1, True), (-2, False), (-3, False), (2, True), (3, False)):
        assert Telemetry({}, NOW + timedelta(days=days)).judge(rule).fires is fires, days


def test_the_three_speeds_are_those_of_the_workbook_as_far_as_a_rule_looks_back() -> None:
    """Source: https://sre.google/workbook/alerting-on-slos/, table 5-8; two days are the limit."""
    pairs = [(pair["factor"], pair["window"], pair["short"]) for pair in OBJECTIVES["windows"]]
    assert pairs == [("14.4", "PT1H", "5m"), ("6", "PT6H", "30m"), ("3", "P1D", "2h")]
    assert len(BURN_RATES) == 3 * len(OBJECTIVES["slos"])
    spent = {
        pair["name"]: float(pair["factor"]) * count_minutes(pair["window"]) / (30 * 1440)
        for pair in OBJECTIVES["windows"]
    }
    assert spent == pytest.approx({"Fast": 0.02, "Medium": 0.05, "Slow": 0.1})
