import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.alerts.evaluation import Telemetry
from tests.alerts.rules import ROOT
from tests.alerts.tell_scenarios import NOW

OpenStory = Callable[[str], Telemetry]


@pytest.fixture(scope="session")
def open_story() -> Iterator[OpenStory]:
    """Open what arrived in a scenario, by its kind and rule."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.alerts.tell_scenarios"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    told = json.loads(done.stdout)
    opened: list[Telemetry] = []

    def open_one(name: str) -> Telemetry:
        opened.append(Telemetry(told[name], NOW))
        return opened[-1]

    yield open_one
    for telemetry in opened:
        telemetry.close()
