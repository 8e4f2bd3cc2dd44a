"""Alerts and objectives as they are deployed, read from the same files as modules/alerts.bicep."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "bicep" / "alerts"
SCHEMA: Final[dict[str, Any]] = json.loads((FOLDER / "schema.json").read_text())
ALERTS: Final[list[dict[str, Any]]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["alerts"]
OBJECTIVES: Final[dict[str, Any]] = yaml.safe_load((FOLDER / "slos.yaml").read_text())
TEMPLATE: Final = (FOLDER / "burn_rate.kql").read_text()
_MINUTES: Final = {"M": 1, "H": 60, "D": 1440}


def count_minutes(duration: str) -> int:
    """Read `PT5M`, `PT1H`, `P2D`."""
    return int(re.sub(r"\D", "", duration)) * _MINUTES[duration[-1]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule on a query."""

    plain: dict[str, Any]
    """As in the file."""

    @property
    def name(self) -> str:
        """Of the alert."""
        return str(self.plain["name"])

    @property
    def query(self) -> str:
        """In Kusto."""
        return str(self.plain["query"])

    @property
    def window_min(self) -> int:
        """Minutes that the query sees."""
        return count_minutes(self.plain["window"])

    @property
    def column(self) -> str:
        """What is measured."""
        return str(self.plain["measure"]["column"])


def expand_burn_rates() -> list[dict[str, Any]]:
    """Make one alert of each objective and each pair of windows, as the module does."""
    return [
        {
            "name": f"{slo['name']}BurnRate{pair['name']}",
            "severity": pair["severity"],
            "query": _fill(slo, pair),
            "window": pair["window"],
            "frequency": pair["frequency"],
            "measure": {"aggregation": "Maximum", "column": "breach"},
            "operator": "GreaterThan",
            "threshold": 0,
            "failing_periods": {"of": 1, "min": 1},
            "auto_resolve": True,
            "action_group": pair["action_group"],
            "why": f"{slo['why']} {pair['why']}",
            "first_action": slo["first_action"],
            "runbook": slo["runbook"],
            "sources": slo["sources"],
        }
        for slo in OBJECTIVES["slos"]
        for pair in OBJECTIVES["windows"]
    ]


def _fill(slo: dict[str, Any], pair: dict[str, Any]) -> str:
    values = {
        "events": slo["events"].strip(),
        "budget": slo["budget"],
        "factor": pair["factor"],
        "short": pair["short"],
        "minimum": str(slo["minimum_events"]),
    }
    text = TEMPLATE
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


QUERY_RULES: Final = tuple(Rule(each) for each in ALERTS if each["kind"] != "metric")
METRIC_ALERTS: Final = tuple(each for each in ALERTS if each["kind"] == "metric")
BURN_RATES: Final = tuple(Rule(each) for each in expand_burn_rates())
RULES: Final = (*QUERY_RULES, *BURN_RATES)
"""Everything that is deployed as a query."""
