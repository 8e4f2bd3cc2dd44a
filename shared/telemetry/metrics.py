"""Every metric of the app: one each, with the guide's names in Application Insights and Prometheus.

A value goes two ways: to OpenTelemetry, which exports it where a connection string is set, and into
what Prometheus scrapes. Dimensions are closed enums and names of models: never ids of jobs, as each
combination is a series of its own.

A histogram arrives in `customMetrics` as a sum, a count and two extremes of a minute: percentiles
are found in the measurements of events instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from shared.telemetry.measured import MEASURED

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

_LABELS: Final[Mapping[str, str]] = {"llmProvider": "llm_provider", "variant": "variant_number"}
"""What the guide calls a dimension in Prometheus, where it is not the same."""
_LONGEST: Final = 100


class Kind(StrEnum):
    """What becomes of a metric's values."""

    COUNTER = "counter"
    """They are added up."""
    GAUGE = "gauge"
    """The latest counts."""
    HISTOGRAM = "histogram"
    """They are counted by size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Something that is measured."""

    name: str
    """In `customMetrics`."""
    kind: Kind
    unit: str
    meaning: str
    sent: str
    """When it is sent."""
    exposed: str
    """In Prometheus, without the endings that the format adds."""
    dimensions: tuple[str, ...] = ()
    divisor: float = 1.0
    """What a value is divided by for Prometheus, whose unit of time is the second."""
    buckets: tuple[float, ...] = ()
    """Bounds of a histogram, in the unit of Prometheus."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The dimensions as Prometheus knows them."""
        return tuple(_LABELS.get(name, name) for name in self.dimensions)

    def record(self, value: float, **dimensions: str | int) -> None:
        """Record one value; safe from every thread.

        Raises:
            TypeError: the dimensions are not this metric's.
        """
        if set(dimensions) != set(self.dimensions):
            raise TypeError(f"{self.name} has the dimensions {self.dimensions}")
        told = {name: str(dimensions[name])[:_LONGEST] for name in self.dimensions}
        labels = tuple(told.values())
        if self.kind is Kind.HISTOGRAM:
            MEASURED.distribute(self.name, labels, value / self.divisor, self.buckets)
            _instrument(self).record(value, told)
        elif self.kind is Kind.COUNTER:
            MEASURED.count(self.name, labels, value / self.divisor)
            _instrument(self).add(value, told)
        else:
            MEASURED.put(self.name, labels, value / self.divisor)
            _instrument(self).set(value, told)


@cache
def _meter() -> "Meter":
    from opentelemetry.metrics import get_meter

    return get_meter("code_agent")


@cache
def _instrument(metric: Metric) -> Any:
    """Make the instrument of a metric; without an exporter it does nothing."""
    make = {
        Kind.COUNTER: _meter().create_counter,
        Kind.GAUGE: _meter().create_gauge,
        Kind.HISTOGRAM: _meter().create_histogram,
    }[metric.kind]
    return make(metric.name, unit=metric.unit, description=metric.meaning)


JOB_SECONDS: Final = (1, 5, 15, 30, 60, 90, 120, 180, 240, 300, 480, 600, 900)
"""The guide's, and those that its objectives ask about: 90, 240 and 480 s."""
CALL_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

