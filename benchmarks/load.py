"""A load on the local host, driven by locust; what the capacity simulation is measured by.

`--calibrate` measures jobs that come one at a time, and writes the times of their steps into
`ops/capacity/calibration.json`. `--validate` drives another load, at which jobs queue, and holds
the simulation of the same arrivals against it: 50th and 95th percentile of the time of a job have
to agree within 15 %. Without either, the load is driven and told. The host, the stand-ins and
locust share this machine: on one that is busy with something else the figures mean nothing.
"""

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.load_world import Ran, read_cpu, run_load, run_loaded_world
from ops.capacity.calibration import FILE, read_calibration
from ops.capacity.document import VALIDATION
from ops.capacity.flow import count_episodes
from ops.capacity.outcome import Percentiles, find_percentiles
from ops.capacity.scenario import Load, build_resources
from ops.capacity.simulation import simulate

COMMAND: Final = "python -m benchmarks.load --validate"
BOUND: Final = 0.15
SEEDS: Final = 20
"""Simulations of one validation: their jobs are taken together."""
SINGLE_JOBS: Final = 25
PAUSE_S: Final = 0.9
"""Between jobs that are to meet nobody."""
SEVERAL: Final = 3
"""Variants of the jobs that show what threads cost each other."""
WAITING_JOBS: Final = 10
ONE_SLOT: Final = {"CODE_AGENT_MAX_RUNNING_JOBS": "1"}
IDLE_S: Final = 5.0
KEPT: Final = 24
"""Times of each step that the calibration keeps."""


