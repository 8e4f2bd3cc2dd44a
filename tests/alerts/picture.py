"""Draws the workbook from data, to be looked at: `python -m tests.alerts.picture DIR`.

It writes workbook.html and, where chromium is installed, workbook.png. The portal draws with its
own means: this shows what is there to be drawn, and whether it can be read.
"""

import html
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.alerts.evaluation import Telemetry
from tests.alerts.tell_scenarios import NOW, play_all
from tests.alerts.workbook import read_sections

Rows = list[dict[str, Any]]
_COLOURS: Final = ("#1f5fa8", "#c2571a", "#2b8a3e", "#a61e4d", "#5f3dc4", "#8a6d00")
_WIDTH: Final = 560
_HEIGHT: Final = 170
_MARGIN: Final = 44
_STYLE: Final = """
body { font: 14px/1.45 sans-serif; color: #222; margin: 24px; width: 1240px; }
h2 { border-bottom: 2px solid #1f5fa8; padding-bottom: 2px; margin: 28px 0 10px; }
.tiles { display: flex; flex-wrap: wrap; gap: 16px; }
.tile { border: 1px solid #ccc; border-radius: 4px; padding: 10px 14px; width: 580px; }
.wide { width: 1208px; }
h3 { font-size: 14px; margin: 0 0 8px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; border-bottom: 1px solid #888; font-weight: 600; }
th, td { padding: 3px 10px 3px 0; } td.number, th.number { text-align: right; }
tr:nth-child(even) td { background: #f5f7fa; }
td.bad { color: #b00020; font-weight: 700; } .legend { font-size: 12px; }
"""


def draw_workbook(telemetry: Telemetry) -> str:
    """Draw every tile from its query's rows, as one HTML page."""
    parts = [f"<!doctype html><meta charset='utf-8'><style>{_STYLE}</style><h1>Code Agent</h1>"]
    for section in read_sections():
        parts.append(f"<h2>{html.escape(section['section'])}</h2><div class='tiles'>")
        for tile in section["tiles"]:
            rows = telemetry.ask(tile["query"])
            wide = " wide" if tile.get("wide") else ""
            title = html.escape(tile["title"])
            drawn = _DRAW[tile["draw"]](rows) if rows else "Nothing in this time."
            parts.append(f"<div class='tile{wide}'><h3>{title}</h3>{drawn}</div>")
        parts.append("</div>")
    return "\n".join(parts)


def _draw_table(rows: Rows) -> str:
    names = list(rows[0])
    kinds = {name: "number" if isinstance(rows[0][name], int | float) else "" for name in names}
    head = "".join(f"<th class='{kinds[n]}'>{html.escape(n.replace('_', ' '))}</th>" for n in names)
    lines = []
    for row in rows[:12]:
        cells = [
            f"<td class='{kinds[name]}{' bad' if _is_bad(name, row[name]) else ''}'>"
            f"{html.escape(_write(row[name]))}</td>"
            for name in names
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _is_bad(name: str, value: Any) -> bool:
    return name == "budget_left_percent" and value < 0


def _draw_bars(rows: Rows) -> str:
    name, value = list(rows[0])
    most = max(float(row[value]) for row in rows) or 1.0
    lines = []
    for at, row in enumerate(rows[:8]):
        y, width = 6 + at * 24, 300 * float(row[value]) / most
        lines.append(
            f"<text x='150' y='{y + 13}' text-anchor='end'>{html.escape(_write(row[name]))}</text>"
            f"<rect x='160' y='{y}' width='{width:.1f}' height='18' fill='{_COLOURS[0]}'/>"
            f"<text x='{166 + width:.1f}' y='{y + 13}'>{_write(row[value])}</text>"
        )
    height = 12 + 24 * min(8, len(rows))
    return f"<svg width='{_WIDTH}' height='{height}' font-size='13'>{''.join(lines)}</svg>"


def _draw_lines(rows: Rows) -> str:
    numbers = [name for name in rows[0] if isinstance(rows[0][name], int | float)]
    split = [name for name in rows[0] if name not in ("timestamp", *numbers)]
    series: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for row in rows:
        label = _write(row[split[0]]) if split else numbers[0]
        series[label].append((datetime.fromisoformat(row["timestamp"]), float(row[numbers[0]])))
    instants = [at for points in series.values() for at, _ in points]
    first, last = min(instants), max(instants)
    span = (last - first).total_seconds() or 1.0
    most = max(value for points in series.values() for _, value in points) or 1.0

    def place(at: datetime, value: float) -> tuple[float, float]:
        x = _MARGIN + (_WIDTH - 2 * _MARGIN) * (at - first).total_seconds() / span
        return x, _HEIGHT - 24 - (_HEIGHT - 40) * value / most

    drawn, legend = [], []
    for number, (label, points) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [place(at, value) for at, value in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        dots = "".join(
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>" for x, y in placed
        )
        line = f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>"
        drawn.append(line + dots)
        legend.append(f"<span style='color:{colour}'>&#9632; {html.escape(label)}</span>")
    base, right = _HEIGHT - 24, _WIDTH - _MARGIN
    axes = (
        f"<line x1='{_MARGIN}' y1='{base}' x2='{right}' y2='{base}' stroke='#888'/>"
        f"<text x='{_MARGIN - 6}' y='22' text-anchor='end'>{_write(most)}</text>"
        f"<text x='{_MARGIN - 6}' y='{base}' text-anchor='end'>0</text>"
        f"<text x='{_MARGIN}' y='{_HEIGHT - 6}'>{first:%d %b %H:%M}</text>"
        f"<text x='{right}' y='{_HEIGHT - 6}' text-anchor='end'>{last:%d %b %H:%M}</text>"
    )
    picture = (
        f"<svg width='{_WIDTH}' height='{_HEIGHT}' font-size='12'>{axes}{''.join(drawn)}</svg>"
    )
    return f"{picture}<div class='legend'>{' '.join(legend)}</div>"


_DRAW: Final = {"table": _draw_table, "bar": _draw_bars, "line": _draw_lines}


def _write(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, str) and value[4:5] == "-" and value[10:11] == "T":
        return value[:16].replace("T", " ")
    return f"{value:,}" if isinstance(value, int) else str(value)


def merge_stories() -> Telemetry:
    """Put the telemetry of all stories on one heap."""
    merged: dict[str, Rows] = defaultdict(list)
    for told in play_all().values():
        for table, rows in told.items():
            merged[table] += rows
    return Telemetry(merged, NOW)


def main(folder: Path) -> None:
    """Write the page and the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "workbook.html"
    page.write_text(draw_workbook(merge_stories()), encoding="utf-8")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is not None:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1290,3000"]
        target = f"--screenshot={folder / 'workbook.png'}"
        subprocess.run([chromium, *options, target, page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
