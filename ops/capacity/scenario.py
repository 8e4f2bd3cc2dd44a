"""What is simulated: the load, and the resources that it meets. Plain values, nothing runs here."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shared.policy.budgets import BudgetLimits, read_limits
from shared.settings.app import read_settings

ROOT: Final = Path(__file__).resolve().parents[2]
STAND_IN_ORGANISATION: Final = "http://127.0.0.1:9/capacity"
DAY_S: Final = 86_400
BUSY_HOUR: Final = 0.1
"""Part of a day's jobs that comes in its busiest hour: an assumption."""
MAX_PARTITIONS: Final = 16
"""Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-azure-storage-provider"""

MAX_THREADS: Final = 32
"""Of the Python worker.
Source: https://learn.microsoft.com/azure/azure-functions/functions-app-settings"""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the app."""

    jobs_per_hour: float = 100.0
    variants: int = 3
    model_s: float = 20.0
    """Median of one call to the model."""
    model_sigma: float = 0.5
    """Of the logarithm: with 0.5 the 95th percentile is 2.3 times the median."""
    judge_turns: int = 1
    survey_turns: int = 3
    """As in docs/models.md, "Money"."""
    draft_turns: int = 2
    prompt_tokens: int = 40_000
    cached_share: float = 0.85
    """Part of the input that the provider reads from its cache: what is shared is written once in
    ten turns, and each turn adds 2,000 tokens (docs/models.md measures 0.53 to 0.86)."""
    answer_tokens: int = 1_500
    """Of one call: a draft of two turns writes 3,000."""
    model: str = "anthropic/claude-sonnet-5-5"
    """`provider/model`, as in `shared.llm.prices`."""
    people: int = 50
    """Who write the commands, evenly: an assumption, which only a person's budget asks for."""
    hours: float = 1.0
    seed: int = 1
    arrivals: tuple[float, ...] = ()
    """Seconds from the beginning at which jobs come, where that is known; else by lot."""
    model_times_s: tuple[float, ...] = ()
    """What the first calls to the model take, in their order, where that is known."""

    @property
    def jobs_a_day(self) -> float:
        """A day of which this is the busiest hour."""
        return self.jobs_per_hour / BUSY_HOUR

    @property
    def turns(self) -> int:
        """Calls to the model of one job."""
        survey = self.survey_turns if self.variants > 1 else 0
        return self.judge_turns + survey + self.variants * self.draft_turns


@dataclass(frozen=True, slots=True)
class Resources:
    """What there is. Counts are for one instance where the name does not say otherwise."""

    plan: str
    instances: int
    """At the beginning; never fewer."""
    max_instances: int
    memory_gb: float
    cores: float
    threads: int
    """Of the Python worker: activities, orchestrators and entities all run in them."""
    activity_slots: int
    orchestrator_slots: int
    http_slots: int
    partitions: int
    """Control queues of the task hub; each belongs to one instance at a time."""
    job_slots: int
    """Of the organisation."""
    pool_size: int
    db_connections: int
    """That the server takes, from all instances."""
    ado_tries: int
    model_tries: int
    hop_s: float = 0.03
    """One message through a queue of Azure Storage, and one commit of an episode: an assumption."""
    max_poll_s: float = 0.0
    """An empty queue is looked at ever more seldom, up to this."""
    ado_call_s: float = 0.15
    """One call to Azure DevOps from the same continent: an assumption."""
    transaction_s: float = 0.005
    """One transaction with a database of the same region: an assumption."""
    cold_start_s: float = 10.0
    """Until an added instance works: an assumption; `benchmarks.startup` measures its last part."""
    ado_tstu: float = 200.0
    """For one identity in five minutes.
    Source: https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits"""
    ado_identities: int = 1
    tstu_per_call: float = 0.05
    """Nobody publishes it: read yours from the organisation's page Usage."""
    model_requests: float = 4_000.0
    """A minute; this and the two below are Claude Sonnet's at tier 4.
    Source: https://platform.claude.com/docs/en/api/rate-limits"""
    model_input_tokens: float = 2_000_000.0
    """A minute; what is read from the cache does not count."""
    model_output_tokens: float = 400_000.0
    """A minute."""
    budgets: BudgetLimits = field(default_factory=BudgetLimits)
    """Of the operators, for models; as shipped there are none."""
    is_local: bool = False
    """One machine: the stand-ins take processor time instead of Azure's latencies."""


