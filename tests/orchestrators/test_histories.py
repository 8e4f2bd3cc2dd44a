"""Jobs that began with any released version go on with today's orchestrators."""

import re
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.functions_host.history import EventType
from orchestrators.edit_job import edit_job
from orchestrators.produce_variant import produce_variant
from shared.domain.names import ActivityName, EntityName, OrchestratorName
from tests.histories.golden import (
    FOLDER,
    Recording,
    find_divergence,
    load_recordings,
    write_recordings,
)
from tests.histories.record import SHAPES, read_current_version, read_releases

TODAY = {
    OrchestratorName.EDIT_JOB.value: edit_job,
    OrchestratorName.PRODUCE_VARIANT.value: produce_variant,
}
CURRENT = read_current_version()
RECORDINGS = [
    recording for folder in sorted(FOLDER.glob("[0-9]*")) for recording in load_recordings(folder)
]
ADVICE = """
A running job would not survive this change. Has version {version} been released (releases.toml)?
- yes: keep the old way under `if context.version == "{version}"`, raise defaultVersion in
  host.json, and `make record-history`;
- no: `make record-history`."""


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: f"{one.version}/{one}")
def test_a_job_in_the_middle_of_anything_goes_on_with_todays_code(recording: Recording) -> None:
    divergence = find_divergence(recording, TODAY)
    assert divergence is None, divergence + ADVICE.format(version=recording.version)


def test_every_version_has_its_recordings() -> None:
    assert set(TODAY) == set(OrchestratorName)
    recorded = {path.name for path in FOLDER.glob("[0-9]*")}
    assert all(re.fullmatch(r"\d+\.\d+", name) for name in recorded), "compared as numbers"
    assert recorded == {CURRENT, *read_releases()["released_versions"]}, "make record-history"
    for path in FOLDER.glob("[0-9]*/*.json"):
        assert {one.version for one in load_recordings(path.parent)} == {path.parent.name}


def test_what_is_recorded_today_reaches_every_step() -> None:
    recordings = load_recordings(FOLDER / CURRENT)
    assert {one.shape for one in recordings} == {shape.__name__ for shape in SHAPES}
    events = [event for one in recordings for event in one.history]
    assert {e["Name"] for e in events if e["EventType"] == EventType.TASK_SCHEDULED} == set(
        ActivityName
    )
    entities = {e["InstanceId"] for e in events if e["EventType"] == EventType.EVENT_SENT}
    assert {one.split("@")[1] for one in entities} == set(EntityName)
    assert any(e["EventType"] == EventType.TIMER_FIRED for e in events)


class Changed:
    """The context, for an orchestrator with a change in it: names are exchanged."""

    def __init__(self, context: Any, *exchanged: str) -> None:
        self._context = context
        self._names = dict(zip(exchanged, exchanged[::-1], strict=True))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def call_activity(self, name: str, payload: Any) -> Any:
        return self._context.call_activity(self._names.get(name, name), payload)


Steps = Generator[Any, Any, Any]
SWAPPED = (ActivityName.ANNOUNCE_JOB.value, ActivityName.SET_PULL_REQUEST_STATUS.value)


def swap_two_activities(context: Any) -> Steps:
    return (yield from edit_job(Changed(context, *SWAPPED)))


def swap_from_version_2_on(context: Any) -> Steps:
    is_old = context.version == CURRENT
    return (yield from (edit_job if is_old else swap_two_activities)(context))


def wait_first(context: Any) -> Steps:
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    return (yield from edit_job(context))


def end_at_once(context: Any) -> Steps:
    yield from ()
    return {"accepted": bool(context)}


def do_more(context: Any) -> Steps:
    answer = yield from edit_job(context)
    yield context.call_activity("celebrate", answer)
    return answer


def miss_a_field(context: Any) -> Steps:
    yield context.call_activity(ActivityName.ADMIT_COMMAND, context.get_input()["tenant"])


def find_recording(shape: str) -> Recording:
    found = (one for one in RECORDINGS if (one.shape, one.version) == (shape, CURRENT))
    return next(found)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            swap_two_activities,
            "action 2: expected activity announce_job, scheduled activity set_pull_request_status",
        ),
        (wait_first, "episode 1: action 0: expected activity admit_command, scheduled timer"),
        (end_at_once, "episode 1: action 0: expected activity admit_command, scheduled the end"),
        (do_more, ": expected the end, scheduled activity celebrate"),
        (miss_a_field, "episode 1: the orchestrator raises KeyError: 'tenant'"),
    ],
)
def test_a_change_that_would_break_running_jobs_is_found_and_named(
    change: Callable[[Any], Steps], difference: str
) -> None:
    divergence = find_divergence(find_recording("one_variant"), {"edit_job": change})
    assert divergence is not None
    assert difference in divergence


def test_a_change_behind_the_version_of_new_jobs_is_none() -> None:
    changed = {"edit_job": swap_from_version_2_on}
    assert find_divergence(find_recording("one_variant"), changed) is None


def test_an_orchestrator_that_is_gone_is_found() -> None:
    assert "no orchestrator 'edit_job'" in str(find_divergence(find_recording("clarified"), {}))


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    recordings = load_recordings(FOLDER / CURRENT)
    again = [one for one in recordings if one.shape == "retried"]
    write_recordings(tmp_path / "retried.json", again)
    assert load_recordings(tmp_path) == again
    assert (tmp_path / "retried.json").read_text() == (
        FOLDER / CURRENT / "retried.json"
    ).read_text()
