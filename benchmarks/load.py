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
import random
import sys
from dataclasses import asdict, replace
from itertools import islice
from typing import Any, Final

from benchmarks.load_brain import list_times_s
from benchmarks.load_calibration import calibrate
from benchmarks.load_world import Ran, run_load, run_loaded_world
from ops.capacity.calibration import read_calibration
from ops.capacity.document import VALIDATION
from ops.capacity.outcome import Percentiles, find_percentiles
from ops.capacity.scenario import Load, build_resources
from ops.capacity.simulation import simulate

COMMAND: Final = "python -m benchmarks.load --validate"
BOUND: Final = 0.15
SEEDS: Final = 20
"""Simulations of one validation: their jobs are taken together."""


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
        tell(f"jobs that meet no other, for three minutes; load average {os.getloadavg()[0]:.2f}")
        print(json.dumps(calibrate(), indent=1))
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
    load = replace(load, model_times_s=list_model_times_s(load))
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


def list_model_times_s(load: Load) -> tuple[float, ...]:
    """List what the model will take, behind the job that warms up the world."""
    times_s = list_times_s(load.model_s, load.model_sigma)
    return tuple(islice(times_s, load.turns, load.turns * (1 + len(load.arrivals))))


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


def tell(line: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
