"""What a month costs: compute, model, task hub and database, by the prices of a file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.capacity.outcome import Outcome
from ops.capacity.scenario import BUSY_HOUR, Load, Resources
from ops.capacity.spending import price_call

FILE: Final = Path(__file__).with_name("prices.json")
DAYS: Final = 30
MONTH_S: Final = DAYS * 86_400
CALLS_PER_MESSAGE: Final = 6
"""Calls to storage for one message of the task hub: put, get, delete, and reading and writing
history. An assumption, from the provider's description.
Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-azure-storage-provider"""
_KEYS: Final = (
    "flex_gb_second",
    "flex_million_executions",
    "flex_free_gb_seconds",
    "flex_free_executions",
    "flex_always_ready_gb_second",
    "premium_instance_month",
    "storage_10000_transactions",
    "database_month",
)


class PricesError(ValueError):
    """The file of prices cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars a month."""

    compute: float
    model: float | None
    """None where the model has no known price."""
    storage: float
    database: float

    @property
    def total(self) -> float | None:
        """Everything; None where a part is not known."""
        if self.model is None:
            return None
        return self.compute + self.model + self.storage + self.database


def read_prices(path: Path = FILE) -> dict[str, float]:
    """Read a file of prices.

    Raises:
        PricesError: it cannot be read, or a price is missing.
    """
    try:
        plain: Any = json.loads(path.read_text("utf-8"))
        return {key: float(plain[key]) for key in _KEYS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PricesError(f"{path}: {type(error).__name__}: {error}") from None


def estimate_cost(
    load: Load, resources: Resources, outcome: Outcome, prices: dict[str, float]
) -> Cost:
    """Estimate a month of days whose busiest hour is this load.

    Args:
        load: what comes.
        resources: what there is.
        outcome: of a run with both.
        prices: as `read_prices` answers them.
    """
    # what the run did for each job that ended, times the jobs of a month
    jobs = load.jobs_a_day * DAYS
    times = jobs / max(1, outcome.done + outcome.failed)
    if resources.plan == "premium":
        # outside the busiest hour, instances are as many as the load asks for, one at least
        busy = outcome.mean_instances * (1 / BUSY_HOUR) / 24
        compute = prices["premium_instance_month"] * max(float(resources.instances), busy)
    elif resources.plan == "flex":
        gb_s = outcome.active_s * times * resources.memory_gb
        runs = outcome.executions * times
        compute = max(0.0, gb_s - prices["flex_free_gb_seconds"]) * prices["flex_gb_second"]
        compute += (
            max(0.0, runs - prices["flex_free_executions"])
            * prices["flex_million_executions"]
            / 1_000_000
        )
        compute += resources.memory_gb * MONTH_S * prices["flex_always_ready_gb_second"]
    else:
        compute = 0.0
    calls = outcome.messages * times * CALLS_PER_MESSAGE
    micro_usd = price_call(load)  # as if no budget ended it
    return Cost(
        compute=compute,
        model=None if micro_usd is None else micro_usd / 1_000_000 * load.turns * jobs,
        storage=calls / 10_000 * prices["storage_10000_transactions"],
        database=prices["database_month"],
    )