def main() -> int:
    """Run what was asked for; 1 when the simulation is out of its bound."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--calibrate", action="store_true", help="write the times of single jobs")
    does.add_argument("--validate", action="store_true", help="hold the simulation against it")
    parser.add_argument(
        "--keep", action="store_true", help="note the validation for docs/capacity.md"
    )
    parser.add_argument("--jobs", type=int, default=120, help="how many (%(default)s)")
    parser.add_argument(
        "--jobs-per-hour", type=float, default=2_700, help="their rate (%(default)s)"
    )
    parser.add_argument("--variants", type=int, default=3, help="of each job (%(default)s)")
    parser.add_argument(
        "--model-seconds", type=float, default=1.0, help="median of one turn (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the arrivals (%(default)s)")
    options = parser.parse_args()
    if options.calibrate:
        calibrate()
        return 0
    gaps = random.Random(options.seed)  # noqa: S311 - reproducible, no secret
    arrivals, at_s = [], 0.0
    for _ in range(options.jobs):
        at_s += gaps.expovariate(options.jobs_per_hour / 3600)
        arrivals.append(at_s)
    load = Load(
        jobs_per_hour=options.jobs_per_hour,
        variants=options.variants,
        model_s=options.model_seconds,
        judge_turns=1,
        survey_turns=1,
        draft_turns=1,
        arrivals=tuple(arrivals),
        hours=(at_s + 600) / 3600,
    )
    busy = os.getloadavg()[0]
    tell(f"{options.jobs} jobs in about {at_s:.0f} s; load average {busy:.2f}")
    ran = measure(load)
    measured = find_percentiles(ran.latencies)
    p50_s, p95_s, _ = ran.webhook_s
    print(f"webhook    P50 {1000 * p50_s:.0f} ms, P95 {1000 * p95_s:.0f} ms")
    print(f"measured   {describe(measured)}")
    if not options.validate:
        return 0
    simulated = simulate_often(load)
    ratios = {
        "p50": simulated.p50 / measured.p50,
        "p95": simulated.p95 / measured.p95,
    }
    print(f"simulated  {describe(simulated)}")
    print(f"ratio      P50 {ratios['p50']:.3f}, P95 {ratios['p95']:.3f} (bound ±{BOUND})")
    if options.keep:
        keep(
            {
                "jobs": options.jobs,
                "jobs_per_hour": options.jobs_per_hour,
                "variants": options.variants,
                "model_seconds": options.model_seconds,
                "seed": options.seed,
                "load_average": busy,
                "measured": asdict(measured),
                "simulated": asdict(simulated),
                "ratio": ratios,
            }
        )
    return int(any(abs(ratio - 1) > BOUND for ratio in ratios.values()))


def measure(load: Load) -> Ran:
    """Drive a load at a world that has been warmed up."""
    with run_loaded_world(model_s=load.model_s, model_sigma=load.model_sigma) as demo:
        run_load(demo, load.variants, [0.0])
        return run_load(demo, load.variants, load.arrivals)


def simulate_often(load: Load) -> Percentiles:
    """Simulate the same arrivals with many seeds; answers the percentiles of all jobs."""
    resources = build_resources("local", {})
    calibration = read_calibration()
    latencies: list[float] = []
    for seed in range(SEEDS):
        latencies += simulate(replace(load, seed=seed), resources, calibration).latencies
    return find_percentiles(latencies)


def keep(run: dict[str, Any]) -> None:
    """Note a validation; another run of the same load takes its place."""
    runs = json.loads(VALIDATION.read_text("utf-8"))["runs"] if VALIDATION.exists() else []
    same = ("jobs", "jobs_per_hour", "variants", "model_seconds", "seed")
    runs = [one for one in runs if any(one[key] != run[key] for key in same)]
    document = {"about": f"Written by `{COMMAND} --keep`; do not edit.", "runs": [*runs, run]}
    VALIDATION.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def describe(times: Percentiles) -> str:
    """Say percentiles in a line."""
    return f"P50 {times.p50:.2f} s, P95 {times.p95:.2f} s, P99 {times.p99:.2f} s"


def calibrate() -> None:
    """Measure single jobs with a model that answers at once, and write what they took."""
    arrivals = [PAUSE_S * number for number in range(SINGLE_JOBS)]
    tell(f"two times {SINGLE_JOBS} jobs, one at a time; load average {os.getloadavg()[0]:.2f}")
    with run_loaded_world(model_s=0.0, model_sigma=0.5) as demo:
        for variants in (1, SEVERAL):
            run_load(demo, variants, [0.0])
        before = read_cpu(demo)
        time.sleep(IDLE_S)
        idle = {name: (spent - before[name]) / IDLE_S for name, spent in read_cpu(demo).items()}
        single = run_load(demo, 1, arrivals)
        several = run_load(demo, SEVERAL, arrivals)
    pairs = [PAUSE_S * 2 * (number // 2) for number in range(2 * WAITING_JOBS)]
    with run_loaded_world(model_s=0.0, model_sigma=0.5, settings=ONE_SLOT) as demo:
        run_load(demo, 1, [0.0])
        waiting = run_load(demo, 1, pairs)
    # what has several variants contends with itself; only the survey is alone in its moment, and
    # only a job that another waits for wakes anybody
    steps = {
        **single.steps,
        "warm_prompt": several.steps["warm_prompt"],
        "wake_jobs": waiting.steps["wake_jobs"],
    }
    busy_s = {name: spent - idle[name] * single.took_s for name, spent in single.cpu_s.items()}
    # an answer of an entity takes the end of its caller's episode, and one of its own
    episode_s = statistics.median(single.entity_calls) / 2
    webhook_s = single.webhook_s[2]
    ado_call_s = busy_s["azure-devops"] / single.ado_calls
    model_turn_s = busy_s["model"] / (2 * SINGLE_JOBS)
    own = {name: [max(0.0, took - episode_s) for took in took_s] for name, took_s in steps.items()}
    own_s = sum(sum(took_s) for name, took_s in own.items() if name in single.steps)
    own_s -= single.ado_calls * ado_call_s + 2 * SINGLE_JOBS * model_turn_s
    computed_s = busy_s["host"] - SINGLE_JOBS * (webhook_s + count_episodes(1) * episode_s)
    document = {
        "about": "Written by `python -m benchmarks.load --calibrate`; do not edit. Seconds.",
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
        f"{os.cpu_count()} cores, CPython {platform.python_version()}",
        "webhook_cpu_s": round(webhook_s, 5),
        "episode_s": round(episode_s, 5),
        "host_share": round(min(1.0, max(0.0, computed_s / own_s)), 3),
        "contention": 0.0,
        "ado_call_s": round(ado_call_s, 5),
        "model_turn_s": round(model_turn_s, 5),
        "steps": {name: thin(took_s) for name, took_s in sorted(own.items())},
    }
    VALIDATION.unlink(missing_ok=True)  # it was about other times
    write(document)
    document["contention"] = find_contention(statistics.mean(several.latencies))
    write(document)
    print(json.dumps({key: value for key, value in document.items() if key != "steps"}, indent=1))
    for label, ran in (("1 variant", single), (f"{SEVERAL} variants", several)):
        print(f"single job of {label}: {describe(find_percentiles(ran.latencies))}")


def find_contention(measured_s: float) -> float:
    """Find the contention with which a simulated job of several variants takes as long as it did.

    Its variants meet each other, and no other job.
    """
    load = Load(
        variants=SEVERAL,
        model_s=1e-9,
        judge_turns=1,
        survey_turns=1,
        draft_turns=1,
        arrivals=tuple(60.0 * number for number in range(1, 101)),
        hours=2,
    )
    resources, calibration = build_resources("local", {}), read_calibration()
    least, most = 0.0, 5.0
    for _ in range(20):
        middle = (least + most) / 2
        outcome = simulate(load, resources, replace(calibration, contention=middle))
        if statistics.mean(outcome.latencies) < measured_s:
            least = middle
        else:
            most = middle
    return round((least + most) / 2, 3)


def write(document: dict[str, Any]) -> None:
    """Write the calibration."""
    FILE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def thin(took_s: Sequence[float]) -> list[float]:
    """Take evenly spread times of all that were measured, the smallest and largest included."""
    ranked = sorted(took_s)
    last = len(ranked) - 1
    places = [round(number * last / (KEPT - 1)) for number in range(KEPT)]
    return [round(ranked[place], 5) for place in places]


def tell(line: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
