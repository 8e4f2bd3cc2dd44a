"""Writes docs/capacity.md: the sizes from ten jobs an hour up to 100,000 a day, as simulated.

For each size two runs: with everything as it is shipped, and with what bounds it moved until
nothing does any more.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.capacity.bottleneck import NOTHING, Trial, find_bottleneck, grow, merge_moves
from ops.capacity.calibration import Calibration
from ops.capacity.charts import draw_charts
from ops.capacity.cost import Cost, estimate_cost
from ops.capacity.outcome import Outcome, find_percentiles
from ops.capacity.scenario import BUSY_HOUR, Load, Resources, build_resources
from ops.capacity.simulation import simulate

SIZES: Final = (10.0, 100.0, 1_000.0, 10_000.0)
"""Jobs in the busiest hour: the last is 100,000 a day."""
DRAWN: Final = (100.0, 10_000.0)
ENOUGH_JOBS: Final = 1_000
SHORTEST_H: Final = 0.3
TEXT: Final = Path(__file__).with_name("document.md")
VALIDATION: Final = Path(__file__).with_name("validation.json")
"""Runs of `python -m benchmarks.load --validate`, as it has noted them."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """One size: as shipped, and grown to it."""

    load: Load
    shipped: Outcome
    bound: str
    first: Trial | None
    """What moves most, as shipped."""
    grown: Outcome
    resources: Resources
    moves: Sequence[Trial]
    cost: Cost


def write_document(
    path: Path, calibration: Calibration, prices: dict[str, float], model: str, tell: Tell
) -> None:
    """Simulate all sizes and write the document, and its charts into a folder beside it."""
    sizes = []
    for jobs_per_hour in SIZES:
        tell(f"{jobs_per_hour:g} jobs an hour")
        sizes.append(_simulate_size(jobs_per_hour, calibration, prices, model))
    folder = path.with_suffix("")
    drawn = [size for size in sizes if size.load.jobs_per_hour in DRAWN]
    for size in drawn:
        draw_charts(size.shipped, folder, f"{size.load.jobs_per_hour:g}-shipped")
        draw_charts(size.grown, folder, f"{size.load.jobs_per_hour:g}-grown")
    tables = {
        "MEASURED_ON": calibration.measured_on,
        "VALIDATION": _write_validation(),
        "SHIPPED": _write_shipped(sizes),
        "GROWN": _write_grown(sizes),
        "MOVES": _write_moves(sizes),
        "COST": _write_cost(sizes),
        "PARTS": _write_parts(sizes[-1], calibration),
        "CHARTS": _write_charts(folder.name, drawn),
    }
    text = TEXT.read_text("utf-8")
    for name, table in tables.items():
        text = text.replace(f"{{{name}}}", table)
    path.write_text(text, encoding="utf-8")


def _simulate_size(
    jobs_per_hour: float, calibration: Calibration, prices: dict[str, float], model: str
) -> Size:
    hours = max(SHORTEST_H, ENOUGH_JOBS / jobs_per_hour)
    load = Load(jobs_per_hour=jobs_per_hour, hours=hours, model=model)
    resources = build_resources("flex", {})
    shipped = simulate(load, resources, calibration)
    finding = find_bottleneck(load, resources, calibration, shipped)
    grown_to, grown, moves = grow(load, resources, calibration)
    return Size(
        load=load,
        shipped=shipped,
        bound=finding.resource,
        first=finding.trials[0] if finding.trials and finding.resource != NOTHING else None,
        grown=grown,
        resources=grown_to,
        moves=merge_moves(moves),
        cost=estimate_cost(load, grown_to, grown, prices),
    )


def _write_shipped(sizes: Sequence[Size]) -> str:
    rows = []
    for size in sizes:
        times, first = find_percentiles(size.shipped.latencies), "nothing to move"
        if size.first:
            first = (
                f"{size.first.setting} {size.first.before:g} → {size.first.after:g}:"
                f" P95 {_seconds(size.first.p95_s)}, {size.first.throughput:,.0f} an hour"
            )
        state = _name_state(size.shipped)
        rows.append(
            (
                *_name(size),
                state,
                f"{size.shipped.throughput:,.0f}",
                _seconds(times.p50),
                _seconds(times.p95),
                size.bound,
                first,
            )
        )
    return _table(
        ("jobs an hour", "a day", "", "done an hour", "P50", "P95", "bound by", "what moves it"),
        rows,
    )


def _write_grown(sizes: Sequence[Size]) -> str:
    rows = []
    for size in sizes:
        times = find_percentiles(size.grown.latencies)
        first = find_percentiles(size.grown.first_answers)
        use = size.grown.utilisation
        rows.append(
            (
                *_name(size),
                _name_state(size.grown),
                _seconds(times.p50),
                _seconds(times.p95),
                _seconds(first.p95),
                f"{size.grown.mean_instances:.1f} / {size.grown.peak_instances}",
                f"{size.grown.mean_jobs:,.0f}",
                f"{100 * use['Azure DevOps quota']:.0f} %",
                f"{100 * use['model input tokens']:.0f} %",
            )
        )
    return _table(
        (
            *("jobs an hour", "a day", "", "P50", "P95", "first answer P95"),
            *("instances, mean / peak", "jobs at once", "of the TSTU", "of the model's input"),
        ),
        rows,
    )


def _write_moves(sizes: Sequence[Size]) -> str:
    settings = {move.setting: move.where for size in sizes for move in size.moves}
    rows = []
    for setting, where in settings.items():
        cells = []
        for size in sizes:
            found = [move for move in size.moves if move.setting == setting]
            cells.append(f"{found[0].before:g} → {found[0].after:g}" if found else "as shipped")
        rows.append((f"`{setting}`" if " " not in setting else setting, where, *cells))
    heads = ("setting", "where", *(f"{size.load.jobs_per_hour:,.0f} an hour" for size in sizes))
    return _table(heads, rows)


def _write_cost(sizes: Sequence[Size]) -> str:
    rows = [
        (
            *_name(size),
            f"{_count_tokens(size.load):,.0f}",
            f"${size.cost.compute:,.0f}",
            "unknown" if size.cost.model is None else f"${size.cost.model:,.0f}",
            f"${size.cost.storage:,.0f}",
            f"${size.cost.database:,.0f}",
        )
        for size in sizes
    ]
    return _table(
        ("jobs an hour", "a day", "tokens a day", "compute", "model", "task hub", "database"), rows
    )


def _count_tokens(load: Load) -> float:
    return load.jobs_a_day * load.turns * (load.prompt_tokens + load.answer_tokens)


def _write_parts(size: Size, calibration: Calibration) -> str:
    """Write what the guide estimates by part, from the largest size and the calibration."""
    grown, there = size.grown, size.resources
    jobs = max(1, grown.done)
    step_s = sum(sum(took) / len(took) for took in calibration.steps.values())
    cpu = grown.utilisation["processor"] * grown.mean_instances
    webhook_s = calibration.webhook_cpu_s
    return _table(
        ("line", "the guide's estimate", "here"),
        (
            (
                "S62 gateway",
                "1 vCPU for 100 requests a second",
                (
                    f"a delivery takes {1000 * webhook_s:.1f} ms of one core when nobody else asks:"
                    f" {1 / webhook_s:,.0f} a second; 10,000 jobs an hour are 2.8"
                ),
            ),
            (
                "S63 orchestrator",
                "2 vCPU for 50 jobs at once; 100 MB for 1,000 jobs",
                (
                    f"{grown.mean_jobs:,.0f} jobs at once use {cpu:.2f} cores on"
                    f" {grown.mean_instances:.0f} instances; what bounds them is slots and threads."
                    f" A job takes {grown.messages / jobs:.0f} messages and"
                    f" {grown.executions / jobs:.0f} runs of functions"
                ),
            ),
            (
                "S64 adapter",
                "1 vCPU for 20 operations a second",
                (
                    "12 + 3N calls a job; Azure DevOps gives one identity"
                    f" {there.ado_tstu / 300 / there.tstu_per_call:.0f} calls a second on and on,"
                    f" at {there.tstu_per_call:g} TSTU a call"
                ),
            ),
            (
                "S65 model",
                "2 vCPU, 1 GB, 1 GB of cache for 10,000 requests",
                (
                    f"{size.load.turns} calls a job of {size.load.variants} variants; tokens a"
                    " minute and money bound it, no processor."
                    f" All steps of the app together compute {1000 * step_s:.0f} ms at most"
                ),
            ),
            ("S66", "estimates, to be replaced by a load test", "this document"),
        ),
    )


def _write_validation() -> str:
    try:
        runs: Any = json.loads(VALIDATION.read_text("utf-8"))["runs"]
    except (OSError, ValueError, KeyError):
        return "Not validated on this calibration: run `python -m benchmarks.load --validate`."
    rows = [
        (
            (
                f"{run['jobs']} jobs, {run['jobs_per_hour']:g} an hour, N = {run['variants']},"
                f" model {run['model_seconds']:g} s, seed {run['seed']}"
            ),
            f"{run['measured']['p50']:.2f} / {run['measured']['p95']:.2f} s",
            f"{run['simulated']['p50']:.2f} / {run['simulated']['p95']:.2f} s",
            f"{run['ratio']['p50']:.2f} / {run['ratio']['p95']:.2f}",
            f"{run['load_average']:.2f}",
        )
        for run in runs
    ]
    heads = ("load", "measured P50 / P95", "simulated", "ratio", "load average before")
    return _table(heads, rows)


def _write_charts(folder: str, sizes: Sequence[Size]) -> str:
    parts = []
    for size in sizes:
        rate = f"{size.load.jobs_per_hour:g}"
        parts.append(f"### {size.load.jobs_per_hour:,.0f} jobs an hour\n")
        for kind, title in (("shipped", "As shipped"), ("grown", "With the settings above")):
            parts += [
                f"![{title}: {name}]({folder}/{rate}-{kind}-{name}.svg)"
                for name in ("latency", "queues", "utilisation")
            ]
        parts.append("")
    return "\n".join(parts).strip()


def _name(size: Size) -> tuple[str, str]:
    return f"{size.load.jobs_per_hour:,.0f}", f"{size.load.jobs_per_hour / BUSY_HOUR:,.0f}"


def _name_state(outcome: Outcome) -> str:
    if not outcome.is_overloaded:
        return "carried"
    failed = outcome.failed / max(1, outcome.arrived)
    return f"{100 * failed:.0f} % refused" if outcome.is_refused else "work piles up"


def _seconds(value: float) -> str:
    if not value:
        return "none ended"
    return f"{value / 60:,.0f} min" if value >= 600 else f"{value:,.0f} s"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
