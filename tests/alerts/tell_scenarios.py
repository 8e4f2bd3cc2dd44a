"""Run as a program: plays every scenario through the real exporter, and writes what arrived.

Standard output is JSON: {"fires HighErrorRate": {table: rows}, …}. Instants are moved so that the
end of each scenario is `NOW`, whatever day it is.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.app_insights.running import run_in_thread
from shared.telemetry.exporting import start_exporting
from tests.alerts.guide import STORIES as GUIDE_STORIES
from tests.alerts.objectives import BURNS, RECOVERED
from tests.alerts.rules import ROOT
from tests.alerts.scenarios import FIRES, STAYS_SILENT, Scenario
from tests.alerts.teller import Teller

NOW: Final = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""A Wednesday at noon."""
_STORIES: Final[Mapping[str, Mapping[str, Scenario]]] = {
    "fires": FIRES,
    "silent": STAYS_SILENT,
    "burns": BURNS,
    "recovered": RECOVERED,
    "guide": GUIDE_STORIES,
}


def list_stories() -> dict[str, Scenario]:
    """List all scenarios, as `kind rule`."""
    return {
        f"{kind} {name}": scenario
        for kind, scenarios in _STORIES.items()
        for name, scenario in scenarios.items()
    }


def move_to_now(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Move rows in time, so that this moment becomes `NOW`."""
    shift = NOW - datetime.now(UTC) - timedelta(milliseconds=1)
    for row in (row for told in rows.values() for row in told):
        row["timestamp"] = (datetime.fromisoformat(row["timestamp"]) + shift).isoformat()
    return rows


def play_all() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Play all scenarios in a process of their own: an exporter is set up once and for all."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.alerts.tell_scenarios"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    told: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(done.stdout)
    return told


def main() -> None:
    """Play all scenarios."""
    told = {}
    with run_in_thread() as insights, tempfile.TemporaryDirectory() as folder:
        os.environ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = insights.connection_string
        os.environ["CODE_AGENT_DATA_DIR"] = folder
        if not start_exporting():
            raise SystemExit("nothing is exported")
        tell = Teller()
        for name, play in list_stories().items():
            play(tell)
            tell.flush()
            told[name] = move_to_now(insights.collected.all_rows())
            insights.collected.clear()
        json.dump(told, sys.stdout)
        sys.stdout.flush()
        os._exit(0)  # the exporter's threads have nothing left to say


if __name__ == "__main__":
    main()
