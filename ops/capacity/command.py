"""The command line of capacity: how many jobs the app carries, what bounds it, what it costs.

Exit codes: 0 it carries the load, 2 wrong usage, settings or files, 3 work piles up.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ops.capacity.scenario import PLANS, Load, Resources, ScenarioError, build_resources
from shared.domain.commands import MAX_VARIANTS
from shared.settings.reader import SettingsError

if TYPE_CHECKING:
    from ops.capacity.calibration import Calibration

ENOUGH_JOBS: Final = 1000
"""Fewer would leave a 95th percentile to chance."""
MOST_JOBS: Final = 200_000
"""Of one run: more take minutes."""
_OVERRIDES: Final = (
    # argument, field, least, what it is
    ("instances", "instances", 1, "instances at the beginning, and never fewer"),
    ("max-instances", "max_instances", 1, "instances at most"),
    ("threads", "threads", 1, "PYTHON_THREADPOOL_THREAD_COUNT"),
    ("activity-slots", "activity_slots", 1, "maxConcurrentActivityFunctions"),
    ("orchestrator-slots", "orchestrator_slots", 1, "maxConcurrentOrchestratorFunctions"),
    ("partitions", "partitions", 1, "partitionCount"),
    ("job-slots", "job_slots", 1, "CODE_AGENT_MAX_RUNNING_JOBS"),
    ("pool-size", "pool_size", 1, "CODE_AGENT_DATABASE_POOL_SIZE"),
    ("db-connections", "db_connections", 1, "connections that the database's server takes"),
    ("ado-identities", "ado_identities", 1, "identities towards Azure DevOps"),
    ("tstu-per-call", "tstu_per_call", 0.0001, "what one call costs, from your page Usage"),
    ("ado-seconds", "ado_call_s", 0.001, "one call to Azure DevOps"),
    ("model-requests", "model_requests", 1.0, "the model's quota of requests a minute"),
    ("model-input-tokens", "model_input_tokens", 1.0, "tokens a minute that no cache served"),
    ("model-output-tokens", "model_output_tokens", 1.0, "tokens a minute"),
)


def at_least(least: float) -> Callable[[str], Any]:
    """Build a reader of an argument that has a smallest value, of the same type as that."""

    def read(text: str) -> Any:
        try:
            value = type(least)(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not least <= value < 1e12:
            raise argparse.ArgumentTypeError(f"{text}: {least:g} or more expected")
        return value

    return read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    usual = Load()
    parser.add_argument(
        "--jobs-per-hour", type=at_least(0.01), default=usual.jobs_per_hour, help="%(default)s"
    )
    parser.add_argument(
        "--variants", type=int, choices=range(1, MAX_VARIANTS + 1), default=usual.variants
    )
    parser.add_argument(
        "--model-seconds",
        type=at_least(0.001),
        default=usual.model_s,
        help="median of one call to the model (%(default)s)",
    )
    parser.add_argument(
        "--model-sigma",
        type=at_least(0.0),
        default=usual.model_sigma,
        help="of its logarithm: how long the tail is (%(default)s)",
    )
    parser.add_argument(
        "--prompt-tokens", type=at_least(1), default=usual.prompt_tokens, help="%(default)s a call"
    )
    parser.add_argument(
        "--answer-tokens", type=at_least(1), default=usual.answer_tokens, help="%(default)s a call"
    )
    parser.add_argument(
        "--people",
        type=at_least(1),
        default=usual.people,
        help="who write the commands, evenly, for a person's budget (%(default)s)",
    )
    parser.add_argument(
        "--hours",
        type=at_least(0.01),
        help=f"of the run; by default one, or as many as bring {ENOUGH_JOBS} jobs",
    )
    parser.add_argument("--seed", type=int, default=usual.seed, help="%(default)s")
    parser.add_argument("--plan", choices=PLANS, default="flex", help="%(default)s")
    parser.add_argument(
        "--model", default=usual.model, help="provider/model, for its price (%(default)s)"
    )
    parser.add_argument("--prices", type=Path, help="a file like ops/capacity/prices.json")
    parser.add_argument("--calibration", type=Path, help="a file like the one that is shipped")
    parser.add_argument("--charts", type=Path, metavar="FOLDER", help="draw the run as SVG files")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the document of all sizes instead"
    )
    parser.add_argument("--json", action="store_true", help="print one object at the end")
    there = parser.add_argument_group(
        "resources", "by default those of host.json, the settings of this environment and the plan"
    )
    for name, _, least, text in _OVERRIDES:
        there.add_argument(f"--{name}", type=at_least(least), help=text)


def run(args: argparse.Namespace) -> int:
    """Simulate; answers the exit code."""
    missing = [name for name in ("simpy", "matplotlib") if find_spec(name) is None]
    if missing:
        sys.stderr.write(f"error: {', '.join(missing)}: install requirements-dev.txt\n")
        return 2
    from ops.capacity.calibration import FILE, CalibrationError, read_calibration
    from ops.capacity.cost import FILE as PRICES
    from ops.capacity.cost import PricesError, read_prices

    try:
        calibration = read_calibration(args.calibration or FILE)
        prices = read_prices(args.prices or PRICES)
        resources = _build_resources(args, os.environ)
        load = _build_load(args)
    except (CalibrationError, PricesError, ScenarioError, SettingsError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    if args.write:
        from ops.capacity.document import write_document

        write_document(args.write, calibration, prices, args.model, _tell)
        return 0
    return _run_once(args, load, resources, calibration, prices)


def _run_once(
    args: argparse.Namespace,
    load: Load,
    resources: Resources,
    calibration: "Calibration",
    prices: dict[str, float],
) -> int:
    from ops.capacity.bottleneck import find_bottleneck
    from ops.capacity.cost import estimate_cost
    from ops.capacity.report import describe, to_plain
    from ops.capacity.simulation import simulate

    _tell(f"simulating about {load.jobs_per_hour * load.hours:.0f} jobs in {load.hours:g} h")
    outcome = simulate(load, resources, calibration, _build_progress())
    _tell("relaxing what jobs wait for")
    finding = find_bottleneck(load, resources, calibration, outcome)
    cost = estimate_cost(load, resources, outcome, prices)
    plain = to_plain(load, resources, outcome, finding, cost)
    if args.charts:
        from ops.capacity.charts import draw_charts

        drawn = draw_charts(outcome, args.charts, f"{load.jobs_per_hour:g}-an-hour")
        plain["charts"] = {name: str(path) for name, path in drawn.items()}
    sys.stdout.write(json.dumps(plain) + "\n" if args.json else describe(plain))
    return 3 if outcome.is_overloaded else 0


def _build_resources(args: argparse.Namespace, environment: Mapping[str, str]) -> Resources:
    # what the simulation needs of the settings is neither organisation nor secrets
    kept = {
        name: value
        for name, value in environment.items()
        if name.startswith(("CODE_AGENT_", "PYTHON_THREADPOOL"))
    }
    resources = build_resources(args.plan, kept)
    given = {
        field: value
        for name, field, _, _ in _OVERRIDES
        if (value := getattr(args, name.replace("-", "_"))) is not None
    }
    resources = replace(resources, **given)
    if "instances" in given and "max_instances" not in given:
        resources = replace(
            resources, max_instances=max(resources.max_instances, resources.instances)
        )
    if resources.instances > resources.max_instances:
        raise ScenarioError("--instances: no more than --max-instances expected")
    return resources


def _build_load(args: argparse.Namespace) -> Load:
    hours = args.hours or max(1.0, ENOUGH_JOBS / args.jobs_per_hour)
    if args.jobs_per_hour * hours > MOST_JOBS:
        raise ScenarioError(f"--hours: a run of at most {MOST_JOBS} jobs expected")
    return Load(
        jobs_per_hour=args.jobs_per_hour,
        variants=args.variants,
        model_s=args.model_seconds,
        model_sigma=args.model_sigma,
        prompt_tokens=args.prompt_tokens,
        answer_tokens=args.answer_tokens,
        model=args.model,
        people=args.people,
        hours=hours,
        seed=args.seed,
    )


def _build_progress() -> Callable[[float], None]:
    told = 0

    def tell(part: float) -> None:
        nonlocal told
        quarter = int(part * 4)
        if quarter > told:
            told = quarter
            _tell(f"  {25 * quarter} %")

    return tell


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
