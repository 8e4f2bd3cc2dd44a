"""What bounds the app, found by trying: relax what jobs wait for, run again, see what it moves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ops.capacity.calibration import Calibration
from ops.capacity.outcome import Outcome, find_percentiles
from ops.capacity.scenario import MAX_PARTITIONS, MAX_THREADS, Load, Resources
from ops.capacity.simulation import simulate
from ops.capacity.spending import JOB, ORGANISATION, PERSON

WORTH_A_LOOK: Final = 0.01
"""Part of a job's time spent waiting for something, from which on it is tried."""
MATTERS: Final = 0.05
"""Part of the 95th percentile, or of the throughput, that relaxing it has to move."""
DEARER: Final = 0.8
"""What a gain counts that is bought, where a setting that costs nothing does about the same."""
_BOUGHT: Final = frozenset({"instances", "processor"})
LARGE: Final[Mapping[str, int]] = {
    "job slots": 7,
    "Azure DevOps quota": 3,
    "model quota": 3,
    "instances": 2,
    "partitions": 2,
    "orchestrator slots": 2,
    "worker threads": 1,
}
"""How often each lever is moved at once where no path leads on: any one alone makes the next fail.
Found by trying, for 10,000 jobs an hour; what a load does not need of it is taken back."""
MOST_TRIES: Final = 4
MOST_GROWTH: Final = 14
NOTHING: Final = "the model's own time"

Relax = Callable[[Resources], Resources]


@dataclass(frozen=True, slots=True)
class Lever:
    """What an operator moves to have more of a resource."""

    setting: str
    where: str
    read: Callable[[Resources], float]
    relax: Relax
    """Twice as much, as far as that is possible."""


def _double(setting: str, where: str, field: str, most: float = 1e9) -> Lever:
    def relax(there: Resources) -> Resources:
        value = getattr(there, field)
        return replace(there, **{field: min(type(value)(value * 2), type(value)(most))})

    return Lever(setting, where, lambda there: float(getattr(there, field)), relax)


def _double_budget(prefix: str, field: str) -> Lever:
    names = f"{field}_tokens", f"{field}_micro_usd"

    def read(there: Resources) -> float:
        tokens, micro_usd = (float(getattr(there.budgets, name)) for name in names)
        return micro_usd / 1e6 or tokens

    def relax(there: Resources) -> Resources:
        twice = {name: 2 * getattr(there.budgets, name) for name in names}
        return replace(there, budgets=replace(there.budgets, **twice))

    return Lever(f"{prefix}_TOKENS / _USD", "settings", read, relax)


LEVERS: Final[Mapping[str, Lever]] = {
    "job slots": _double("CODE_AGENT_MAX_RUNNING_JOBS", "settings", "job_slots", 1000),
    "activity slots": _double("maxConcurrentActivityFunctions", "host.json", "activity_slots"),
    "worker threads": _double(
        "PYTHON_THREADPOOL_THREAD_COUNT", "app settings", "threads", MAX_THREADS
    ),
    "orchestrator slots": _double(
        "maxConcurrentOrchestratorFunctions", "host.json", "orchestrator_slots"
    ),
    "partitions": _double(
        "storageProvider.partitionCount", "host.json, a new task hub", "partitions", MAX_PARTITIONS
    ),
    "processor": _double("instanceMemoryMB or the plan's size", "bicep", "cores", 4),
    "instances": _double("maximumInstanceCount", "bicep", "max_instances", 1000),
    "HTTP requests": _double("httpConcurrency", "bicep", "http_slots"),
    "database pool": _double("CODE_AGENT_DATABASE_POOL_SIZE", "settings", "pool_size", 50),
    "Azure DevOps quota": _double(
        "identities: one deployment for each part of the projects", "Azure DevOps", "ado_identities"
    ),
    "model quota": Lever(
        "requests and tokens a minute",
        "the provider, or a second one in CODE_AGENT_PROVIDER",
        lambda there: there.model_input_tokens,
        lambda there: replace(
            there,
            model_requests=there.model_requests * 2,
            model_input_tokens=there.model_input_tokens * 2,
            model_output_tokens=there.model_output_tokens * 2,
        ),
    ),
    JOB: _double_budget("CODE_AGENT_JOB", "job"),
    PERSON: _double_budget("CODE_AGENT_USER_DAY", "user_day"),
    ORGANISATION: _double_budget("CODE_AGENT_ORGANISATION_DAY", "organisation_day"),
}
"""Resource to what moves it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one lever moved."""

    resource: str
    setting: str
    where: str
    before: float
    after: float
    p95_s: float
    """With it relaxed."""
    throughput: float
    gain: float
    """Part of the 95th percentile or of the throughput that it moved, whichever is more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What bounds a run."""

    resource: str
    """`NOTHING` where no lever matters: a job takes what the model takes."""
    trials: tuple[Trial, ...]
    """The one that moves most first."""


