"""A host killed right before or right after any of its commits finishes the job when it is back."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from local.functions_host.app_loader import load_app
from local.functions_host.host import HostOptions, serve
from local.functions_host.state import StateStore
from tests.conftest import RecordFigure
from tests.local.functions_host.hosting import SAMPLES

APP = SAMPLES / "patterns"
EXPECTED = '["Hello you!", 4, "child", "Hello beside!"]'


def run_forked(state_path: Path, kill_before: int = -1, kill_after: int = -1) -> int:
    """Run a host in a child of this process until the job is done, or it is killed.

    Returns -1 if it was killed.
    """
    child = os.fork()
    if child == 0:
        code = 255
        try:
            code = asyncio.run(run_job(state_path, kill_before, kill_after))
        except BaseException:  # noqa: BLE001  (pytest must not go on in the child)
            traceback.print_exc(file=sys.__stderr__)
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return -1
    assert os.WEXITSTATUS(status) == 0, "the job did not end as it should"
    return 0


async def run_job(state_path: Path, kill_before: int, kill_after: int) -> int:
    commits = 0
    commit = StateStore.transaction

    @contextlib.contextmanager
    def transaction(store: StateStore) -> Iterator[None]:
        nonlocal commits
        with commit(store):
            yield
            if commits == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
        if commits == kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        commits += 1

    StateStore.transaction = transaction  # type: ignore[method-assign, assignment]  # in a child only
    async with asyncio.timeout(10), serve(HostOptions(APP, 0, state_path, quiet=True)) as host:
        store = host.operations.mailroom.store
        if store.read_instance("job") is None:
            host.operations.start("a_bit_of_everything", "job", None)
        while not (instance := store.read_instance("job")) or not instance.is_finished:  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.002)
        assert instance.output == EXPECTED, instance
        assert store.read_entity("counter", "job") == "4"
        assert store.list_tasks() == []
        assert store.list_due_instances() == []
    return 0


def test_job_ends_the_same_whichever_commit_the_host_is_killed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: RecordFigure
) -> None:
    monkeypatch.syspath_prepend(str(APP))
    monkeypatch.setitem(sys.modules, "function_app", ModuleType("function_app"))
    load_app(APP)  # once, for all children
    points = 0
    for moment in ("kill_before", "kill_after"):
        for commit in itertools.count():
            state_path = tmp_path / f"{moment}-{commit}.db"
            if run_forked(state_path, **{moment: commit}) != -1:
                break  # the job needs no more commits than this
            run_forked(state_path)
            points += 1
    assert points >= 30
    record_property("figure", f"{points} kill points at commits of the host's own state")
