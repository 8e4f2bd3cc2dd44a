from shared.telemetry.catalogue import write_catalogue
from shared.telemetry.events import EVENTS
from shared.telemetry.metrics import METRICS
from tests.local.functions_host.hosting import REPOSITORY

OF_THE_GUIDE = {
    "job_completed",
    "variant_completed",
    "circuit_breaker_state_change",
    "ado_rate_limited",
    "authentication_failed",
    "invalid_signature",
    "rate_limit_exceeded",
}


def test_the_document_says_what_the_types_say() -> None:
    """When it does not: `python -m shared.telemetry.catalogue`."""
    written = (REPOSITORY / "docs" / "telemetry.md").read_text("utf-8")
    assert written == write_catalogue()


def test_names_are_the_guides_and_unique() -> None:
    names = [event.name for event in EVENTS]
    assert set(names) >= OF_THE_GUIDE
    assert len(names) == len(set(names))
    assert {"variant_duration", "orchestrator_queue_depth"} <= {metric.name for metric in METRICS}
    assert len({metric.exposed for metric in METRICS}) == len(METRICS)


def test_no_metric_has_a_dimension_without_bounds() -> None:
    unbounded = {"jobId", "correlationId", "actor", "source_ip", "subscription"}
    assert [metric.name for metric in METRICS if unbounded & set(metric.dimensions)] == []
