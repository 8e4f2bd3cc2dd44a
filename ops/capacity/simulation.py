"""Runs jobs through a site, step by step as the orchestrators do, and reads off what came of it."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from simpy import Environment, Store

from ops.capacity.calibration import Calibration
from ops.capacity.chance import Chance
from ops.capacity.flow import BEFORE_CONTEXT, CONCLUSION, VARIANT
from ops.capacity.host import Host, StepFailedError
from ops.capacity.outcome import Moment, Outcome
from ops.capacity.scenario import Load, Resources
from ops.capacity.site import ADO_WINDOW_S, MODEL_WINDOW_S, Site, Steps
from ops.capacity.spending import Account, Accounts, measure_budgets
from shared.domain.names import ActivityName, EntityName

SAMPLES = 240
WARM_UP = 0.1
"""Part of the run whose jobs are not counted: they find everything empty."""

Told = Callable[[float], None]


def simulate(
    load: Load, resources: Resources, calibration: Calibration, tell: Told | None = None
) -> Outcome:
    """Simulate one run; the same arguments give the same figures.

    Args:
        load: what comes.
        resources: what it meets.
        calibration: times of the app's steps.
        tell: hears the part that is done, from 0 to 1.
    """
    return _Run(load, resources, calibration).run(tell)


@dataclass(slots=True)
class _Tally:
    """What jobs report."""

    arrived: int = 0
    done: int = 0
    failed: int = 0
    present_s: float = 0.0
    latencies: list[float] = field(default_factory=list)
    finished_at: list[float] = field(default_factory=list)
    first_answers: list[float] = field(default_factory=list)
    webhooks: list[float] = field(default_factory=list)
    waiting: int = 0
    moments: list[Moment] = field(default_factory=list)
    began: dict[int, float] = field(default_factory=dict)
    """Jobs in flight, and when they came."""


class _Run:
    def __init__(self, load: Load, resources: Resources, calibration: Calibration) -> None:
        self._env = Environment()
        self._load = load
        self._resources = resources
        self._chance = Chance(load, calibration)
        self._site = Site(self._env, resources, calibration.together)
        self._host = Host(self._site, load, calibration, self._chance)
        self._accounts = Accounts(load, resources.budgets)
        self._tally = _Tally()
        self._end_s = load.hours * 3600

    def run(self, tell: Told | None) -> Outcome:
        self._env.process(self._arrive())
        self._env.process(self._watch(tell))
        self._env.run(until=self._end_s)
        return self._read_off()

    def _arrive(self) -> Generator[Any, Any, None]:
        for gap_s in self._chance.list_gaps_s():
            yield self._env.timeout(gap_s)
            self._tally.arrived += 1
            self._env.process(self._edit_job(self._tally.arrived))

    def _edit_job(self, number: int) -> Steps:
        env, host, tally = self._env, self._host, self._tally
        began = env.now
        tally.began[number] = began
        yield from host.accept()
        counts = bool(self._load.arrivals) or began >= self._end_s * WARM_UP
        if counts:
            tally.webhooks.append(env.now - began)
        me = self._chance.draw_partition(self._resources.partitions)
        yield from host.run_episode(me)
        try:
            yield from host.run_activity(ActivityName.ADMIT_COMMAND, me)
            yield from host.call_entity(EntityName.JOB_SLOTS, me)
            yield from self._wait_for_slot(me)
        except StepFailedError:
            tally.failed += 1
            tally.present_s += env.now - tally.began.pop(number)
            return
        try:
            payer = Account(self._accounts, self._chance.draw_person())
            yield from self._produce(me, payer, began, counts=counts)
        except StepFailedError:
            succeeded = False
        else:
            succeeded = True
        yield from host.call_entity(EntityName.JOB_SLOTS, me)
        if self._site.job_slots.waiting:
            self._site.job_slots.give()
            yield from host.run_activity(ActivityName.WAKE_JOBS, me)
        else:
            self._site.job_slots.give()
        tally.done += succeeded
        tally.failed += not succeeded
        tally.present_s += env.now - tally.began.pop(number)
        if counts:
            tally.latencies.append(env.now - began)
            tally.finished_at.append(env.now)

    def _wait_for_slot(self, me: int) -> Steps:
        slots = self._site.job_slots
        granted = slots.take()
        if granted.triggered:
            yield granted
            return
        self._tally.waiting += 1
        yield from self._host.run_activity(ActivityName.ANNOUNCE_JOB, me)
        yield granted
        self._tally.waiting -= 1
        yield from self._host.run_episode(me)
        yield from self._host.call_entity(EntityName.JOB_SLOTS, me)

    def _produce(self, me: int, payer: Account, began: float, *, counts: bool) -> Steps:
        host, variants = self._host, self._load.variants
        for step in BEFORE_CONTEXT:
            yield from host.run_activity(step, me)
            if step is ActivityName.ANNOUNCE_JOB and counts:
                self._tally.first_answers.append(self._env.now - began)
        yield from self._ask(ActivityName.JUDGE_REQUEST, me, payer)
        if variants > 1:
            yield from self._ask(ActivityName.WARM_PROMPT, me, payer)
        ended = Store(self._env)
        for _ in range(variants):
            self._env.process(self._produce_variant(payer, ended))
        succeeded = 0
        for left in reversed(range(variants)):
            succeeded += yield ended.get()
            yield from host.run_episode(me)
            if left:
                yield from host.run_activity(ActivityName.REPORT_PROGRESS, me)
        for step in CONCLUSION:
            yield from host.run_activity(step, me)
        if not succeeded:
            raise StepFailedError("no variant")

    def _produce_variant(self, payer: Account, ended: Store) -> Steps:
        me = self._chance.draw_partition(self._resources.partitions)
        yield from self._host.run_episode(me)
        try:
            for step in VARIANT:
                if step is ActivityName.DRAFT_PATCH:
                    yield from self._ask(step, me, payer)
                else:
                    yield from self._host.run_activity(step, me)
        except StepFailedError:
            ended.put(False)
        else:
            ended.put(True)

    def _ask(self, step: ActivityName, me: int, payer: Account) -> Steps:
        """Run a step that asks a model: the circuit of its provider is asked first."""
        yield from self._host.call_entity(EntityName.MODEL_CIRCUIT, me)
        yield from self._host.run_activity(step, me, payer)

    def _watch(self, tell: Told | None) -> Steps:
        site, tally = self._site, self._tally
        while True:
            yield self._env.timeout(self._end_s / SAMPLES)
            moment = Moment(
                self._env.now,
                len(tally.began),
                site.job_slots.waiting,
                site.activities.waiting,
                len(site.instances),
            )
            tally.moments.append(moment)
            if tell:
                tell(self._env.now / self._end_s)

    def _read_off(self) -> Outcome:
        site, tally, host = self._site, self._tally, self._host
        site.account()
        stations = [site.http, site.job_slots, site.activities]
        for one in site.ever:
            stations += [one.threads, one.orchestrators, one.connections]
        for station in stations:
            station.account()
        present_s = tally.present_s + sum(self._end_s - at for at in tally.began.values())
        jobs = max(1, tally.arrived)
        waits: dict[str, float] = {}
        busy: dict[str, float] = {}
        queues: dict[str, int] = {}
        for station in stations:
            waits[station.name] = waits.get(station.name, 0.0) + station.waited_s / jobs
            busy[station.name] = busy.get(station.name, 0.0) + station.busy_s
            queues[station.name] = max(queues.get(station.name, 0), station.longest)
        waits["processor"] = sum(one.processors.waited_s for one in site.ever) / jobs
        waits |= {name: waited_s / jobs for name, waited_s in host.waited_s.items()}
        return Outcome(
            arrived=tally.arrived,
            done=tally.done,
            failed=tally.failed,
            in_flight=len(tally.began),
            hours=self._load.hours,
            latencies=tally.latencies,
            finished_at=tally.finished_at,
            first_answers=tally.first_answers,
            webhooks=tally.webhooks,
            mean_jobs=present_s / self._end_s,
            mean_time_s=present_s / jobs,
            utilisation=self._measure_use(busy),
            waits=waits,
            queues=queues,
            refusals=host.refusals,
            peak_instances=max([one.instances for one in tally.moments], default=1),
            mean_instances=site.instance_s / self._end_s,
            executions=host.executions,
            active_s=sum(one.measure_active_s(self._env.now) for one in site.ever),
            messages=host.messages,
            model_turns=round(site.model_windows["model requests"].used),
            moments=tally.moments,
        )

    def _measure_use(self, busy: dict[str, float]) -> dict[str, float]:
        there, site, end_s = self._resources, self._site, self._end_s
        offered = {
            "HTTP requests": there.http_slots * end_s,
            "job slots": there.job_slots * end_s,
            "activity slots": site.activities.offered_s,
            "worker threads": there.threads * site.instance_s,
            "orchestrator slots": there.orchestrator_slots * site.instance_s,
            "database pool": there.pool_size * site.instance_s,
        }
        use = {name: busy[name] / offered[name] for name in offered}
        computed_s = sum(one.processors.busy_s for one in site.ever)
        use["processor"] = computed_s / (there.cores * site.instance_s)
        peak = max([one.instances for one in self._tally.moments], default=1)
        use["instances"] = peak / there.max_instances
        use["database connections"] = peak * there.pool_size / there.db_connections
        if not there.is_local:
            use["Azure DevOps quota"] = site.tstu.used / (site.tstu.limit * end_s / ADO_WINDOW_S)
            for name, window in site.model_windows.items():
                use[name] = window.used / (window.limit * end_s / MODEL_WINDOW_S)
        return use | measure_budgets(self._load, there.budgets)
