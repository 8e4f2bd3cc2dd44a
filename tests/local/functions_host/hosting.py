"""Start functions hosts as processes and talk to them over HTTP, as a developer would."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.nursery import Nursery, Program

REPOSITORY = Path(__file__).resolve().parents[3]
SAMPLES = REPOSITORY / "tests" / "local" / "samples"


def wait_until(holds: Callable[[], Any], timeout_s: float = 15.0) -> Any:
    """Wait until a call returns something true, and return that."""
    deadline = time.monotonic() + timeout_s
    while not (value := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return value


@dataclass
class HostProcess:
    """One host process on one state file; it can be killed and started again."""

    app: Path
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    ready_name: str = "ready"
    process: subprocess.Popen[bytes] | Program | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def start(self) -> "HostProcess":
        ready = self.folder / self.ready_name
        ready.unlink(missing_ok=True)
        self.process = self._start_process(
            *("host", "--app", str(self.app), "--port", "0"),
            *("--state", str(self.folder / "state.db"), "--ready-file", str(ready)),
        )
        wait_until(lambda: ready.exists() or self.process.poll() is not None)  # type: ignore[union-attr]  # set above
        assert ready.exists(), self.log
        self.url = ready.read_text(encoding="ascii")
        return self

    def _start_process(self, *words: str) -> subprocess.Popen[bytes] | Program:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **self.environment}
        log = self.folder / "log"
        if self.app == REPOSITORY:
            run = "local.__main__:main"
            return Nursery.of_this_process().start(run, {"argv": words}, environment, log)
        command = [sys.executable, "-m", "local", *words]
        with log.open("ab") as stream:
            return subprocess.Popen(command, cwd=REPOSITORY, stderr=stream, env=environment)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(10)

    def start_instance(self, name: str, payload: Any = None, **params: str) -> "Instance":
        answer = requests.post(
            f"{self.url}/api/orchestrators/{name}", json=payload, params=params, timeout=10
        )
        assert answer.status_code == 202, answer.text
        return Instance(self, answer.json()["id"], answer.json())

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return requests.request(method, f"{self.url}{path}", timeout=10, **arguments)

    def call_rpc(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self.call(method, f"/durabletask/{path}", **arguments)


@dataclass
class Instance:
    """One orchestration on a host."""

    host: HostProcess
    id: str
    links: dict[str, str]

    def read(self, **params: str) -> dict[str, Any]:
        answer = self.host.call_rpc("GET", f"instances/{self.id}", params=params)
        assert answer.status_code in (200, 202), answer.text
        status: dict[str, Any] = answer.json()
        return status

    def wait(self, *statuses: str) -> dict[str, Any]:
        wanted = statuses or ("Completed", "Failed", "Terminated")
        found: dict[str, Any] = wait_until(
            lambda: status if (status := self.read())["runtimeStatus"] in wanted else None
        )
        return found

    def wait_output(self) -> Any:
        status = self.wait()
        assert status["runtimeStatus"] == "Completed", status
        return status["output"]

    def wait_failure(self) -> str:
        status = self.wait()
        assert status["runtimeStatus"] == "Failed", status
        return str(status["output"])

    def wait_custom_status(self, value: Any) -> None:
        wait_until(lambda: self.read()["customStatus"] == value)

    def wait_history(self, event_type: str, count: int = 1) -> list[dict[str, Any]]:
        def find() -> list[dict[str, Any]] | None:
            events = self.read(showHistory="true", showHistoryOutput="true")["historyEvents"]
            found = [event for event in events if event["EventType"] == event_type]
            return found if len(found) >= count else None

        events: list[dict[str, Any]] = wait_until(find)
        return events

    def post(self, operation: str, **arguments: Any) -> int:
        return self.host.call_rpc(
            "POST", f"instances/{self.id}/{operation}", **arguments
        ).status_code

    def raise_event(self, name: str, data: Any) -> int:
        return self.post(f"raiseEvent/{name}", json=data)
