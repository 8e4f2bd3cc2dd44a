from collections.abc import Callable, Iterator

import pytest

from tests.alerts.evaluation import Telemetry
from tests.alerts.tell_scenarios import NOW, play_all

OpenStory = Callable[[str], Telemetry]


@pytest.fixture(scope="session")
def open_story() -> Iterator[OpenStory]:
    """Open what arrived in a scenario, by its kind and rule."""
    told = play_all()
    opened: dict[str, Telemetry] = {}

    def open_one(name: str) -> Telemetry:
        if name not in opened:
            opened[name] = Telemetry(told[name], NOW)
        return opened[name]

    yield open_one
    for telemetry in opened.values():
        telemetry.close()
