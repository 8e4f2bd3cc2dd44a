"""The app on its host as a process, joined to an Azure DevOps by a hook, and what is seen of it."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from tests.local.functions_host.hosting import REPOSITORY, HostProcess, wait_until

SECRET = "story-secret"
PULL_REQUEST = seed.PULL_REQUEST_ID


@dataclass
class Agent:
    """The running app."""

    azure_devops: RunningAzureDevOps
    host: HostProcess
    besides: frozenset[str] = frozenset()
    """What the agent may do in this story besides `AGENT_OPERATIONS`."""

    @classmethod
    def start(
        cls, azure_devops: RunningAzureDevOps, folder: Path, settings: Mapping[str, str]
    ) -> "Agent":
        folder.mkdir(exist_ok=True)
        environment = {
            "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
            "ADO_PAT": seed.CODE_AGENT.pat,
            "WEBHOOK_SECRET": SECRET,
            "CODE_AGENT_DATA_DIR": str(folder / "app"),
            "CODE_AGENT_ALLOWED_GROUPS": "Contributors",
            "CODE_AGENT_RETRY_FIRST_DELAY_S": "0.05",
            "CODE_AGENT_RETRY_MAX_DELAY_S": "0.4",
            "CODE_AGENT_PUBLIC_URL": "",
            "CODE_AGENT_LIMIT_USER_JOBS": "0",
            "CODE_AGENT_LIMIT_REPOSITORY_VARIANTS": "0",
            **settings,
        }
        return cls(azure_devops, HostProcess(REPOSITORY, folder, environment).start())

    @property
    def webhook_url(self) -> str:
        return f"{self.host.url}/gateway/webhook/ado"

    def subscribe(self, **changes: Any) -> str:
        """Join the hook; answers the subscription's id."""
        admin = self.person(seed.ADMINISTRATOR)
        inputs = {
            "url": self.webhook_url,
            "basicAuthUsername": "x",
            "basicAuthPassword": SECRET,
            **changes.pop("inputs", {}),
        }
        body = {
            "publisherId": "tfs",
            "eventType": "ms.vss-code.git-pullrequest-comment-event",
            "resourceVersion": "2.0",
            "consumerId": "webHooks",
            "consumerActionId": "httpRequest",
            "publisherInputs": {},
            "consumerInputs": inputs,
            **changes,
        }
        return str(admin.call("POST", "_apis/hooks/subscriptions", body)["id"])

    def person(self, user: seed.SeededUser) -> Person:
        return Person(self.azure_devops.organisation_url, user.pat)

    def deliver(self, body: Any, *, secret: str | None = SECRET, **options: Any) -> Any:
        """Post to the webhook by hand."""
        auth = ("x", secret) if secret is not None else None
        data = body if isinstance(body, bytes) else None
        return requests.post(
            self.webhook_url,
            data=data,
            json=None if data is not None else body,
            auth=auth,
            timeout=30,
            **options,
        )

    def run_timer(self, name: str) -> None:
        """Begin a run of a timer; the host begins none while one runs."""

        def has_fired() -> bool:
            answer = self.host.call("POST", f"/admin/functions/{name}", json={})
            assert answer.status_code == 202
            return count() > before

        def count() -> int:
            return self.host.log.count(f"timer {name} fired")

        before = count()
        wait_until(has_fired)

    def list_jobs(self) -> list[dict[str, Any]]:
        listed = requests.get(f"{self.host.url}/gateway/jobs?limit=200", timeout=30).json()
        found: list[dict[str, Any]] = listed["jobs"]
        return found

    def find_job(self, thread_id: int) -> dict[str, Any] | None:
        return next((job for job in self.list_jobs() if job["thread_id"] == thread_id), None)

    def wait_job(self, thread_id: int, limit_s: float = 30) -> dict[str, Any]:
        """Wait until a job and its orchestration have ended."""

        def look() -> dict[str, Any] | None:
            job = self.find_job(thread_id)
            return job if job and job["is_final"] and self.has_ended(job["id"]) else None

        job: dict[str, Any] = wait_until(look, limit_s)
        return job

    def read_instance(self, instance_id: str, **params: str) -> dict[str, Any] | None:
        answer = self.host.call_rpc("GET", f"instances/{instance_id}", params=params)
        if answer.status_code == 404:
            return None
        status: dict[str, Any] = answer.json()
        return status

    def has_ended(self, instance_id: str) -> bool:
        status = self.read_instance(instance_id)
        return status is not None and status["runtimeStatus"] in ("Completed", "Failed")

    def list_instances(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.host.call_rpc("GET", "instances/").json()
        return listed

    def wait_idle(self) -> None:
        """Wait until no orchestration runs."""
        ended = ("Completed", "Failed", "Terminated")
        wait_until(lambda: all(one["runtimeStatus"] in ended for one in self.list_instances()))

    def read_rows(self, query: str) -> list[tuple[Any, ...]]:
        path = self.host.folder / "app" / "code-agent.db"
        with closing(sqlite3.connect(path)) as connection:
            return list(connection.execute(query))

    def own_comments(self, thread_id: int, pull_request: int = PULL_REQUEST) -> list[str]:
        """The agent's comments in a thread."""
        thread = self.person(seed.JAMAL).read_thread(pull_request, thread_id)
        return [
            comment["content"]
            for comment in thread["comments"]
            if comment["author"]["id"] == seed.CODE_AGENT.id
        ]

    def wait_answer(self, thread_id: int, count: int = 1) -> str:
        """Wait for a number of comments of the agent; answers the last."""
        found: list[str] = wait_until(
            lambda: said if len(said := self.own_comments(thread_id)) >= count else None
        )
        return found[-1]
