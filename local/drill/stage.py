"""Where a drill is played: the app on its host, killed and started again, and its world."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import requests
from psycopg.rows import dict_row

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from local.postgres import PostgresCluster

REPOSITORY: Final = Path(__file__).resolve().parents[2]
PULL_REQUEST: Final = seed.PULL_REQUEST_ID
AGENT_NAME: Final = seed.CODE_AGENT.address
_SECRET: Final = "drill-secret"  # noqa: S105 - of a world that lasts a minute
_STEP_LIMIT_S: Final = 120.0
_ENDED: Final = ("Completed", "Failed", "Terminated")


class DrillError(Exception):
    """The drill could not go on, or did not end as it should; the message says where."""


def wait_until(what: str, holds: Callable[[], Any], limit_s: float = _STEP_LIMIT_S) -> Any:
    """Wait until a call answers something true, and answer that.

    Raises:
        DrillError: it did not come.
    """
    deadline = time.monotonic() + limit_s
    while not (value := holds()):
        if time.monotonic() > deadline:
            raise DrillError(f"waited {limit_s:g} s in vain: {what}")
        time.sleep(0.02)
    return value


@dataclass
class Stage:
    """The app and its world."""

    azure_devops: RunningAzureDevOps
    postgres: PostgresCluster
    folder: Path
    running_jobs: int
    """How many jobs are at work at once; the others wait."""
    database_url: str = ""
    url: str = ""
    """Of the app; the same after each start, so that the service hook finds it."""
    hook: str = ""
    lives: int = 0
    """Starts of the host."""
    _process: subprocess.Popen[bytes] | None = None
    _databases: list[str] = field(default_factory=list)

    @property
    def jamal(self) -> Person:
        """Who asks."""
        return Person(self.azure_devops.organisation_url, seed.JAMAL.pat)

    def create_database(self) -> str:
        """Create an empty database; answers its URL."""
        self._databases.append(self.postgres.create_database())
        return self._databases[-1]

    def start(self, database_url: str) -> None:
        """Start the app on a database and an empty task hub of its own; join the hook at first."""
        self.lives += 1
        self.database_url = database_url
        ready = self.folder / f"ready-{self.lives}"
        port = self.url.rpartition(":")[2] or "0"
        with (self.folder / "host.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "local", "host", "--port", port),
                    *("--state", str(self.folder / f"hub-{self.lives}.db")),
                    *("--ready-file", str(ready)),
                ],
                cwd=REPOSITORY,
                env=os.environ | self.build_settings(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        process = self._process
        wait_until("the host starts", lambda: ready.exists() or process.poll() is not None)
        if not ready.exists():
            raise DrillError(f"the host did not start: {self.folder / 'host.log'}")
        self.url = ready.read_text("ascii").strip()
        if not self.hook:
            self.hook = self._join_hook()

    def lose(self) -> datetime:
        """Kill the host, and lose its task hub, its data and its database; answers when."""
        self.kill()
        lost_at = datetime.now(UTC)
        for path in self.folder.glob("hub-*"):
            path.unlink()
        for path in (self.folder / "app").rglob("*"):
            if path.is_file():
                path.unlink()
        self.postgres.drop_database(self.database_url)
        self._databases.remove(self.database_url)
        return lost_at

    def kill(self) -> None:
        """Kill the host with SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop everything that this stage has started."""
        self.kill()
        for url in self._databases:
            self.postgres.drop_database(url)

    def hold_write(self, number: int) -> None:
        """Freeze a write of the agent's when its effect is there, before the agent hears of it."""
        self._control("POST", {"write_number": number, "moment": "after"})

    def is_held(self) -> bool:
        """Whether the write has come."""
        return bool(self._control("GET").get("reached"))

    def release_write(self) -> None:
        """Freeze nothing any more."""
        self._control("DELETE")

    def _control(self, method: str, body: object = None) -> dict[str, Any]:
        url = f"{self.azure_devops.url}/_standin/hold"
        answer = requests.request(method, url, json=body, timeout=30)
        answer.raise_for_status()
        plain: dict[str, Any] = answer.json()
        return plain

    def enable_hook(self) -> None:
        """Enable the service hook: Azure DevOps disables one that fails for long."""
        admin = Person(self.azure_devops.organisation_url, seed.ADMINISTRATOR.pat)
        path = f"_apis/hooks/subscriptions/{self.hook}"
        admin.call("PUT", path, {**admin.call("GET", path), "status": "enabled"})

    def run_timer(self, name: str) -> None:
        """Begin a run of a timer; it says nothing of its end."""

        def fire() -> bool:
            url = f"{self.url}/admin/functions/{name}"
            return requests.post(url, json={}, timeout=30).status_code == 202

        wait_until(f"the timer {name} fires", fire)

    def is_idle(self) -> bool:
        """Whether no orchestration runs."""
        instances = requests.get(f"{self.url}/durabletask/instances", timeout=30).json()
        return all(one["runtimeStatus"] in _ENDED for one in instances)

    def list_jobs(self) -> dict[int, str]:
        """List the states of jobs in the records, by thread."""
        return {int(row["thread_id"]): row["status"] for row in self.read("jobs")}

    def read(self, table: str) -> list[dict[str, Any]]:
        """Read a table; empty before it is made."""
        query = f'SELECT * FROM code_agent."{table}"'  # noqa: S608 - a name of ours
        with (
            suppress(psycopg.errors.UndefinedTable),
            psycopg.connect(self.database_url, row_factory=dict_row) as connection,
        ):
            return connection.execute(query.encode()).fetchall()
        return []

    def operate(self, *words: str, **environment: str) -> dict[str, Any]:
        """Run a command of the operators; answers what it reports.

        Raises:
            DrillError: it failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "ops", *words, "--json"],
            cwd=REPOSITORY,
            env=os.environ | self.build_settings() | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DrillError(f"ops {words[0]} answered {done.returncode}: {done.stderr[-500:]}")
        report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return report

    def build_settings(self) -> Mapping[str, str]:
        """Build the settings of the app, and of the operators' commands."""
        return {
            "AZURE_DEVOPS_ORGANISATION_URL": self.azure_devops.organisation_url,
            "AZURE_DEVOPS_EXT_PAT": seed.ADMINISTRATOR.pat,
            "ADO_PAT": seed.CODE_AGENT.pat,
            "WEBHOOK_SECRET": _SECRET,
            "TASKHUB_NAME": f"Drill{self.lives}",
            "CODE_AGENT_DATA_DIR": str(self.folder / "app"),
            "CODE_AGENT_DATABASE_URL": self.database_url,
            "CODE_AGENT_ALLOWED_GROUPS": "Contributors",
            "CODE_AGENT_MAX_RUNNING_JOBS": str(self.running_jobs),
            "CODE_AGENT_RECOVERY_PLACES": f"{seed.PROJECT}/{seed.REPOSITORY}",
            "CODE_AGENT_RETRY_FIRST_DELAY_S": "0.05",
            "CODE_AGENT_RETRY_MAX_DELAY_S": "0.4",
            "CODE_AGENT_LIMIT_USER_JOBS": "0",
            "CODE_AGENT_LIMIT_REPOSITORY_VARIANTS": "0",
            "CODE_AGENT_PUBLIC_URL": "",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": "",
        }

    def _join_hook(self) -> str:
        admin = Person(self.azure_devops.organisation_url, seed.ADMINISTRATOR.pat)
        return admin.subscribe(f"{self.url}/gateway/webhook/ado", _SECRET)
