"""The simulated way of a job against the recorded histories of real ones."""

from collections import Counter

import pytest

from local.functions_host.history import EventType
from ops.capacity.calibration import read_calibration
from ops.capacity.document import SIZES
from ops.capacity.flow import DEMANDS, count_ado_calls, count_entity_calls, list_steps
from ops.capacity.scenario import BUSY_HOUR, ROOT
from shared.domain.names import ActivityName
from tests.histories.golden import FOLDER, Recording, load_recordings

NAMES = {1: "one_variant", 3: "three_variants"}


def find_recordings(variants: int) -> list[Recording]:
    """Find the orchestrations of a job that succeeded at once."""
    return [one for one in load_recordings(FOLDER / "1.0") if one.shape == NAMES[variants]]


@pytest.mark.parametrize("variants", NAMES)
def test_simulated_steps_are_those_of_the_orchestrators(variants: int) -> None:
    events = [event for one in find_recordings(variants) for event in one.history]
    steps = Counter(e["Name"] for e in events if e["EventType"] == EventType.TASK_SCHEDULED)
    # these were recorded with the stub, for which nothing is surveyed and no circuit is asked
    expected = Counter(map(str, list_steps(variants)))
    del expected[ActivityName.WARM_PROMPT]
    assert steps == expected
    sent = [event for event in events if event["EventType"] == EventType.EVENT_SENT]
    circuits = 1 + (variants > 1) + variants
    assert len(sent) == count_entity_calls(variants) - circuits


@pytest.mark.parametrize("variants", [1, 3, 10])
def test_calls_to_azure_devops_are_as_measured(variants: int) -> None:
    assert count_ado_calls(variants) == 12 + 3 * variants


def test_document_is_of_this_calibration() -> None:
    text = (ROOT / "docs" / "capacity.md").read_text("utf-8")
    assert read_calibration().measured_on in text
    assert all(text.count(f"\n| {size:,.0f} | {size / BUSY_HOUR:,.0f} |") == 3 for size in SIZES)


def test_every_step_has_been_measured() -> None:
    assert set(read_calibration().steps) == set(DEMANDS)
