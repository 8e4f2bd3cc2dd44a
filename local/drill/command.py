"""`python -m local drill`: loses everything in the middle of jobs, restores it, and reports.

Exit codes: 0 nothing was lost and nothing doubled, 1 something was, or the drill could not go on,
2 something that it needs is missing.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from local.azure_devops import seed
from local.azure_devops.organisation import Organisation
from local.azure_devops.running import run_in_thread
from local.azure_devops.server import ServerOptions
from local.drill.report import RPO_S, RTO_S, write_report
from local.drill.stage import DrillError, Stage
from local.drill.story import Keys, Played, Size, play_with_backup, play_without_database
from local.postgres import MISSING, PROGRAMS, PostgresCluster

REPORT: Final = Path("docs/drills/latest.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--jobs", type=int, default=20, help="before the backup (%(default)s)")
    parser.add_argument("--late", type=int, default=4, help="behind it (%(default)s)")
    parser.add_argument("--running", type=int, default=4, help="jobs at once (%(default)s)")
    parser.add_argument("--report", type=Path, default=REPORT, metavar="FILE", help="(%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Play both drills; answers the exit code."""
    missing = [one for one in ("pg_dump", "pg_restore", "psql", "openssl") if not shutil.which(one)]
    if not PROGRAMS or missing:
        sys.stderr.write(f"{', '.join(missing) or MISSING}\n")
        return 2
    size = Size(jobs=args.jobs, late=args.late)
    began, at = time.monotonic(), datetime.now(UTC)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops it leaves nothing
    drills: list[Played] = []
    cluster = PostgresCluster()
    try:
        cluster.start()
        with tempfile.TemporaryDirectory(prefix="code-agent-drill-") as folder:
            _play(Path(folder), cluster, size, args.running, drills)
    except (DrillError, KeyboardInterrupt) as error:
        sys.stderr.write(f"the drill stopped: {str(error) or 'interrupted'}\n")
        return 1
    finally:
        cluster.remove()
    report = write_report(
        drills,
        at=at,
        postgres=f"PostgreSQL {PROGRAMS[-1].parts[-3]}",
        took_s=time.monotonic() - began,
    )
    args.report.parent.mkdir(parents=True, exist_ok=True)
    args.report.write_text(report, encoding="utf-8")
    is_well = not any(one.faults for one in drills)
    if args.json:
        told = {"passed": is_well, "drills": [asdict(one) for one in drills]}
        sys.stdout.write(json.dumps(told, default=str) + "\n")
    else:
        sys.stdout.write(f"{'passed' if is_well else 'FAILED'}: {args.report}\n")
    return 0 if is_well and _meets_objectives(drills) else 1


def _play(
    folder: Path, cluster: PostgresCluster, size: Size, running: int, drills: list[Played]
) -> None:
    data = folder / "azure-devops"
    organisation = Organisation(seed.ORGANISATION, data)
    seed.seed(organisation)
    organisation.close()
    with run_in_thread(ServerOptions(data, time_scale=0.001)) as azure_devops:
        stage = Stage(azure_devops, cluster, folder, running)
        try:
            drills.append(play_with_backup(stage, size, Keys.make(folder), _tell))
            drills.append(play_without_database(stage, size, _tell))
        finally:
            stage.close()


def _meets_objectives(drills: list[Played]) -> bool:
    return all(
        one.recovery_s <= RTO_S and (one.recovery_point_age_s or 0.0) <= RPO_S for one in drills
    )


def _tell(step: str) -> None:
    sys.stderr.write(f"{step} …\n")
    sys.stderr.flush()
