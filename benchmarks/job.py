"""What one job costs: calls to Azure DevOps, history, replays, and the host's CPU.

Counts do not depend on the machine; CPU seconds do, and are quoted for orientation.
"""

import argparse
import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from local.azure_devops import seed
from local.demo.story import Story, play
from local.demo.world import Demo, Ports, run_world


def main() -> int:
    """Measure and print; 1 when a job needs more calls than 12 + 3N."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.job", description=__doc__)
    parser.add_argument("--variants", type=int, nargs="*", default=[1, 3, 10], metavar="N")
    failed = False
    print("variants  calls  12+3N  history bytes  episodes  host CPU s  CPU s per variant")
    for count in parser.parse_args().variants:
        with (
            tempfile.TemporaryDirectory() as name,
            run_world(Path(name), ports=Ports(), settings={}) as demo,
        ):
            wish = "make all buttons red"
            play(demo, f"/edit /{count} {wish}", limit_s=120, tell=lambda _: None)  # warms up
            # a commit that is not known yet, with an edited file: it costs every call there is
            demo.jamal.edit_file(
                seed.TOPIC_BRANCH, "README.md", "# Storefront\n\nHas a checkout.\n"
            )
            cpu_before = read_cpu_s(demo)
            story = play(demo, f"/edit /{count} {wish}", limit_s=120, tell=lambda _: None)
            cpu_s = read_cpu_s(demo) - cpu_before
            size, episodes = read_history(demo, story)
            calls = story.ado_calls
            failed = failed or calls > 12 + 3 * count
            print(
                f"{count:>8}  {calls:>5}  {12 + 3 * count:>5}  {size:>13}  {episodes:>8}"
                f"  {cpu_s:>10.2f}  {cpu_s / count:>17.3f}"
            )
    return 1 if failed else 0


def read_cpu_s(demo: Demo) -> float:
    """Answer the CPU seconds of the host so far (Linux)."""
    pid = find_host(demo)
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def find_host(demo: Demo) -> int:
    """Find the process of the demo's host by the state file on its command line."""
    state = str(demo.folder / "host.sqlite3").encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        if state in path.read_bytes():
            return int(path.parent.name)
    raise RuntimeError("the host is gone")


def read_history(demo: Demo, story: Story) -> tuple[int, int]:
    """Answer the bytes of the job's histories, sub-orchestrations included, and the episodes."""
    with closing(sqlite3.connect(demo.folder / "host.sqlite3")) as connection:
        rows: list[Any] = list(
            connection.execute(
                "SELECT event FROM history WHERE instance_id LIKE ?", (f"{story.job['id']}%",)
            )
        )
    started = sum(json.loads(event)["EventType"] == 12 for (event,) in rows)
    return sum(len(event) for (event,) in rows), started


if __name__ == "__main__":
    sys.exit(main())
