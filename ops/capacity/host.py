"""The Durable Functions host as jobs meet it: messages, episodes, entities and activities."""

from typing import Final

from simpy import Environment, Event

from ops.capacity.calibration import Calibration
from ops.capacity.chance import Chance
from ops.capacity.flow import DEMANDS, Demand
from ops.capacity.scenario import Load
from ops.capacity.site import Instance, Queue, Site, Steps
from ops.capacity.spending import BUDGETS, Account
from shared.domain.errors import PolicyError
from shared.domain.names import ActivityName, EntityName

MAX_DELAY_S: Final = 30.0
"""Azure DevOps delays requests up to this, and refuses them beyond.
Source: https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits"""
FIRST_RETRY_S: Final = 2.0


class RefusedError(Exception):
    """A quota is used up; a step is to be tried again after `retry_after_s`."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"try again in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class StepFailedError(Exception):
    """A step was refused as often as its budget lets it be tried."""


class Host:
    """Runs what jobs ask for on a site."""

    def __init__(self, site: Site, load: Load, calibration: Calibration, chance: Chance) -> None:
        self._site = site
        self._env = site.env
        self._there = site.resources
        self._load = load
        self._calibration = calibration
        self._chance = chance
        self._entities = {
            name: Entity(self._env, self, chance.draw_partition(self._there.partitions))
            for name in (EntityName.JOB_SLOTS, EntityName.MODEL_CIRCUIT)
        }
        self.waited_s = {"Azure DevOps quota": 0.0, "model quota": 0.0}
        """Seconds that steps waited for quotas."""
        self.refusals = dict.fromkeys(BUDGETS.values(), 0)
        """Steps that a budget did not pay for."""
        self.executions = 0
        """Runs of functions, which Azure bills."""
        self.messages = 0

    def accept(self) -> Steps:
        """Take a delivery in and start its job."""
        yield self._site.http.take()
        self.executions += 1
        work_s = self._calibration.webhook_cpu_s
        # on Flex Consumption HTTP has instances of its own, which this load never fills
        if self._there.plan == "flex":
            yield self._env.timeout(work_s)
        else:
            yield self._site.instances[0].processors.run(work_s)
        yield self._env.timeout(self._there.hop_s)
        self._site.http.give()

    def run_episode(self, partition: int) -> Steps:
        """Carry a message to an orchestrator or entity, and run it once."""
        yield from self._travel(self._site.partitions[partition])
        owner = self._site.owner_of(partition)
        yield owner.orchestrators.take()
        yield owner.threads.take()
        self.executions += 1
        yield owner.processors.run(self._calibration.episode_s)
        owner.threads.give()
        yield self._env.timeout(self._there.hop_s)
        owner.orchestrators.give()

    def call_entity(self, name: EntityName, caller: int) -> Steps:
        """Ask an entity, and run its caller on with the answer."""
        yield self._entities[name].ask()
        yield from self.run_episode(caller)

    def run_activity(
        self, step: ActivityName, partition: int, payer: Account | None = None
    ) -> Steps:
        """Run an activity to its end, with its retries, and its orchestrator with the answer.

        Args:
            step: which activity.
            partition: of its orchestrator.
            payer: who pays, where it asks a model.

        Raises:
            StepFailedError: it was refused too often, or is not paid for.
        """
        demand = DEMANDS[step]
        tries = self._there.model_tries if demand.model_turns else self._there.ado_tries
        for left in reversed(range(tries)):
            try:
                yield from self._attempt(step, demand, payer)
            except RefusedError as refused:
                yield from self.run_episode(partition)
                if not left:
                    raise StepFailedError(step) from None
                # a durable timer: nothing is held meanwhile
                yield self._env.timeout(max(refused.retry_after_s, FIRST_RETRY_S))
                kind = "model quota" if demand.model_turns else "Azure DevOps quota"
                self.waited_s[kind] += refused.retry_after_s
            else:
                break
        yield from self.run_episode(partition)

    def _attempt(self, step: ActivityName, demand: Demand, payer: Account | None) -> Steps:
        yield from self._travel(self._site.work_items)
        yield self._site.activities.take()
        instance = self._site.choose_instance()
        instance.begin_activity(self._env.now)
        yield instance.threads.take()
        self.executions += 1
        try:
            yield from self._work(step, demand, instance, payer)
        finally:
            instance.threads.give()
            instance.end_activity(self._env.now)
            self._site.activities.give()

    def _work(
        self, step: ActivityName, demand: Demand, instance: Instance, payer: Account | None
    ) -> Steps:
        there, told = self._there, self._calibration
        turns = getattr(self._load, demand.model_turns) if demand.model_turns else 0
        took_s = self._chance.draw_step_s(step)
        elsewhere_s = demand.ado_calls * told.ado_call_s + turns * told.model_turn_s
        own_s = max(0.0, took_s - elsewhere_s)
        yield instance.processors.run(own_s * told.host_share)
        if there.is_local:
            if demand.ado_calls:
                yield self._site.azure_devops.run(demand.ado_calls * told.ado_call_s)
            yield self._env.timeout(own_s * (1 - told.host_share))
        elif demand.ado_calls:
            yield from self._call_azure_devops(demand.ado_calls)
        if there.transaction_s and demand.transactions:
            yield instance.connections.take()
            yield self._env.timeout(demand.transactions * there.transaction_s)
            instance.connections.give()
        for _ in range(turns):
            yield from self._ask_model(payer)

    def _call_azure_devops(self, calls: int) -> Steps:
        window, now = self._site.tstu, self._env.now
        units = calls * self._there.tstu_per_call
        start = window.find_start(units, now)
        delay_s = start - now
        if delay_s > MAX_DELAY_S:
            raise RefusedError(delay_s)
        window.grant(units, start)
        self.waited_s["Azure DevOps quota"] += delay_s
        latency_s = sum(self._chance.draw_latency_s(self._there.ado_call_s) for _ in range(calls))
        yield self._env.timeout(delay_s + latency_s)

    def _ask_model(self, payer: Account | None) -> Steps:
        load, now = self._load, self._env.now
        try:
            if payer:
                payer.check(now)
        except PolicyError as refused:
            self.refusals[BUDGETS[refused.code]] += 1
            raise StepFailedError(refused.code) from None
        if self._there.is_local:
            yield self._site.model.run(self._calibration.model_turn_s)
        else:
            uncached = load.prompt_tokens * (1 - load.cached_share)
            needs: dict[str, float] = {
                "model requests": 1,
                "model input tokens": uncached,
                "model output tokens": load.answer_tokens,
            }
            windows = self._site.model_windows
            start = max(windows[name].find_start(units, now) for name, units in needs.items())
            if start > now:
                raise RefusedError(start - now)
            for name, units in needs.items():
                windows[name].grant(units, now)
        yield self._env.timeout(self._chance.draw_model_s())
        if payer:
            payer.charge(self._env.now)

    def _travel(self, queue: Queue) -> Steps:
        """Wait until a message is seen in its queue."""
        self.messages += 1
        there, now = self._there, self._env.now
        if there.hop_s:
            # the longer nothing came, the more seldom it is looked at
            pause_s = min(there.max_poll_s, now - queue.last_used_at)
            queue.last_used_at = now
            yield self._env.timeout(there.hop_s + pause_s * self._chance.draw_part() / 2)


class Entity:
    """One durable entity: what waits for it while it runs is one batch of its next run."""

    def __init__(self, env: Environment, host: Host, partition: int) -> None:
        self._env = env
        self._host = host
        self._partition = partition
        self._waiting: list[Event] = []
        self._is_running = False

    def ask(self) -> Event:
        """Send an operation; the event comes with its answer."""
        answer = self._env.event()
        self._waiting.append(answer)
        if not self._is_running:
            self._is_running = True
            self._env.process(self._run())
        return answer

    def _run(self) -> Steps:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            yield from self._host.run_episode(self._partition)
            for answer in batch:
                answer.succeed()
        self._is_running = False
