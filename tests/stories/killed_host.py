"""A host of this repository's app that ends with a job, or kills itself at a commit.

Run as a program of its own by `tests.nursery`.
"""

import asyncio
import itertools
import os
import signal
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from local.functions_host.host import HostOptions, serve
from tests.nursery import REPOSITORY

JOB_LIMIT_S = 20.0
EXPECTED = '{"accepted": true, "status": "success"}'


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


def run(state: str, ready: str, job: str, before: int = -1, after: int = -1) -> int:
    """Run a host until a job's orchestration has ended; commits are counted from 0."""
    commits = Commits(before, after)
    DefaultDialect.do_commit = lambda _, connection: commits.do_commit(connection)  # type: ignore[method-assign]  # in this process only
    asyncio.run(_run_host(Path(state), Path(ready), job))
    return 0


async def _run_host(state: Path, ready: Path, job_id: str) -> None:
    options = HostOptions(REPOSITORY, 0, state, quiet=True, ready_file=ready)
    async with asyncio.timeout(JOB_LIMIT_S), serve(options) as host:
        store = host.operations.mailroom.store
        while not (instance := store.read_instance(job_id)) or not instance.is_finished:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.002)
        assert instance.output == EXPECTED, instance
