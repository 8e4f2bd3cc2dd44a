"""What a simulated run came to. Times in seconds, shares from 0 to 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PILED_UP: Final = 0.05
REFUSED: Final = 0.02


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of some times."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stood at an instant."""

    at_s: float
    jobs: int
    """That had come and not ended."""
    waiting_jobs: int
    waiting_activities: int
    instances: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one run; latencies are those of jobs that came after the warm-up."""

    arrived: int
    done: int
    failed: int
    in_flight: int
    hours: float
    latencies: Sequence[float]
    """Of jobs that ended: from the delivery to the end of the orchestration."""
    finished_at: Sequence[float]
    """When each of those ended."""
    first_answers: Sequence[float]
    """From the delivery to the first comment in the thread."""
    webhooks: Sequence[float]
    mean_jobs: float
    """In flight, over the whole run."""
    mean_time_s: float
    """That jobs spent in flight, those that have not ended included."""
    utilisation: dict[str, float]
    waits: dict[str, float]
    """Seconds that a job waited for each resource, on average."""
    queues: dict[str, int]
    """Most that waited at once."""
    refusals: dict[str, int]
    """Budget to the steps that it did not pay for."""
    peak_instances: int
    mean_instances: float
    executions: int
    active_s: float
    """Seconds of instances in which anything ran."""
    messages: int
    model_turns: int
    moments: Sequence[Moment]

    @property
    def throughput(self) -> float:
        """Jobs that ended in an hour."""
        return self.done / self.hours

    @property
    def is_overloaded(self) -> bool:
        """Whether work piles up, or is refused: 5 % of what came is there beyond the usual."""
        piles_up = self.in_flight - self.mean_jobs > PILED_UP * self.arrived
        return piles_up or self.is_refused

    @property
    def is_refused(self) -> bool:
        """Whether 2 % of the jobs failed for want of a quota or a budget."""
        return self.failed > REFUSED * self.arrived


def find_percentiles(values: Sequence[float]) -> Percentiles:
    """Find percentiles by the nearest rank; nothing has none, which is 0."""
    ranked = sorted(values)
    if not ranked:
        return Percentiles(0.0, 0.0, 0.0)
    p50, p95, p99 = (
        ranked[min(len(ranked) - 1, int(len(ranked) * part))] for part in (0.5, 0.95, 0.99)
    )
    return Percentiles(p50, p95, p99)
