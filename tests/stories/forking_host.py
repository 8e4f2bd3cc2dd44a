"""Forks hosts of this repository's app on demand, and kills them at a commit of the app's database.

A process of its own with one thread, in which everything is imported once: a host starts in a few
milliseconds. Started by `test_kill_points`; speaks one JSON object a line on standard input and
output:

    {"start": state file, "ready": file, "job": id, "before": n, "after": n}  →  {"pid"}
    {"poll": pid}  →  {"status": null, or the wait status}
"""

import asyncio
import importlib
import itertools
import json
import os
import pkgutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

import shared.jobs
from local.functions_host.app_loader import load_app
from local.functions_host.host import HostOptions, serve
from shared.comments.render import CommentWriter
from shared.policy.secret_scan import find_secrets

REPOSITORY = Path(__file__).resolve().parents[2]
JOB_LIMIT_S = 20.0
EXPECTED = '{"accepted": true, "status": "success"}'
FIRST_USED = (
    *("alembic.command", "jinja2", "mako.template", "pygments", "tree_sitter_css"),
    *("shared.llm.stub", "shared.secrets.choose", "shared.secrets.environment"),
    *("shared.store.database", "tree_sitter_html", "tree_sitter_javascript"),
)
"""What hosts import when a step first needs it, beside the steps themselves."""


class Commits:
    """Counts the commits of the app's database, and kills the process at one of them."""

    def __init__(self, kill_before: int, kill_after: int) -> None:
        self._kill_before = kill_before
        self._kill_after = kill_after
        self._numbers = itertools.count()  # each commit its own, in whatever thread
        self._commit: Any = DefaultDialect.do_commit

    def do_commit(self, connection: Any) -> None:
        number = next(self._numbers)
        if number == self._kill_before:
            os.kill(os.getpid(), signal.SIGKILL)
        self._commit(None, connection)
        if number == self._kill_after:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    load_app(REPOSITORY)
    steps = (step.name for step in pkgutil.iter_modules(shared.jobs.__path__, "shared.jobs."))
    for name in (*steps, *FIRST_USED):
        importlib.import_module(name)
    find_secrets("")  # loads the forms that it knows
    templates = CommentWriter("en")._environment
    for name in templates.list_templates():
        templates.get_template(name)
    for line in sys.stdin:
        order = json.loads(line)
        answer = {"pid": fork_host(order)} if "start" in order else poll(int(order["poll"]))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def poll(pid: int) -> dict[str, int | None]:
    found, status = os.waitpid(pid, os.WNOHANG)
    return {"status": status if found else None}


def fork_host(order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    code = 255
    try:
        commits = Commits(int(order["before"]), int(order["after"]))
        DefaultDialect.do_commit = lambda _, connection: commits.do_commit(connection)  # type: ignore[method-assign]  # in a child only
        code = asyncio.run(run_host(Path(order["start"]), Path(order["ready"]), order["job"]))
    except BaseException:  # noqa: BLE001 - the child must not go on with the parent's loop
        traceback.print_exc()
    os._exit(code)


async def run_host(state: Path, ready: Path, job_id: str) -> int:
    options = HostOptions(REPOSITORY, 0, state, quiet=True, ready_file=ready)
    async with asyncio.timeout(JOB_LIMIT_S), serve(options) as host:
        store = host.operations.mailroom.store
        while not (instance := store.read_instance(job_id)) or not instance.is_finished:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.002)
        assert instance.output == EXPECTED, instance
    return 0


if __name__ == "__main__":
    main()