class ScenarioError(ValueError):
    """The configuration cannot be read; the message says why."""


def read_host_json(path: Path = ROOT / "host.json") -> Mapping[str, Any]:
    """Answer what `host.json` says about HTTP and Durable Functions.

    Raises:
        ScenarioError: it cannot be read.
    """
    try:
        extensions: Any = json.loads(path.read_text("utf-8"))["extensions"]
        durable, storage = extensions["durableTask"], extensions["durableTask"]["storageProvider"]
        hours, minutes, seconds = str(storage["maxQueuePollingInterval"]).split(":")
        return {
            "http_slots": int(extensions["http"]["maxConcurrentRequests"]),
            "activity_slots": int(durable["maxConcurrentActivityFunctions"]),
            "orchestrator_slots": int(durable["maxConcurrentOrchestratorFunctions"]),
            "partitions": int(storage["partitionCount"]),
            "max_poll_s": int(hours) * 3600 + int(minutes) * 60 + float(seconds),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScenarioError(f"{path}: {type(error).__name__}: {error}") from None


THREADS: Final = 16
"""`PYTHON_THREADPOOL_THREAD_COUNT` as bicep/main.bicep sets it."""


def count_threads(cores: float) -> int:
    """Count the threads that the Python worker takes where nobody sets their number.

    Source: https://learn.microsoft.com/azure/azure-functions/python-scale-performance-reference
    (`PYTHON_THREADPOOL_THREAD_COUNT`), `concurrent.futures.ThreadPoolExecutor`.
    """
    return min(MAX_THREADS, math.ceil(cores) + 4)


LOCAL_CORES: Final = 2.0
"""Of the machine that is validated on, by which the local host counts its threads."""
PLANS: Final = ("flex", "premium", "local")
_SIZES: Final = {
    # instances, the most, GB, cores: the defaults of bicep/main.bicep.
    # Sources: https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan (2,048 MB:
    # one core), https://learn.microsoft.com/azure/azure-functions/functions-premium-plan (EP1)
    "flex": (1, 40, 2.0, 1.0),
    "premium": (1, 10, 3.5, 1.0),
    "local": (1, 1, 2.0, LOCAL_CORES),
}
DB_CONNECTIONS: Final = 414
"""Of `Standard_B2s`, the default of bicep/main.bicep.
Source: https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-limits"""
_NO_LIMIT: Final = 1e12


def build_resources(plan: str, environment: Mapping[str, str]) -> Resources:
    """Build what a plan has, by `host.json` and the settings of this environment.

    Raises:
        SettingsError: a setting is wrong.
        ScenarioError: host.json cannot be read.
    """
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": STAND_IN_ORGANISATION,
            "TASKHUB_NAME": "capacity",
            **environment,
        }
    )
    instances, most, memory_gb, cores = _SIZES[plan]
    is_local = plan == "local"
    host = dict(read_host_json())
    local: dict[str, Any] = {}
    if is_local:
        host["max_poll_s"] = 0.0
        local = {
            "hop_s": 0.0,
            "ado_call_s": 0.0,
            "transaction_s": 0.0,
            "ado_tstu": _NO_LIMIT,
            "model_requests": _NO_LIMIT,
            "model_input_tokens": _NO_LIMIT,
            "model_output_tokens": _NO_LIMIT,
            "is_local": True,
        }
    threads = count_threads(LOCAL_CORES) if is_local else THREADS
    configured = environment.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    return Resources(
        plan=plan,
        instances=instances,
        max_instances=most,
        memory_gb=memory_gb,
        cores=cores,
        threads=int(configured) if configured.isdecimal() else threads,
        job_slots=settings.max_running_jobs,
        pool_size=settings.database.pool_size,
        db_connections=DB_CONNECTIONS,
        ado_tries=settings.ado_tries,
        model_tries=settings.model_tries,
        budgets=read_limits(settings.models),
        **host,
        **local,
    )
