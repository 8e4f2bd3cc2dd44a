"""Draws a run as SVG: how long jobs took, what waited, how much was in use. matplotlib does it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.capacity.outcome import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 30


def draw_charts(outcome: Outcome, folder: Path, name: str) -> dict[str, Path]:
    """Draw the three charts of a run; answers what each file shows.

    The same run gives the same bytes, so that a generated document changes only with its figures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "latency": _draw(folder / f"{name}-latency.svg", lambda ax: _latency(ax, outcome)),
        "queues": _draw(folder / f"{name}-queues.svg", lambda ax: _queues(ax, outcome)),
        "utilisation": _draw(folder / f"{name}-utilisation.svg", lambda ax: _use(ax, outcome)),
    }


def _draw(path: Path, fill: Any) -> Path:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "capacity", "font.size": 9, "svg.fonttype": "none"}):
        figure = Figure(figsize=(6.4, 2.8), layout="constrained")
        axes = figure.subplots()
        fill(axes)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})
    return path


def _latency(axes: "Axes", outcome: Outcome) -> None:
    minutes = [value / 60 for value in outcome.finished_at]
    seconds = list(outcome.latencies)
    axes.plot(
        *(minutes, seconds, "."),
        markersize=2,
        alpha=0.35,
        color="tab:blue",
        label="one job",
        rasterized=True,  # thousands of points: the file would be as long as the run
    )
    if minutes:
        last = max(minutes)
        groups: dict[int, list[float]] = {number: [] for number in range(_BINS)}
        for at, took in zip(minutes, seconds, strict=True):
            groups[min(_BINS - 1, int(at / last * _BINS))].append(took)
        for part, label in ((0.5, "P50"), (0.95, "P95")):
            known = [
                ((number + 0.5) * last / _BINS, sorted(took)[int(part * len(took))])
                for number, took in groups.items()
                if took
            ]
            axes.plot([at for at, _ in known], [took for _, took in known], label=label)
    axes.set(xlabel="minutes", ylabel="seconds of a job", ylim=(0, None))
    axes.legend(frameon=False)


def _queues(axes: "Axes", outcome: Outcome) -> None:
    minutes = [one.at_s / 60 for one in outcome.moments]
    axes.plot(minutes, [one.jobs for one in outcome.moments], label="jobs in flight")
    waiting = [one.waiting_jobs for one in outcome.moments]
    axes.plot(minutes, waiting, label="of them waiting for a slot")
    activities = [one.waiting_activities for one in outcome.moments]
    axes.plot(minutes, activities, label="activities waiting")
    instances = [one.instances for one in outcome.moments]
    axes.plot(minutes, instances, label="instances", linestyle="--")
    axes.set(xlabel="minutes", ylim=(0, None))
    axes.legend(frameon=False)


def _use(axes: "Axes", outcome: Outcome) -> None:
    names = sorted(outcome.utilisation, key=lambda name: outcome.utilisation[name])
    axes.barh(names, [100 * outcome.utilisation[name] for name in names], color="tab:blue")
    axes.set(xlabel="% in use", xlim=(0, 100))
