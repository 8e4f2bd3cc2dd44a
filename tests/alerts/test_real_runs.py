"""The rules on what the app itself told, on its host, through the real exporter."""

from pathlib import Path

import pytest

from tests.alerts.evaluation import Telemetry
from tests.alerts.real_runs import run_badly, run_well
from tests.alerts.rules import RULES
from tests.alerts.scenarios import FIRES_FOR_REAL


@pytest.fixture(scope="module")
def well(seeded_organisation: Path, tmp_path_factory: pytest.TempPathFactory) -> Telemetry:
    return run_well(seeded_organisation, tmp_path_factory.mktemp("well"))


@pytest.fixture(scope="module")
def badly(seeded_organisation: Path, tmp_path_factory: pytest.TempPathFactory) -> Telemetry:
    return run_badly(seeded_organisation, tmp_path_factory.mktemp("badly"))


def test_no_rule_fires_while_all_is_well(well: Telemetry) -> None:
    assert len(well.rows["requests"]) >= 4
    assert {row["name"] for row in well.rows["customEvents"]} >= {
        "backup_completed",
        "command_judged",
        "heartbeat",
        "hook_health",
        "job_completed",
        "retention_completed",
        "variant_completed",
    }
    enabled = [rule for rule in RULES if rule.plain.get("enabled", True)]
    assert [rule.name for rule in enabled if well.judge(rule).fires] == []


def test_what_the_bad_run_is_made_for_fires(badly: Telemetry) -> None:
    asked = FIRES_FOR_REAL | {"HighErrorRate", "NoCommands", "RecordsUnavailable", "ServiceDown"}
    judged = {rule.name: badly.judge(rule) for rule in RULES if rule.name in asked}
    assert {name for name, verdict in judged.items() if verdict.fires} == FIRES_FOR_REAL, judged
