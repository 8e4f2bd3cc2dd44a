"""A cold worker reads its first answers in several threads at once, and lives."""

import subprocess
import sys

import pytest

from tests.local.functions_host.hosting import REPOSITORY

FIRST_READS = """
import json, sys, threading
from shared.ado import wire
sys.setswitchinterval(1e-6)
who = {"id": "a"}
thread = json.dumps({"id": 1, "comments": [{"id": 1, "author": who}]}).encode()
repository = {"id": "r", "project": {"id": "p"}}
request = json.dumps({"pullRequestId": 1, "repository": repository, "createdBy": who,
                      "sourceRefName": "a", "targetRefName": "b"}).encode()
together = threading.Barrier(8)
read = []

def work(number):
    together.wait()
    if number % 2:
        read.append(wire.decode("x", thread, wire.WireThread).id)
    else:
        read.append(wire.decode("x", request, wire.WirePullRequest).pull_request_id)

threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
assert read == [1] * 8, read
"""


@pytest.mark.parametrize("run", range(5))
def test_first_answers_in_eight_threads_do_not_crash_the_process(run: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_READS],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run {run}: {done.stderr}"
