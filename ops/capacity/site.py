"""The resources of one simulated app, with what they have seen: instances, queues, quotas."""

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

from simpy import Environment, Event

from ops.capacity.scenario import Resources
from ops.capacity.sharing import Processors
from ops.capacity.station import Station
from ops.capacity.window import Window

Steps = Generator[Event, Any, Any]

LOOK_S: Final = 10.0
"""Between two looks at the queues by who adds and removes instances: an assumption."""
IDLE_S: Final = 300.0
"""How long fewer instances would do before one is removed: an assumption."""
ADO_WINDOW_S: Final = 300.0
MODEL_WINDOW_S: Final = 60.0


@dataclass(slots=True)
class Instance:
    """One instance with one Python process."""

    processors: Processors
    threads: Station
    orchestrators: Station
    connections: Station
    activities: int = 0
    """That run here."""
    active_since: float = 0.0
    active_s: float = 0.0
    """Until the last time that nothing ran."""

    def begin_activity(self, now: float) -> None:
        """Count an activity that begins here."""
        if not self.activities:
            self.active_since = now
        self.activities += 1

    def end_activity(self, now: float) -> None:
        """Count one that ends."""
        self.activities -= 1
        if not self.activities:
            self.active_s += now - self.active_since

    def measure_active_s(self, now: float) -> float:
        """Answer how long at least one activity has run here: what Flex Consumption bills."""
        return self.active_s + (now - self.active_since if self.activities else 0.0)


@dataclass(slots=True)
class Queue:
    """One queue of the task hub: an empty one is looked at ever more seldom."""

    last_used_at: float = -math.inf


@dataclass(slots=True)
class Site:
    """Everything that jobs share."""

    env: Environment
    resources: Resources
    together: float = math.inf
    """See `Processors`."""
    instances: list[Instance] = field(default_factory=list)
    ever: list[Instance] = field(default_factory=list)
    """Those that were removed, too: their accounts count."""
    activities: Station = field(init=False)
    """Of all instances: they compete for one queue."""
    http: Station = field(init=False)
    job_slots: Station = field(init=False)
    azure_devops: Processors = field(init=False)
    """Of the stand-in, on one machine."""
    model: Processors = field(init=False)
    tstu: Window = field(init=False)
    model_windows: dict[str, Window] = field(init=False)
    partitions: list[Queue] = field(init=False)
    work_items: Queue = field(default_factory=Queue)
    instance_s: float = 0.0
    """Seconds of instances that were there."""
    _starting: int = 0
    _seen_at: float = 0.0

    def __post_init__(self) -> None:
        """Build what the resources say."""
        there = self.resources
        self.activities = Station(self.env, "activity slots", 0)
        self.http = Station(self.env, "HTTP requests", there.http_slots)
        self.job_slots = Station(self.env, "job slots", there.job_slots)
        self.azure_devops = Processors(self.env, 1)
        self.model = Processors(self.env, 1)
        self.tstu = Window(there.ado_tstu * there.ado_identities, ADO_WINDOW_S)
        self.model_windows = {
            "model requests": Window(there.model_requests, MODEL_WINDOW_S),
            "model input tokens": Window(there.model_input_tokens, MODEL_WINDOW_S),
            "model output tokens": Window(there.model_output_tokens, MODEL_WINDOW_S),
        }
        self.partitions = [Queue() for _ in range(there.partitions)]
        for _ in range(there.instances):
            self._add()
        if there.max_instances > there.instances:
            self.env.process(self._scale())

    def owner_of(self, partition: int) -> Instance:
        """Answer who runs the orchestrations of a partition."""
        return self.instances[partition % len(self.instances)]

    def choose_instance(self) -> Instance:
        """Choose who takes the next activity: who has the fewest."""
        return min(self.instances, key=lambda one: one.activities)

    def account(self) -> None:
        """Bring the account of instances up to now."""
        self.instance_s += (self.env.now - self._seen_at) * len(self.instances)
        self._seen_at = self.env.now

    def _add(self) -> None:
        self.account()
        there = self.resources
        added = Instance(
            Processors(self.env, there.cores, self.together),
            Station(self.env, "worker threads", there.threads),
            Station(self.env, "orchestrator slots", there.orchestrator_slots),
            Station(self.env, "database pool", there.pool_size),
        )
        self.instances.append(added)
        self.ever.append(added)
        self.activities.resize(there.activity_slots * len(self.instances))

    def _scale(self) -> Steps:
        """Add instances while activities wait, remove them when fewer have done for a while."""
        low_since = self.env.now
        while True:
            yield self.env.timeout(LOOK_S)
            there = self.resources
            asked = self.activities.taken + self.activities.waiting
            wanted = math.ceil(asked / there.activity_slots)
            wanted = min(max(wanted, there.instances), there.max_instances)
            if wanted >= len(self.instances):
                low_since = self.env.now
            for _ in range(wanted - len(self.instances) - self._starting):
                self._starting += 1
                self.env.process(self._start())
            last = self.instances[-1]
            if self.env.now - low_since >= IDLE_S and not last.activities:
                self.account()
                self.instances.remove(last)
                self.activities.resize(there.activity_slots * len(self.instances))

    def _start(self) -> Steps:
        yield self.env.timeout(self.resources.cold_start_s)
        self._starting -= 1
        self._add()