VARIANT_DURATION: Final = Metric(
    name="variant_duration",
    kind=Kind.HISTOGRAM,
    unit="ms",
    meaning="From the start of a variant to its end, also of one that failed or ran out of time.",
    sent="once for each variant, when its job ends",
    exposed="code_agent_variant_duration_seconds",
    dimensions=("status", "llmProvider", "variant"),
    divisor=1000,
    buckets=JOB_SECONDS,
)
VARIANTS: Final = Metric(
    name="variants",
    kind=Kind.COUNTER,
    unit="{variant}",
    meaning="Variants that have ended, by whose it is that there is no result (`verdict`).",
    sent="once for each variant, when its job ends",
    exposed="code_agent_variants",
    dimensions=("status", "verdict", "llmProvider"),
)
JOB_DURATION: Final = Metric(
    name="job_duration",
    kind=Kind.HISTOGRAM,
    unit="ms",
    meaning="From the admission of a command to the end of its job, waiting included.",
    sent="once for each job, when it ends",
    exposed="code_agent_job_duration_seconds",
    dimensions=("status",),
    divisor=1000,
    buckets=JOB_SECONDS,
)
SLOT_WAIT: Final = Metric(
    name="slot_wait",
    kind=Kind.HISTOGRAM,
    unit="ms",
    meaning="How long a job waited for its turn.",
    sent="once for each job that got one, when it ends",
    exposed="code_agent_slot_wait_seconds",
    divisor=1000,
    buckets=JOB_SECONDS,
)
QUEUE_DEPTH: Final = Metric(
    name="orchestrator_queue_depth",
    kind=Kind.GAUGE,
    unit="{job}",
    meaning="Jobs that wait for their turn, from the records: the same on every instance.",
    sent="every minute, and at each scrape",
    exposed="code_agent_orchestrator_queue_depth",
)
RUNNING_JOBS: Final = Metric(
    name="orchestrator_running_jobs",
    kind=Kind.GAUGE,
    unit="{job}",
    meaning="Jobs that run, from the records.",
    sent="every minute, and at each scrape",
    exposed="code_agent_orchestrator_running_jobs",
)
OLDEST_JOB: Final = Metric(
    name="orchestrator_oldest_job",
    kind=Kind.GAUGE,
    unit="s",
    meaning="Age of the oldest job that has not ended; 0 without one.",
    sent="every minute, and at each scrape",
    exposed="code_agent_orchestrator_oldest_job_seconds",
)
MODEL_TOKENS: Final = Metric(
    name="model_tokens",
    kind=Kind.COUNTER,
    unit="{token}",
    meaning="Tokens that models were sent (`in`, of which `cached`) and wrote (`out`).",
    sent="after each call to a model",
    exposed="code_agent_model_tokens",
    dimensions=("llmProvider", "llm_model", "purpose", "direction"),
)
MODEL_COST: Final = Metric(
    name="model_cost",
    kind=Kind.COUNTER,
    unit="USD",
    meaning="What calls to models cost, as far as their prices are known.",
    sent="after each call to a model whose price is known",
    exposed="code_agent_model_cost_usd",
    dimensions=("llmProvider", "llm_model", "purpose"),
)
MODEL_CALLS: Final = Metric(
    name="model_calls",
    kind=Kind.HISTOGRAM,
    unit="ms",
    meaning="Calls to models and how long they took; `outcome` is `ok` or the code of the failure.",
    sent="after each call to a model",
    exposed="code_agent_model_call_duration_seconds",
    dimensions=("llmProvider", "llm_model", "outcome"),
    divisor=1000,
    buckets=CALL_SECONDS,
)
RESULT_CACHE: Final = Metric(
    name="result_cache",
    kind=Kind.COUNTER,
    unit="{variant}",
    meaning="Variants that took an earlier result for the same question (`hit`), or not (`miss`).",
    sent="once for each variant that a model has part in, when its job ends",
    exposed="code_agent_result_cache",
    dimensions=("outcome",),
)
REPAIR_ROUNDS: Final = Metric(
    name="repair_rounds",
    kind=Kind.COUNTER,
    unit="{round}",
    meaning="How often models were shown what was wrong with their edits.",
    sent="once for each variant that a model has part in, when its job ends",
    exposed="code_agent_repair_rounds",
    dimensions=("llmProvider", "llm_model"),
)
ADO_CALLS: Final = Metric(
    name="ado_calls",
    kind=Kind.HISTOGRAM,
    unit="ms",
    meaning="Calls to Azure DevOps and how long they took; status 0 where none was answered.",
    sent="after each call to Azure DevOps",
    exposed="code_agent_ado_call_duration_seconds",
    dimensions=("operation", "status_code"),
    divisor=1000,
    buckets=CALL_SECONDS,
)
ADO_DELAY: Final = Metric(
    name="ado_delay",
    kind=Kind.COUNTER,
    unit="s",
    meaning="Seconds that Azure DevOps asked us to wait.",
    sent="whenever it asks us to",
    exposed="code_agent_ado_delay_seconds",
    dimensions=("operation",),
)
HOOK_HEALTH: Final = Metric(
    name="hook_health",
    kind=Kind.GAUGE,
    unit="{hook}",
    meaning="Service hooks that call the app and are enabled; 0: nobody is heard any more.",
    sent="every 15 minutes, where the agent may look",
    exposed="code_agent_hooks_enabled",
)
RETENTION_DELETED: Final = Metric(
    name="retention_deleted",
    kind=Kind.COUNTER,
    unit="{row}",
    meaning="Records that were deleted because their time is over.",
    sent="once a night",
    exposed="code_agent_retention_deleted_rows",
    dimensions=("table",),
)
CANARY_DURATION: Final = Metric(
    name="canary_duration",
    kind=Kind.HISTOGRAM,
    unit="ms",
    meaning="From the canary's comment to the end of its job.",
    sent="at the end of each run of the canary",
    exposed="code_agent_canary_duration_seconds",
    dimensions=("status",),
    divisor=1000,
    buckets=JOB_SECONDS,
)
HTTP_REQUESTS: Final = Metric(
    name="http_requests",
    kind=Kind.COUNTER,
    unit="{request}",
    meaning="Requests that were answered; `route` is the template, never the address.",
    sent="after each request",
    exposed="code_agent_http_requests",
    dimensions=("method", "route", "status_code", "service"),
)

METRICS: Final[tuple[Metric, ...]] = tuple(
    thing for thing in list(globals().values()) if isinstance(thing, Metric)
)
"""All of them, in the order of this file."""
