"""For each objective, what keeps it and what breaks it; and the scenarios made of them."""

from collections.abc import Callable, Mapping
from typing import Final

from shared.telemetry import metrics
from shared.telemetry.events import AdoRateLimited
from tests.alerts.rules import OBJECTIVES
from tests.alerts.scenarios import Scenario, tell_canary, tell_job, tell_variant
from tests.alerts.teller import Teller

Tell = Callable[[Teller, float], None]
"""Tells of one event, minutes before now."""


def _limit(tell: Teller, ago_min: float) -> None:
    tell.event(AdoRateLimited(operation="push", status_code=200, retry_after_s=2), ago_min=ago_min)


def _call(_: Teller, __: float) -> None:
    metrics.ADO_CALLS.record(80, operation="push", status_code=200)


def _refuse(tell: Teller, ago_min: float) -> None:
    tell.request(500, ago_min=ago_min)
    tell.web_test(passed=False, ago_min=ago_min)


def _serve(tell: Teller, ago_min: float) -> None:
    tell.request(202, ago_min=ago_min)
    tell.web_test(passed=True, ago_min=ago_min)


_KEEP_BREAK: Final[Mapping[str, tuple[Tell, Tell]]] = {
    "GatewayAvailability": (_serve, _refuse),
    "OrchestratorAvailability": (
        lambda tell, ago: tell_job(tell, ago_min=ago),
        lambda tell, ago: tell_job(tell, "failed", "bug", ago_min=ago),
    ),
    "EndToEnd": (
        lambda tell, ago: tell_canary(tell, ago_min=ago),
        lambda tell, ago: tell_canary(tell, "failed", ago_min=ago),
    ),
    "StubLatency": (
        lambda tell, ago: tell_variant(tell, provider="stub", took_s=80, ago_min=ago),
        lambda tell, ago: tell_variant(tell, provider="stub", took_s=100, ago_min=ago),
    ),
    "ModelLatency": (
        lambda tell, ago: tell_variant(tell, took_s=230, ago_min=ago),
        lambda tell, ago: tell_variant(
            tell, "timeout", "retry", took_s=480, provider="none", ago_min=ago
        ),
    ),
    "VariantDeadline": (
        lambda tell, ago: tell_variant(tell, took_s=470, ago_min=ago),
        lambda tell, ago: tell_variant(tell, "timeout", "retry", took_s=480, ago_min=ago),
    ),
    "GatewayLatency": (
        lambda tell, ago: tell.request(took_ms=450, ago_min=ago),
        lambda tell, ago: tell.request(took_ms=550, ago_min=ago),
    ),
    "VariantSuccess": (
        lambda tell, ago: tell_variant(tell, "duplicate", ago_min=ago),
        lambda tell, ago: tell_variant(tell, "failed", "retry", ago_min=ago),
    ),
    "SystemErrors": (
        lambda tell, ago: tell_variant(tell, "failed", "user", ago_min=ago),
        lambda tell, ago: tell_variant(tell, "failed", "bug", ago_min=ago),
    ),
    "AdoRateLimited": (_call, _limit),
}


def _burn(name: str, minimum: int) -> Scenario:
    keep, break_ = _KEEP_BREAK[name]

    def tell_what_breaks_it(tell: Teller) -> None:
        for _ in range(minimum):
            break_(tell, 3)
        if name == "AdoRateLimited":  # what is limited is a call too
            for _ in range(minimum):
                keep(tell, 0)

    return tell_what_breaks_it


def _recover(name: str, minimum: int) -> Scenario:
    keep, break_ = _KEEP_BREAK[name]

    def tell_what_broke_it_hours_ago(tell: Teller) -> None:
        for _ in range(minimum):
            break_(tell, 180)
        for _ in range(minimum):
            keep(tell, 2)

    return tell_what_broke_it_hours_ago


BURNS: Final[Mapping[str, Scenario]] = {
    slo["name"]: _burn(slo["name"], slo["minimum_events"]) for slo in OBJECTIVES["slos"]
}
"""As many as are needed to say anything, all bad, three minutes ago."""
RECOVERED: Final[Mapping[str, Scenario]] = {
    slo["name"]: _recover(slo["name"], slo["minimum_events"]) for slo in OBJECTIVES["slos"]
}
"""As many, three hours ago, and as many good ones since: no short window burns."""
