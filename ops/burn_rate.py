"""The command line of a watch after a deployment: would an objective's fast alert fire?

The questions are those of the alerts (`bicep/alerts/slos.yaml`), asked of the telemetry since the
watch began. An objective with too few events says nothing: the smoke test is what makes some.

Exit codes: 0 no objective burns, 1 telemetry could not be asked, 2 wrong usage or settings,
3 an objective burns: go back.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ops.arguments import read_app_url, read_duration, read_positive
from ops.insights import API, Insights, InsightsError

ALERTS: Final = Path(__file__).resolve().parents[1] / "bicep" / "alerts"
PAIR: Final = "Fast"
"""The pair of windows that is asked for."""


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective and the query that answers whether it burns (`breach`: 0 or 1)."""

    name: str
    query: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "app_id", metavar="APP_ID", help="application id of the Application Insights component"
    )
    parser.add_argument(
        "--watch-minutes", type=read_duration, default=0, help="go on (%(default)s)"
    )
    parser.add_argument(
        "--back-minutes", type=read_duration, default=5, help="before the watch, too (%(default)s)"
    )
    parser.add_argument(
        "--every-s", type=read_positive, default=60, help="between two looks (%(default)s)"
    )
    parser.add_argument(
        "--objective", action="append", default=[], help="only this one (all of slos.yaml)"
    )
    parser.add_argument(
        "--minimum-events", type=int, help="events below which nothing is said (as the alerts)"
    )
    parser.add_argument(
        "--api", type=read_app_url, default=API, help="address of the query API (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Watch; answers the exit code."""
    burning: list[str] = []
    objectives = load_objectives(args.minimum_events)
    chosen = [one for one in objectives if not args.objective or one.name in args.objective]
    unknown = set(args.objective) - {one.name for one in objectives}
    if unknown:
        outcome, code = f"There is no objective {', '.join(sorted(unknown))}.", 2
    else:
        try:
            burning = _watch(Insights(args.app_id, args.api), chosen, args)
            outcome, code = ("burning", 3) if burning else ("good", 0)
        except InsightsError as error:
            outcome, code = str(error), 1
    if args.json:
        told = {"outcome": outcome, "burning": burning, "asked": [one.name for one in chosen]}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stderr.write(f"{outcome}\n")
    return code


def load_objectives(minimum_events: int | None = None) -> list[Objective]:
    """Load the objectives with the query of their fast alert, as the templates deploy it."""
    import yaml

    plain: dict[str, Any] = yaml.safe_load((ALERTS / "slos.yaml").read_text("utf-8"))
    text = (ALERTS / "burn_rate.kql").read_text("utf-8")
    pair = next(one for one in plain["windows"] if one["name"] == PAIR)
    return [Objective(slo["name"], _fill(text, slo, pair, minimum_events)) for slo in plain["slos"]]


def _fill(text: str, slo: dict[str, Any], pair: dict[str, Any], minimum: int | None) -> str:
    values = {
        "{events}": slo["events"].strip(),
        "{budget}": slo["budget"],
        "{factor}": pair["factor"],
        "{short}": pair["short"],
        "{minimum}": str(slo["minimum_events"] if minimum is None else minimum),
    }
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _watch(insights: Insights, objectives: list[Objective], args: argparse.Namespace) -> list[str]:
    since = datetime.now(UTC) - timedelta(minutes=args.back_minutes)
    until = time.monotonic() + 60 * args.watch_minutes
    while True:
        burning = [
            one.name
            for one in objectives
            if any(row.get("breach") for row in insights.query(one.query, since))
        ]
        left_s = until - time.monotonic()
        sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} burning: {', '.join(burning) or 'none'}\n")
        if burning or left_s <= 0:
            return burning
        time.sleep(min(args.every_s, left_s))
