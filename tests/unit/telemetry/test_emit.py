import dataclasses
import json
import logging

import pytest

from shared.telemetry.emit import emit
from shared.telemetry.events import AdoRateLimited, VariantCompleted

EVENT = VariantCompleted(
    jobId="edit-1",
    correlationId="c",
    variant=1,
    status="success",
    verdict="none",
    llmProvider="anthropic",
    llm_model="claude-sonnet-5",
    duration_ms=1500.5,
    tokens_in=1000,
    tokens_cached=600,
    tokens_out=100,
    cost_usd=0.0015,
    cache="miss",
    repair_rounds=1,
)


def test_numbers_to_aggregate_are_measurements_and_the_rest_is_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="code_agent")
    emit(EVENT)
    fields = vars(caplog.records[0])
    assert fields["microsoft.custom_event.name"] == "variant_completed"
    assert json.loads(fields["microsoft.custom_measurements"]) == {
        "duration_ms": 1500.5,
        "tokens_in": 1000,
        "tokens_cached": 600,
        "tokens_out": 100,
        "cost_usd": 0.0015,
        "repair_rounds": 1,
    }
    assert (fields["variant"], fields["llm_model"]) == ("1", "claude-sonnet-5")


def test_a_measurement_that_was_not_taken_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="code_agent")
    emit(AdoRateLimited(operation="o", status_code=429, retry_after_s=0))
    emit(dataclasses.replace(EVENT, cost_usd=None, tokens_in=0))
    taken = [json.loads(vars(event)["microsoft.custom_measurements"]) for event in caplog.records]
    assert taken[0] == {"retry_after_s": 0}
    assert "cost_usd" not in taken[1]
    assert taken[1]["tokens_in"] == 0
