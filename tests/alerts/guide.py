"""The Operations Guide's own queries, unchanged, and stories that show what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.telemetry import metrics
from tests.alerts.scenarios import Scenario, tell_beats, tell_variant
from tests.alerts.teller import Teller


@dataclass(frozen=True, slots=True)
class GuideQuery:
    """A query of the guide."""

    name: str
    query: str
    should: str
    """Story in which it should answer a row."""
    should_not: str
    """Story in which it should answer none; empty: it is no alert."""
    remark: str
    instead: str
    """What took its place."""


def _tell_five_variants_of_100_s(tell: Teller) -> None:
    for _ in range(5):
        tell_variant(tell, took_s=100)
        metrics.VARIANT_DURATION.record(
            100_000, status="success", llmProvider="anthropic", variant=1
        )


def _tell_five_failures(tell: Teller) -> None:
    for _ in range(5):
        tell.failure("ado.unavailable", "retry", ago_min=4)


def _tell_variants_of_9_minutes(tell: Teller) -> None:
    metrics.VARIANT_DURATION.record(540_000, status="timeout", llmProvider="none", variant=1)
    tell_variant(tell, "timeout", "retry", took_s=540, provider="none")


def _tell_silence_after_web_tests(tell: Teller) -> None:
    tell_beats(tell, 20, since_min=12)
    for minute in range(12, 40, 5):
        tell.web_test(passed=True, ago_min=minute)


def _tell_passing_web_tests(tell: Teller) -> None:
    for minute in range(0, 10, 5):
        tell.web_test(passed=True, ago_min=minute)


def _tell_a_full_queue(tell: Teller) -> None:
    for depth in (12, 14, 13):
        tell.metric(metrics.QUEUE_DEPTH, depth)


def _tell_an_empty_queue(tell: Teller) -> None:
    tell.metric(metrics.QUEUE_DEPTH, 0)


STORIES: Final[Mapping[str, Scenario]] = {
    "five variants of 100 s": _tell_five_variants_of_100_s,
    "five failures": _tell_five_failures,
    "a variant of 9 minutes": _tell_variants_of_9_minutes,
    "silence after web tests": _tell_silence_after_web_tests,
    "web tests that pass": _tell_passing_web_tests,
    "a full queue": _tell_a_full_queue,
    "an empty queue": _tell_an_empty_queue,
}
"""What only the guide's queries need; the others are those of the alerts."""

GUIDE: Final = (
    GuideQuery(
        "SLO: Variant success rate",
        """customEvents
| where name == "variant_completed"
| where timestamp > ago(24h)
| summarize
    Total = count(),
    Successful = countif(customDimensions.status == "success"),
    SuccessRate = round(100.0 * countif(customDimensions.status == "success") / count(), 2)""",
        "burns VariantSuccess",
        "",
        "Counts what users broke and what they cancelled as failures, and two variants that are "
        "alike as a failure too; NaN without variants.",
        "objective VariantSuccess",
    ),
    GuideQuery(
        "P95 Duration by LLM Provider",
        """customMetrics
| where name == "variant_duration"
| where timestamp > ago(24h)
| summarize percentile(value, 95) by tostring(customDimensions.llmProvider)""",
        "guide five variants of 100 s",
        "",
        "A row is the sum of a minute: it says 500 s of five variants that took 100 s each.",
        "objectives StubLatency, ModelLatency; the workbook's latency by provider",
    ),
    GuideQuery(
        "Error rate by component",
        """exceptions
| where timestamp > ago(1h)
| summarize count() by tostring(customDimensions.component)
| order by count_ desc""",
        "guide five failures",
        "",
        "Runs. It is a count and no rate, and leaves sampling out.",
        "the workbook's failures by component",
    ),
    GuideQuery(
        "High Error Rate",
        """exceptions
| where timestamp > ago(5m)
| summarize
    errors = count(),
    total = (errors + toscalar(requests | where timestamp > ago(5m) | count))
| extend error_rate = 100.0 * errors / total
| where error_rate > 5.0""",
        "fires HighErrorRate",
        "silent HighErrorRate",
        "`errors` is used in the clause that makes it. Exceptions are no part of requests either.",
        "HighErrorRate",
    ),
    GuideQuery(
        "Service Down",
        """availabilityResults
| where timestamp > ago(2m)
| summarize latest = max(timestamp) by name
| where latest < ago(2m)""",
        "guide silence after web tests",
        "guide web tests that pass",
        "Keeps what is younger than 2 minutes, then asks for what is older; `latest` would have to "
        "be written `['latest']` besides.",
        "ServiceDown, and the web test's NotReady",
    ),
    GuideQuery(
        "High Latency",
        """customMetrics
| where name == "variant_duration"
| where timestamp > ago(10m)
| summarize p95 = percentile(value, 95)
| where p95 > 480000  // 8 minutes in ms""",
        "guide a variant of 9 minutes",
        "guide five variants of 100 s",
        "Five variants of 100 s within a minute are one row of 500 s.",
        "HighLatency, VariantTimeouts",
    ),
    GuideQuery(
        "Circuit Breaker Open",
        """customEvents
| where name == "circuit_breaker_state_change"
| where customDimensions.newState == "open"
| where timestamp > ago(5m)""",
        "fires CircuitBreakerOpen",
        "silent CircuitBreakerOpen",
        "Sees the moment of opening only: a circuit that opened half an hour ago and is still open "
        "counts as resolved.",
        "CircuitBreakerOpen",
    ),
    GuideQuery(
        "Queue Backlog",
        """customMetrics
| where name == "orchestrator_queue_depth"
| where timestamp > ago(5m)
| summarize avg(value)
| where avg_value > 10""",
        "guide a full queue",
        "guide an empty queue",
        "Runs while there are rows. A gauge is sent again every minute by each instance that ever "
        "told it, however old; and without rows the average is NaN.",
        "QueueBacklog, on heartbeats",
    ),
    GuideQuery(
        "Rate Limit Warning",
        """customEvents
| where name == "ado_rate_limited"
| where timestamp > ago(5m)
| summarize count()
| where count_ > 10""",
        "fires RateLimitWarning",
        "silent RateLimitWarning",
        "Counts 5 minutes and calls it a minute: 3 a minute are enough.",
        "RateLimitWarning",
    ),
    GuideQuery(
        "Suspicious activity",
        """customEvents
| where name in ("authentication_failed", "invalid_signature", "rate_limit_exceeded")
| where timestamp > ago(1h)
| summarize count() by tostring(customDimensions.source_ip)
| where count_ > 10""",
        "fires SuspiciousActivity",
        "silent SuspiciousActivity",
        "An event stands for several failures once somebody is slowed down, and a limit is a "
        "person's, not an address's: twelve people who met one each look like one address.",
        "SuspiciousActivity",
    ),
)
