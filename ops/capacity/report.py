"""Says what a run came to: as plain JSON, and as lines for people."""

from typing import Any

from ops.capacity.bottleneck import NOTHING, Finding
from ops.capacity.cost import Cost
from ops.capacity.outcome import Outcome, find_percentiles
from ops.capacity.scenario import Load, Resources


def to_plain(
    load: Load, resources: Resources, outcome: Outcome, finding: Finding, cost: Cost
) -> dict[str, Any]:
    """Build one JSON object. Seconds, shares from 0 to 1, US dollars a month."""
    job, first, hook = (
        find_percentiles(one)
        for one in (outcome.latencies, outcome.first_answers, outcome.webhooks)
    )
    return {
        "load": {
            "jobs_per_hour": load.jobs_per_hour,
            "variants": load.variants,
            "model_seconds": load.model_s,
            "hours": load.hours,
            "seed": load.seed,
        },
        "plan": resources.plan,
        "jobs": {
            "arrived": outcome.arrived,
            "done": outcome.done,
            "failed": outcome.failed,
            "in_flight": outcome.in_flight,
        },
        "overloaded": outcome.is_overloaded,
        "refused": outcome.is_refused,
        "throughput_per_hour": round(outcome.throughput, 1),
        "job_s": _round(job.p50, job.p95, job.p99),
        "first_answer_s": _round(first.p50, first.p95, first.p99),
        "webhook_s": _round(hook.p50, hook.p95, hook.p99),
        "utilisation": {name: round(part, 4) for name, part in outcome.utilisation.items()},
        "waits_s": {name: round(waited_s, 3) for name, waited_s in outcome.waits.items()},
        "queues": outcome.queues,
        "refused_by_budget": outcome.refusals,
        "instances": {
            "mean": round(outcome.mean_instances, 2),
            "peak": outcome.peak_instances,
        },
        "bottleneck": finding.resource,
        "trials": [
            {
                "resource": trial.resource,
                "setting": trial.setting,
                "where": trial.where,
                "from": trial.before,
                "to": trial.after,
                "p95_s": round(trial.p95_s, 2),
                "throughput_per_hour": round(trial.throughput, 1),
                "gain": round(trial.gain, 3),
            }
            for trial in finding.trials
        ],
        "cost_usd_month": {
            "compute": round(cost.compute, 2),
            "model": None if cost.model is None else round(cost.model, 2),
            "storage": round(cost.storage, 2),
            "database": round(cost.database, 2),
            "total": None if cost.total is None else round(cost.total, 2),
        },
    }


def _round(p50: float, p95: float, p99: float) -> dict[str, float]:
    return {"p50": round(p50, 3), "p95": round(p95, 3), "p99": round(p99, 3)}


def describe(plain: dict[str, Any]) -> str:
    """Write the object of `to_plain` for people."""
    load, jobs, cost = plain["load"], plain["jobs"], plain["cost_usd_month"]
    overload = "is refused" if plain["refused"] else "piles up"
    lines = [
        (
            f"{load['jobs_per_hour']:g} jobs an hour of {load['variants']} variants for"
            f" {load['hours']:g} h on {plain['plan']}, model {load['model_seconds']:g} s a call"
        ),
        f"  jobs          {jobs['arrived']} came, {jobs['done']} done, {jobs['failed']} failed,"
        f" {jobs['in_flight']} in flight; {plain['throughput_per_hour']:g} an hour"
        + (f"  OVERLOADED: work {overload}" if plain["overloaded"] else ""),
    ]
    for key, label in (
        ("job_s", "a job"),
        ("first_answer_s", "first answer"),
        ("webhook_s", "webhook"),
    ):
        times = plain[key]
        lines.append(
            f"  {label:<13} P50 {times['p50']:.2f} s, P95 {times['p95']:.2f} s,"
            f" P99 {times['p99']:.2f} s"
        )
    instances = plain["instances"]
    lines.append(f"  instances     {instances['mean']:g} on average, {instances['peak']} at most")
    lines.append("  resource                    in use   a job waits   most waiting")
    for name in sorted(plain["utilisation"], key=lambda one: -plain["utilisation"][one]):
        waited_s = plain["waits_s"].get(name)
        waits = "" if waited_s is None else f"{waited_s:.2f} s"
        longest = plain["queues"].get(name, "")
        share = 100 * plain["utilisation"][name]
        lines.append(f"    {name:<25} {share:>6.1f} %   {waits:>11}   {longest:>12}".rstrip())
    quota = plain["waits_s"].get("model quota", 0.0)
    if quota:
        lines.append(f"    {'model quota':<25} {'':>8}   {quota:>9.2f} s")
    lines += [
        f"    {name:<25} refused {count} steps"
        for name, count in plain["refused_by_budget"].items()
        if count
    ]
    lines.append(f"  bottleneck    {plain['bottleneck']}")
    if plain["bottleneck"] == NOTHING:
        lines.append("                a faster model, less effort or fewer variants shorten a job")
    lines += [
        f"    {trial['setting']} ({trial['where']}) {trial['from']:g} → {trial['to']:g}:"
        f" P95 {trial['p95_s']:.2f} s, {trial['throughput_per_hour']:g} an hour"
        for trial in plain["trials"]
    ]
    model = "unknown" if cost["model"] is None else f"${cost['model']:,.0f}"
    lines.append(
        f"  a month       compute ${cost['compute']:,.0f}, model {model},"
        f" storage ${cost['storage']:,.0f}, database ${cost['database']:,.0f}"
    )
    return "\n".join(lines) + "\n"
