"""What the extension and the SDK do at the edges, kept as they do it."""

from pathlib import Path

import pytest

from tests.local.functions_host.hosting import HostProcess, wait_until


def test_unhandled_exception_fails_the_instance_with_type_message_and_stack(
    host: HostProcess,
) -> None:
    started = host.start_instance("raises")
    assert started.wait_failure() == "Orchestrator function 'raises' failed: nothing to be found"
    (ended,) = started.wait_history("ExecutionCompleted")
    assert ended["FailureDetails"]["ErrorType"] == "LookupError"
    assert "in raises" in ended["FailureDetails"]["StackTrace"]


def test_failed_activity_tells_its_own_stack_and_nothing_of_the_host(
    host: HostProcess, tmp_path: Path
) -> None:
    output = host.start_instance("run_note", {"path": str(tmp_path / "n"), "failures": 1})
    failure = output.wait_failure()
    assert "Activity function 'note' failed:  ValueError: failure 1 of 1" in failure
    assert "in note" in failure
    assert "functions_host" not in failure.replace("tests/local/functions_host", "")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("activity", "no_such_activity"),
        ("orchestrator", "no_such_orchestrator"),
        ("entity", "no_such_entity"),
    ],
)
def test_calling_an_unknown_function_fails_the_instance(
    host: HostProcess, kind: str, name: str
) -> None:
    output = host.start_instance("call_unknown", kind).wait_failure()
    assert f"The function '{name}' doesn't exist, is disabled, or is not an {kind}" in output


@pytest.mark.parametrize("name", ["returns_no_json", "calls_no_json"])
def test_values_that_are_no_json_fail_the_instance(host: HostProcess, name: str) -> None:
    output = host.start_instance(name).wait_failure()
    assert "serializable" in output


def test_custom_status_may_have_16_kb_and_no_more(host: HostProcess) -> None:
    fits = host.start_instance("talks_much", 8 * 1024 - 2)
    assert fits.wait_output() == "said"
    too_long = host.start_instance("talks_much", 8 * 1024 - 1).wait_failure()
    assert "must not exceed 16 KB" in too_long


def test_last_failed_attempt_is_followed_by_one_more_timer(
    host: HostProcess, tmp_path: Path
) -> None:
    spec = {"path": str(tmp_path / "notes"), "failures": 9}
    started = host.start_instance("retry_in_vain", spec)
    output = started.wait_output()
    assert "Activity function 'note' failed:  ValueError: failure 2 of 9" in output
    assert len(started.wait_history("TaskFailed")) == 2
    assert len(started.wait_history("TimerFired")) == 2


def test_retries_beside_other_tasks_keep_the_ids_of_the_sdk(
    host: HostProcess, tmp_path: Path
) -> None:
    for number in range(5):
        spec = {"path": str(tmp_path / f"notes-{number}"), "failures": 2}
        started = host.start_instance("retries_beside_others", spec)
        assert started.wait_output() == [3, "Hello beside!", "Hello after!"]


@pytest.mark.parametrize(
    ("plan", "difference"),
    [
        ("other", "instead scheduled an activity task named 'probe'"),
        ("timer", "instead produced a CreateTimerOrchestratorAction"),
        ("nothing", "hasn't (yet?) scheduled this task"),
    ],
)
def test_non_deterministic_orchestrator_fails_on_replay(
    host: HostProcess, tmp_path: Path, plan: str, difference: str
) -> None:
    choice = tmp_path / "plan"
    choice.write_text("activity")
    started = host.start_instance("fickle", str(choice))
    started.wait_history("TaskCompleted")
    choice.write_text(plan)
    started.raise_event("Go", 1)
    output = started.wait_failure()
    assert output.startswith("Non-Deterministic workflow detected: ")
    assert difference in output


def test_deterministic_orchestrator_with_the_same_shape_completes(
    host: HostProcess, tmp_path: Path
) -> None:
    choice = tmp_path / "plan"
    choice.write_text("activity")
    started = host.start_instance("fickle", str(choice))
    started.wait_history("TaskCompleted")
    started.raise_event("Go", 1)
    assert started.wait_output() == "activity"


def test_of_early_events_with_one_name_the_last_is_given_to_every_wait(host: HostProcess) -> None:
    started = host.start_instance("two_waits")
    started.wait("Running")
    started.raise_event("Go", "one")
    started.raise_event("Go", "two")
    started.raise_event("Begin", "")
    assert started.wait_output() == ["two", "two"]


def test_last_waiter_gets_the_first_event(host: HostProcess) -> None:
    started = host.start_instance("two_waiters")
    started.wait("Running")
    started.raise_event("Go", "one")
    started.wait_history("EventRaised")
    started.raise_event("Go", "two")
    assert started.wait_output() == ["late", "two", "one"]


def test_losing_timer_keeps_the_instance_running_until_it_fires(host: HostProcess) -> None:
    started = host.start_instance("loser_holds")
    started.wait_history("TaskCompleted")
    assert started.read()["runtimeStatus"] == "Running"
    assert started.wait_output() == "Hello winner!"
    assert len(started.wait_history("TimerFired")) == 1


def test_failed_operation_of_an_entity_reaches_its_caller(host: HostProcess) -> None:
    assert "the counter refuses" in host.start_instance("entity_trouble").wait_output()


def test_versions_reach_orchestrations_and_their_children(host: HostProcess) -> None:
    started = host.start_instance("sees_version", version="7.1")
    assert started.wait_output() == ["7.1", "child-version"]


def test_events_that_come_after_continue_as_new_are_not_lost(host: HostProcess) -> None:
    started = host.start_instance("carries_events")
    started.wait("Running")
    for number in range(4):
        before = started.read()["input"]
        started.raise_event("Item", number)
        wait_until(lambda before=before: started.read()["input"] != before)  # type: ignore[misc]  # the default binds it
    started.raise_event("Item", "end")
    assert started.wait_output() == [0, 1, 2, 3]


def test_child_id_that_is_taken_fails_the_call_and_not_the_other(host: HostProcess) -> None:
    other = host.start_instance("waits_long", 60)
    output = host.start_instance("calls_running_child", other.id).wait_output()
    assert "already exists" in output
    assert other.read()["runtimeStatus"] in ("Pending", "Running")
    other.post("terminate", params={"reason": "tidy"})
