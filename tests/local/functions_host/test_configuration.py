"""Settings, host.json and timers."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
import requests

from local.__main__ import main
from local.functions_host.app_loader import Function
from local.functions_host.host import HostOptions, serve
from local.functions_host.invocation import Invoker
from tests.local.functions_host.hosting import SAMPLES, HostProcess, wait_until

Start = Callable[..., HostProcess]

EMPTY_APP = "import azure.functions as func\napp = func.FunctionApp()\n"


def read_output(host: HostProcess, name: str) -> object:
    instance_id = host.call("POST", f"/start/{name}").text

    def find() -> dict[str, object] | None:
        status: dict[str, object] = host.call_rpc("GET", f"instances/{instance_id}").json()
        return status if status["runtimeStatus"] == "Completed" else None

    return wait_until(find)["output"]


def test_settings_host_json_and_timers_are_honoured(start_host: Start, tmp_path: Path) -> None:
    host = start_host("configured", FROM_BOTH="environment", TRACE_FOLDER=str(tmp_path))

    assert host.call("GET", "/settings").json() == ["file", "environment"]
    assert host.call("GET", "/").text == "root"
    assert host.call("GET", "/files/a/b.txt").text == "a/b.txt"
    assert host.call("GET", "/files").text == "none"
    guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert host.call("GET", f"/orders/{guid}").text == guid
    assert host.call("GET", "/orders/12").status_code == 404

    assert read_output(host, "versioned") == "3"  # defaultVersion
    assert read_output(host, "crowd") == 2  # maxConcurrentActivityFunctions
    assert "task hub samplehub" in host.log

    assert (tmp_path / "once").read_text() == "once\n"  # run on start-up
    assert not (tmp_path / "tick").exists()
    assert host.call("POST", "/admin/functions/tick").status_code == 202
    wait_until(lambda: (tmp_path / "tick").exists() and (tmp_path / "tick").read_text())
    assert (tmp_path / "tick").read_text() == "False\n"


def test_timer_runs_on_its_schedule_and_makes_up_for_a_missed_run(
    start_host: Start, tmp_path: Path
) -> None:
    host = start_host("configured", EVERY="*/1 * * * * *", TRACE_FOLDER=str(tmp_path))
    wait_until(lambda: (tmp_path / "tick").exists() and (tmp_path / "tick").read_text())
    host.kill()
    missed_at = len((tmp_path / "tick").read_text().splitlines())
    time.sleep(1.1)  # a run is missed
    host.start()
    wait_until(lambda: len((tmp_path / "tick").read_text().splitlines()) > missed_at)
    assert (tmp_path / "tick").read_text().splitlines()[missed_at] == "True"
    wait_until(lambda: host.call_rpc("GET", "instances/started-by-timer").status_code == 200)


RunCommand = Callable[..., tuple[int, str]]


@pytest.fixture
def run_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> RunCommand:
    """Run the command here; what it does to the process is undone after the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "function_app", ModuleType("function_app"))

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["host", "--port", "0", *arguments])
        return code, capsys.readouterr().err

    return run


def test_an_annotation_that_the_real_worker_refuses_is_refused_here(
    run_command: RunCommand, tmp_path: Path
) -> None:
    state = str(tmp_path / "state.db")
    code, error = run_command("--app", str(SAMPLES / "refused_annotation"), "--state", state)
    assert code == 1
    assert "function 'take': binding payload has the annotation dict[str, typing.Any]" in error


def test_unknown_binding_is_named_at_start_up(run_command: RunCommand, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    code, error = run_command("--app", str(SAMPLES / "unknown_binding"), "--state", state)
    assert code == 1
    assert "function 'take_order' uses queueTrigger" in error


def test_folder_without_an_app_is_refused(run_command: RunCommand, tmp_path: Path) -> None:
    code, error = run_command("--app", str(tmp_path))
    assert code == 1
    assert "has no function_app.py" in error


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("host.json", "{", "host.json is not valid JSON"),
        (
            "host.json",
            json.dumps({"extensions": {"durableTask": {"hubName": "%NOWHERE%"}}}),
            "%NOWHERE% names a setting that does not exist",
        ),
        (
            "host.json",
            json.dumps({"extensions": {"durableTask": {"maxConcurrentActivityFunctions": 0}}}),
            "maxConcurrentActivityFunctions must be a whole number of at least 1",
        ),
        ("local.settings.json", '{"Values": {"A": []}}', "the value of A must be text"),
        (
            "function_app.py",
            f"{EMPTY_APP}@app.route(route='a/{{b:odd}}')\ndef f(req): ...\n",
            "the route constraint 'odd' does not exist",
        ),
        (
            "function_app.py",
            f"{EMPTY_APP}@app.timer_trigger(schedule='now', arg_name='t')\ndef f(t): ...\n",
            "function 'f' has a schedule this host cannot read",
        ),
        ("function_app.py", "import nothing_there\n", "No module named 'nothing_there'"),
        ("function_app.py", "x = 1\n", "must define exactly one FunctionApp or DFApp"),
    ],
)
def test_wrong_configuration_is_a_clear_error(
    run_command: RunCommand, tmp_path: Path, file: str, text: str, message: str
) -> None:
    (tmp_path / "function_app.py").write_text(EMPTY_APP)
    (tmp_path / file).write_text(text)
    code, error = run_command("--app", str(tmp_path))
    assert code == 1
    assert message in error


def test_two_hosts_cannot_share_a_state_file(host: HostProcess) -> None:
    other = HostProcess(SAMPLES / "patterns", host.folder, ready_name="never")
    with pytest.raises(AssertionError, match="another host is using"):
        other.start()
    assert other.process is not None
    assert other.process.returncode == 1


def test_host_runs_inside_another_event_loop_and_cuts_answers_off_at_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HUB", "EVERY", "FROM_FILE", "FROM_BOTH"):
        monkeypatch.setenv(name, "0 0 3 * * *")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "function_app", ModuleType("function_app"))
    options = HostOptions(
        SAMPLES / "configured", 0, tmp_path / "state", quiet=True, http_limit_s=0.2
    )

    async def use_host() -> int:
        async with (
            serve(options) as host,
            aiohttp.ClientSession() as session,
            session.get(f"{host.base_url}/slow") as answer,
        ):
            return answer.status

    assert asyncio.run(use_host()) == 504


def test_sync_functions_share_as_many_threads_as_the_setting_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "3")
    meeting = threading.Barrier(3)
    binding = {"type": "activityTrigger", "name": "x"}
    function = Function("meet", lambda **_: meeting.wait(5), False, binding, (), False, "")

    async def meet() -> None:
        invoker = Invoker()
        await asyncio.gather(*(invoker.call(function, x=None) for _ in range(3)))
        assert {t.name for t in threading.enumerate() if t.name.startswith("function")} == {
            "function_0",
            "function_1",
            "function_2",
        }
        assert invoker.stop() == 0

    asyncio.run(meet())


def test_azure_http_limit_is_the_default() -> None:
    assert HostOptions(SAMPLES).http_limit_s == 230


def test_stopped_host_leaves_its_port(start_host: Start) -> None:
    host = start_host("patterns")
    assert host.stop() == 0
    with pytest.raises(requests.ConnectionError):
        host.call("GET", "/")
