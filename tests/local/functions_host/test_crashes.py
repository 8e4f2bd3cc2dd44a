"""A host that is killed loses no orchestration, no event, no timer and no entity."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.local.functions_host.hosting import HostProcess, Instance, wait_until

Start = Callable[..., HostProcess]


def test_activity_that_was_killed_in_the_middle_runs_again(
    start_host: Start, tmp_path: Path
) -> None:
    host = start_host("patterns")
    hold, notes = tmp_path / "hold", tmp_path / "notes"
    hold.touch()
    started = host.start_instance("run_note", {"path": str(notes), "hold": str(hold)})
    wait_until(lambda: notes.exists() and notes.read_text())
    host.kill()
    hold.unlink()
    host.start()
    assert started.wait_output() == 2  # at least once: here exactly twice


def test_stopping_does_not_wait_for_an_activity_which_runs_again_later(
    start_host: Start, tmp_path: Path
) -> None:
    host = start_host("patterns")
    hold, notes = tmp_path / "hold", tmp_path / "notes"
    hold.touch()
    started = host.start_instance("run_note", {"path": str(notes), "hold": str(hold)})
    wait_until(lambda: notes.exists() and notes.read_text())
    assert host.stop() == 0
    hold.unlink()
    host.start()
    assert started.wait_output() == 2


def test_everything_waiting_goes_on_after_a_kill(start_host: Start) -> None:
    host = start_host("patterns")
    timers = [host.start_instance("waits_long", seconds) for seconds in (0.5, 0.5, 600)]
    waiting = host.start_instance("approval", {"timeout_s": 600})
    early = host.start_instance("two_waits")
    suspended = host.start_instance("approval", {"timeout_s": 600})
    host.call("POST", "/api/counters/kept/add", params={"amount": "5"})
    wait_until(lambda: host.call("GET", "/api/counters/kept").json() == [True, 5])
    suspended.post("suspend")
    suspended.wait("Suspended")
    suspended.raise_event("Approval", "held")
    early.wait("Running")
    assert early.raise_event("Go", "early") == 202  # answered means committed
    host.kill()
    time.sleep(0.6)  # two timers fall due while nobody is there
    host.start()

    assert [timer.wait_output() for timer in timers[:2]] == ["awake", "awake"]
    assert timers[2].read()["runtimeStatus"] == "Running"
    waiting.raise_event("Approval", "yes")
    assert waiting.wait_output() == {"approved": "yes"}
    early.raise_event("Begin", "")
    assert early.wait_output() == ["early", "early"]
    assert suspended.read()["runtimeStatus"] == "Suspended"
    suspended.post("resume")
    assert suspended.wait_output() == {"approved": "held"}
    assert host.call("GET", "/api/counters/kept").json() == [True, 5]
    assert host.start_instance("count_up", "kept").wait_output() == [17, 17]


def test_instances_survive_kills_at_arbitrary_moments(start_host: Start, tmp_path: Path) -> None:
    host = start_host("patterns")
    started: list[Instance] = []
    for delay_s in (0.0, 0.004, 0.009, 0.017, 0.03):
        started.extend(host.start_instance("chaining") for _ in range(3))
        started.extend(host.start_instance("fan_out", 5) for _ in range(3))
        started.append(host.start_instance("call_noting", {"path": str(tmp_path / "notes")}))
        time.sleep(delay_s)
        host.kill()
        host.start()
    for instance in started:
        output = instance.wait_output()
        assert output in (["Hello Tokyo!", "Hello Seattle!", "Hello London!"], 30) or (
            output[0] == "Hello before!" and output[1] >= 1
        )
