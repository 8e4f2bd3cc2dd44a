"""The command line of draining: have all jobs of one app ended, so that it may be stopped?

Exit codes: 0 nothing runs, 1 the app does not answer, 2 wrong usage or settings, 3 jobs run.
"""

import argparse
import json
import sys
import time
from typing import Final

from ops.arguments import read_app_url, read_duration, read_positive
from ops.task_hub import KEY_VARIABLE, HubUnreachableError, Instance, TaskHub, add_past_routing

_SHOWN: Final = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "app_url",
        type=read_app_url,
        metavar="APP_URL",
        help=f"such as https://func-….azurewebsites.net; its key is in {KEY_VARIABLE}",
    )
    parser.add_argument(
        "--wait-s", type=read_duration, default=0, help="how long to wait for it (%(default)s)"
    )
    parser.add_argument(
        "--every-s", type=read_positive, default=30, help="between two looks (%(default)s)"
    )
    add_past_routing(parser)
    parser.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Look, and wait where that is asked for; answers the exit code."""
    running: list[Instance] = []
    try:
        hub = TaskHub.open(args.app_url, past_routing=args.past_routing)
    except ValueError as error:
        outcome, code = str(error), 2
    else:
        try:
            running = _wait(hub, args.wait_s, args.every_s)
            outcome, code = ("running", 3) if running else ("drained", 0)
        except HubUnreachableError as error:
            outcome, code = str(error), 1
        finally:
            hub.close()
    if args.json:
        jobs = [{"id": r.id, "status": r.status, "created_at": r.created_at} for r in running]
        sys.stdout.write(json.dumps({"outcome": outcome, "running": jobs}) + "\n")
    else:
        sys.stderr.write(f"{outcome}\n")
    return code


def _wait(hub: TaskHub, wait_s: float, every_s: float) -> list[Instance]:
    until = time.monotonic() + wait_s
    while True:
        running = hub.list_unfinished()
        _tell(running)
        left_s = until - time.monotonic()
        if not running or left_s <= 0:
            return running
        time.sleep(min(every_s, left_s))


def _tell(running: list[Instance]) -> None:
    sys.stderr.write(f"{len(running)} orchestrations have not ended\n")
    sys.stderr.writelines(
        f"  {one.id} {one.status} since {one.created_at}\n" for one in running[:_SHOWN]
    )
