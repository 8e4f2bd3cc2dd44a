import pytest

from shared.telemetry.measured import Measured
from shared.telemetry.metrics import VARIANT_DURATION


def test_a_metric_takes_its_own_dimensions_and_no_others() -> None:
    with pytest.raises(TypeError, match="variant_duration"):
        VARIANT_DURATION.record(1, status="success", jobId="edit-1")


def test_values_are_counted_by_size_with_the_objectives_as_bounds() -> None:
    measured = Measured()
    for value in (1.0, 89.9, 90.0, 90.1, 480.0, 481.0, 5000.0):
        measured.distribute("x", ("a",), value, (90.0, 480.0))
    ((labels, found),) = measured.distributions("x")
    assert (labels, found.counts) == (("a",), [3, 2, 2])
    assert found.total == pytest.approx(6232.0)
    assert {90, 240, 480} <= set(VARIANT_DURATION.buckets)
