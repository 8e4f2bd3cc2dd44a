"""Measures what jobs take that meet no other job, for the simulation of those that do.

Jobs of one and of several variants take turns, so that a machine whose speed drifts drifts
for both.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.load_world import Ran, merge, read_cpu, run_load, run_loaded_world
from ops.capacity.calibration import FILE, Calibration, read_calibration
from ops.capacity.document import VALIDATION
from ops.capacity.flow import count_episodes
from ops.capacity.scenario import LOCAL_CORES, Load, build_resources
from ops.capacity.simulation import simulate

ROUNDS: Final = 6
JOBS: Final = 5
"""Of a round, of each kind."""
PAUSE_S: Final = 0.9
"""Between jobs that are to meet nobody."""
SINGLE: Final = 1
SEVERAL: Final = 3
"""Variants of the jobs that show what threads cost each other."""
WAITING_JOBS: Final = 10
ONE_SLOT: Final = {"CODE_AGENT_MAX_RUNNING_JOBS": "1"}
IDLE_S: Final = 5.0
KEPT: Final = 24
"""Times of each step that the calibration keeps."""


def calibrate() -> dict[str, Any]:
    """Measure single jobs with a model that answers at once, and write what they took."""
    ran = _measure_rounds()
    pairs = [2 * PAUSE_S * (number // 2) for number in range(2 * WAITING_JOBS)]
    with run_loaded_world(model_s=0.0, model_sigma=0.5, settings=ONE_SLOT) as demo:
        run_load(demo, SINGLE, [0.0])
        waiting = run_load(demo, SINGLE, pairs)
    document = _build(ran, waiting)
    VALIDATION.unlink(missing_ok=True)  # it was about other times
    _write(document)
    several_s = statistics.median(ran[SEVERAL].latencies)
    document["together"] = find_together(read_calibration(), several_s)
    _write(document)
    lone_s = {str(one): round(statistics.median(each.latencies), 3) for one, each in ran.items()}
    return {key: value for key, value in document.items() if key != "steps"} | {"lone_s": lone_s}


def _measure_rounds() -> dict[int, Ran]:
    runs: dict[int, list[Ran]] = {SINGLE: [], SEVERAL: []}
    arrivals = [PAUSE_S * number for number in range(JOBS)]
    with run_loaded_world(model_s=0.0, model_sigma=0.5) as demo:
        for variants in runs:
            run_load(demo, variants, [0.0])
        before = read_cpu(demo)
        time.sleep(IDLE_S)
        idle = {name: (spent - before[name]) / IDLE_S for name, spent in read_cpu(demo).items()}
        for number in range(ROUNDS):
            sys.stderr.write(f"round {number + 1} of {ROUNDS}\n")
            for variants, those in runs.items():
                those.append(run_load(demo, variants, arrivals))
    ran = {variants: merge(those) for variants, those in runs.items()}
    return {
        variants: replace(
            one,
            cpu_s={name: spent - idle[name] * one.took_s for name, spent in one.cpu_s.items()},
        )
        for variants, one in ran.items()
    }


def _build(ran: dict[int, Ran], waiting: Ran) -> dict[str, Any]:
    single, jobs = ran[SINGLE], ROUNDS * JOBS
    # what has several variants contends with itself; only the survey is alone in its moment, and
    # only a job that another waits for wakes anybody
    steps = {
        **single.steps,
        "warm_prompt": ran[SEVERAL].steps["warm_prompt"],
        "wake_jobs": waiting.steps["wake_jobs"],
    }
    # an answer of an entity takes the end of its caller's episode, and one of its own
    episode_s = statistics.median(single.entity_calls) / 2
    webhook_s = single.webhook_s[2]
    ado_call_s = single.cpu_s["azure-devops"] / single.ado_calls
    model_turn_s = single.cpu_s["model"] / (2 * jobs)
    own = {name: [max(0.0, took - episode_s) for took in took_s] for name, took_s in steps.items()}
    own_s = sum(sum(took_s) for name, took_s in own.items() if name in single.steps)
    own_s -= single.ado_calls * ado_call_s + 2 * jobs * model_turn_s
    computed_s = single.cpu_s["host"] - jobs * (webhook_s + count_episodes(1) * episode_s)
    return {
        "about": "Written by `python -m benchmarks.load --calibrate`; do not edit. Seconds.",
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
        f"{os.cpu_count()} cores, CPython {platform.python_version()}",
        "webhook_cpu_s": round(webhook_s, 5),
        "episode_s": round(episode_s, 5),
        "host_share": round(min(1.0, max(0.0, computed_s / own_s)), 3),
        "together": 1.0,
        "ado_call_s": round(ado_call_s, 5),
        "model_turn_s": round(model_turn_s, 5),
        "steps": {name: _thin(took_s) for name, took_s in sorted(own.items())},
    }


def find_together(calibration: Calibration, several_s: float) -> float:
    """Find how much several threads get, so that simulated jobs take as long as measured ones did.

    Args:
        calibration: everything else.
        several_s: median time of a job of `SEVERAL` variants, which meet each other and no other.
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
    resources = build_resources("local", {})
    least, most = 0.1, LOCAL_CORES
    for _ in range(20):
        middle = (least + most) / 2
        outcome = simulate(load, resources, replace(calibration, together=middle))
        if statistics.median(outcome.latencies) > several_s:
            least = middle
        else:
            most = middle
    return round((least + most) / 2, 3)


def _write(document: dict[str, Any]) -> None:
    """Write the calibration."""
    FILE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _thin(took_s: Sequence[float]) -> list[float]:
    """Take evenly spread times of all that were measured, the smallest and largest included."""
    ranked = sorted(took_s)
    last = len(ranked) - 1
    places = [round(number * last / (KEPT - 1)) for number in range(KEPT)]
    return [round(ranked[place], 5) for place in places]
