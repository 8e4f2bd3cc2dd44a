"""Writes the report of a drill, the same in shape each time."""

import platform
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from local.drill.story import Played

RPO_S: Final = 15 * 60
RTO_S: Final = 2 * 3600
_HEAD: Final = """# The latest drill

<!-- Written by `make drill`: do not edit. -->

Everything of the app's was lost on one machine in the middle of jobs: its host by `kill -9`, its
task hub, its data folder and its database. Real PostgreSQL, real `ops/backup.sh`, `python -m ops
restore` and `… rebuild`; Azure DevOps is the [stand-in](../local-azure-devops.md), variants are
drafted by the stub. What it means, and what only a live subscription can show:
[recovery](../recovery.md).

"""


def write_report(drills: Sequence[Played], *, at: datetime, postgres: str, took_s: float) -> str:
    """Write the report as Markdown."""
    python = f"Python {platform.python_version()}"
    begin = f"{at:%Y-%m-%d %H:%M} UTC, {python}, {postgres}; {took_s:.0f} s in all.\n"
    return "".join([_HEAD, begin, *(line for one in drills for line in _write_drill(one))])


def _write_drill(played: Played) -> list[str]:
    verdict = "passed" if not played.faults else "**failed**"
    edits, lost = len(played.asked.edits), played.lost
    state = f"{lost['ended']} ended, {lost['at work']} at work"
    lines = [
        f"\n## Drill {played.name}: {verdict}\n\n",
        f"At the loss the records told of {lost['jobs']} jobs: {state}.\n\n",
        "| measured | | objective |\n|---|---|---|\n",
    ]
    if played.recovery_point_age_s is not None:
        lines.append(
            f"| age of the backup at the loss (RPO) | {played.recovery_point_age_s:.1f} s "
            f"| {RPO_S // 60} min |\n"
        )
    lines.append(
        f"| from the loss until a new command was carried out (RTO) | {played.recovery_s:.1f} s "
        f"| {RTO_S // 3600} h |\n"
    )
    lines.append(f"| commands to change something, all in all | {edits} | |\n")
    lines.append(f"| lost, or there twice | {len(played.faults)} | 0 |\n")
    lines.append("\n| step | s |\n|---|---|\n")
    lines += [f"| {name} | {seconds:.1f} |\n" for name, seconds in played.steps.items()]
    for name, report in played.reports.items():
        told = {key: value for key, value in report.items() if key in _TOLD}
        said = ", ".join(f"{key} {value}" for key, value in told.items())
        lines.append(f"\n`ops {name}`: {said}.\n")
    if played.not_rebuilt:
        gone = ", ".join(f"`{name}` {count}" for name, count in played.not_rebuilt.items())
        lines.append(f"\nRows that were lost for good: {gone}.\n")
    lines += [f"\n- {fault}\n" for fault in played.faults]
    return lines


_TOLD: Final = (
    "rows",
    "open_jobs",
    "pull_requests",
    "commands",
    "kept",
    "ended",
    "reopened",
    "doubted",
    "released",
    "orphans",
)
"""What is worth telling of what the commands said."""