def find_bottleneck(
    load: Load, resources: Resources, calibration: Calibration, outcome: Outcome
) -> Finding:
    """Relax each resource that jobs wait for, run again, and name the one that moves most."""
    trials = []
    for name in _choose(outcome)[:MOST_TRIES]:
        lever = LEVERS[name]
        relaxed = lever.relax(resources)
        if relaxed == resources:
            continue
        tried = simulate(load, relaxed, calibration)
        trials.append(_judge(name, resources, relaxed, outcome, tried))
    trials.sort(key=lambda trial: -trial.gain * (DEARER if trial.resource in _BOUGHT else 1))
    is_found = bool(trials) and trials[0].gain >= MATTERS
    return Finding(trials[0].resource if is_found else NOTHING, tuple(trials))


Growth = tuple[Resources, Outcome, list[Trial]]
"""Where moving levers has led, and the moves."""


def grow(load: Load, resources: Resources, calibration: Calibration) -> Growth:
    """Move what bounds the app, one lever at a time, until nothing does.

    Where that ends with too little carried, down from `LARGE`.
    """
    shipped = simulate(load, resources, calibration)
    there, outcome, moves = resources, shipped, list[Trial]()
    for _ in range(MOST_GROWTH):
        step = _move_one(load, there, calibration, outcome)
        if step is None:
            break
        there, outcome, move = step
        moves.append(move)
    if outcome.is_overloaded:
        large = _start_large(load, resources, calibration, shipped)
        if not large[1].is_overloaded:
            return large
    return there, outcome, moves


def _move_one(
    load: Load, here: Resources, calibration: Calibration, outcome: Outcome
) -> tuple[Resources, Outcome, Trial] | None:
    """Move the first lever that helps by itself."""
    for name in _choose(outcome):
        relaxed = LEVERS[name].relax(here)
        if outcome.is_overloaded:
            relaxed = LEVERS[name].relax(relaxed)  # it is far away
        if relaxed == here:
            continue
        tried = simulate(load, relaxed, calibration)
        trial = _judge(name, here, relaxed, outcome, tried)
        helps = tried.done > outcome.done * (1 + WORTH_A_LOOK)
        if helps if outcome.is_overloaded else trial.gain >= MATTERS:
            return relaxed, tried, trial
    return None


def _start_large(
    load: Load, resources: Resources, calibration: Calibration, shipped: Outcome
) -> Growth:
    """Begin with everything moved, and take back what the load does not need."""
    moved = dict(LARGE)
    there = _build(resources, moved)
    outcome = simulate(load, there, calibration)
    for name in LARGE:
        while moved[name] and not outcome.is_overloaded:
            fewer = {**moved, name: moved[name] - 1}
            less = _build(resources, fewer)
            tried = simulate(load, less, calibration)
            before, after = (find_percentiles(one.latencies).p95 for one in (outcome, tried))
            if tried.is_overloaded or after > before * (1 + MATTERS):
                break
            moved, there, outcome = fewer, less, tried
    left = [name for name, times in moved.items() if times]
    return there, outcome, [_judge(name, resources, there, shipped, outcome) for name in left]


def _build(resources: Resources, moved: Mapping[str, int]) -> Resources:
    for name, times in moved.items():
        for _ in range(times):
            resources = LEVERS[name].relax(resources)
    return resources


def merge_moves(moves: list[Trial]) -> list[Trial]:
    """Put the moves of one lever together: from its first value to its last."""
    merged: dict[str, Trial] = {}
    for move in moves:
        first = merged.get(move.resource, move)
        merged[move.resource] = replace(move, before=first.before)
    return list(merged.values())


def _judge(
    name: str, resources: Resources, relaxed: Resources, outcome: Outcome, tried: Outcome
) -> Trial:
    lever = LEVERS[name]
    before, after = (find_percentiles(one.latencies).p95 for one in (outcome, tried))
    faster = 1 - after / before if before else 0.0
    more = tried.done / outcome.done - 1 if outcome.done else float(tried.done > 0)
    return Trial(
        resource=name,
        setting=lever.setting,
        where=lever.where,
        before=lever.read(resources),
        after=lever.read(relaxed),
        p95_s=after,
        throughput=tried.throughput,
        gain=max(faster, more),
    )


def _choose(outcome: Outcome) -> list[str]:
    """Choose what may bound the run: what refuses, and what jobs wait for, the longest first."""
    total_s = max(outcome.mean_time_s, 1e-9)
    names = [name for name, count in outcome.refusals.items() if count]
    names += [
        name
        for name, waited_s in sorted(outcome.waits.items(), key=lambda item: -item[1])
        if waited_s / total_s >= WORTH_A_LOOK
    ]
    # behind what is waited for in an instance there may be too few of them
    within = {"activity slots", "worker threads", "processor", "database pool"}
    if outcome.utilisation["instances"] >= 1 and within & set(names):
        names.insert(1, "instances")
    if "orchestrator slots" in names:
        names.append("partitions")
    return names
