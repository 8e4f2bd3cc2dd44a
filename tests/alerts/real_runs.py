"""Runs the app on its host, well and badly, and answers what it told Application Insights."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from local.app_insights.envelopes import Row
from local.app_insights.running import run_in_thread
from local.app_insights.server import InsightsStandIn
from local.azure_devops import running as running_azure_devops
from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.running import RunningAzureDevOps
from local.azure_devops.server import ServerOptions
from local.model import running as running_model
from local.model.script import Fault, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from tests.alerts.evaluation import Telemetry
from tests.alerts.tell_scenarios import NOW, move_to_now
from tests.local.functions_host.hosting import REPOSITORY, wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.minds import Mind, replace, submit

_ACCENTS = {1: "#c1121f", 2: "#d00000", 3: "#e5383b"}


@dataclass(frozen=True)
class Stage:
    """The app and its world, while it runs."""

    agent: Agent
    hook: str
    azure_devops: RunningAzureDevOps
    insights: InsightsStandIn

    def ask(self, command: str) -> int:
        """Comment; answers the thread."""
        return self.agent.person(seed.JAMAL).write_comment(PULL_REQUEST, command)

    def ask_for_help_until(self, holds: Callable[[], bool]) -> None:
        """Comment again and again; Azure DevOps may refuse the comment itself."""
        for _ in range(50):
            with contextlib.suppress(requests.HTTPError):
                self.ask("/help")
            self.agent.wait_idle()
            if holds():
                return
        raise AssertionError("it never came")

    def rows(self, event: str) -> list[Row]:
        """Answer what arrived of an event."""
        return self.insights.rows("customEvents", event)

    def fire(self, timer: str, event: str) -> None:
        """Let a timer fire, and wait for what it tells."""
        before = len(self.rows(event))
        answer = requests.post(f"{self.agent.host.url}/admin/functions/{timer}", timeout=10)
        assert answer.status_code == 202
        wait_until(lambda: len(self.rows(event)) > before, 60)


def run_well(organisation: Path, folder: Path) -> Telemetry:
    """Three variants by a model, a look at the pages, all timers, and a backup that is told of."""

    def act(stage: Stage) -> None:
        stage.fire("beat", "heartbeat")
        stage.agent.wait_job(stage.ask("/edit /3 make all buttons red"))
        for page in ("health", "ready", "jobs"):
            assert requests.get(f"{stage.agent.host.url}/gateway/{page}", timeout=10).ok
        for timer, event in (
            ("watch_hooks", "hook_health"),
            ("watch_rights", "agent_rights"),
            ("apply_retention", "retention_completed"),
            ("beat", "heartbeat"),
            ("beat", "heartbeat"),
        ):
            stage.fire(timer, event)
        _tell_backup(stage, folder)

    return _run(organisation, folder, act, Mind(_paint), {})


def _tell_backup(stage: Stage, folder: Path) -> None:
    """Tell of a backup, as ops/backup.sh does when the dump has arrived."""
    manifest = folder / "manifest.json"
    told = {
        "recovery_point": "2026-01-01T00:00:00Z",
        "schema_step": "0009",
        "server_version": 160004,
        "newest_job": None,
        "open_jobs": 0,
        "rows": {"jobs": 1},
    }
    manifest.write_text(json.dumps(told))
    words = ("backup-sent", str(manifest), "--size-bytes", "1000", "--took-s", "2")
    string = stage.insights.connection_string
    subprocess.run(
        [sys.executable, "-m", "ops", *words],
        cwd=REPOSITORY,
        env={**os.environ, "APPLICATIONINSIGHTS_CONNECTION_STRING": string},
        check=True,
    )


def run_badly(organisation: Path, folder: Path) -> Telemetry:
    """Models are out, Azure DevOps throttles and disables the hook, and somebody knocks."""

    def act(stage: Stage) -> None:
        threads = [stage.ask(f"/edit /4 make all buttons red, number {n}") for n in range(3)]
        for _ in range(12):
            assert stage.agent.deliver({}, secret="wrong").status_code == 401
        for thread in threads:
            stage.agent.wait_job(thread)
        faults = Faults(rate=0.5, kinds=[FaultKind.THROTTLE_429], retry_after_s=0.01)
        stage.azure_devops.organisation.faults = faults
        stage.ask_for_help_until(lambda: len(stage.rows("ado_rate_limited")) > 15)
        stage.azure_devops.organisation.faults = Faults()
        admin = stage.agent.person(seed.ADMINISTRATOR)
        path = f"_apis/hooks/subscriptions/{stage.hook}"
        admin.call("PUT", path, {**admin.call("GET", path), "status": "disabledBySystem"})
        stage.fire("watch_hooks", "hook_health")
        stage.fire("beat", "heartbeat")

    out = ScriptedReply(fault=Fault(status=529))
    settings = {
        "CODE_AGENT_CIRCUIT_FAILURES": "4",
        "CODE_AGENT_CIRCUIT_COOLDOWN_S": "600",
        "CODE_AGENT_VARIANT_TIMEOUT_S": "5",
    }
    return _run(organisation, folder, act, Mind(lambda *_: out, lambda _: out), settings)


def _paint(_: PlainConversation, number: int) -> ScriptedReply:
    accent = _ACCENTS[number]
    edit = replace("css/site.css", "  --accent: #1a6fb5;", f"  --accent: {accent};")
    return submit(edit, summary=f"The accent is {accent} now.")


def _run(
    organisation: Path,
    folder: Path,
    act: Callable[[Stage], None],
    mind: Mind,
    settings: dict[str, str],
) -> Telemetry:
    with run_in_thread() as insights, running_model.run_in_thread() as model:
        model.brain = mind
        with _start(organisation, folder, insights, model, settings) as stage:
            act(stage)
            stage.agent.host.stop()  # it delivers what it has
        rows = insights.collected.all_rows()
    return Telemetry(move_to_now(rows), NOW)


@contextlib.contextmanager
def _start(
    organisation: Path,
    folder: Path,
    insights: InsightsStandIn,
    model: ModelStandIn,
    settings: dict[str, str],
) -> Iterator[Stage]:
    shutil.copytree(organisation, folder / "azure-devops")
    options = ServerOptions(folder / "azure-devops", time_scale=0.001)
    with running_azure_devops.run_in_thread(options) as azure_devops:
        given = {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
            "CODE_AGENT_PROVIDER": "anthropic",
            "CODE_AGENT_ANTHROPIC_URL": model.base_url,
            "CODE_AGENT_ANTHROPIC_MODEL": "claude-sonnet-4-6",
            "ANTHROPIC_API_KEY": model.key,
            "CODE_AGENT_MODEL_TRIES": "2",
            "CODE_AGENT_RETRY_FIRST_DELAY_S": "0.01",
            "CODE_AGENT_RETRY_MAX_DELAY_S": "0.02",
        }
        agent = Agent.start(azure_devops, folder / "agent", {**given, **settings})
        try:
            yield Stage(agent, agent.subscribe(), azure_devops, insights)
        finally:
            agent.host.kill()
