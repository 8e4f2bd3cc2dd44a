"""Records the histories of today's orchestrators: `make record-history`.

The app runs on the local host, joined to the Azure DevOps stand-in; a person writes comments; what
the host kept of every orchestration is written to `tests/histories/<version>/<shape>.json`. The
version is host.json's. One that has been released is never recorded again: running jobs have begun
with it.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.organisation import Organisation
from local.azure_devops.running import RunningAzureDevOps, run_in_thread
from local.azure_devops.server import ServerOptions
from local.model import running as running_model
from local.model.script import Fault, PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.domain.names import OrchestratorName
from tests.histories.golden import FOLDER, Recording, write_recordings
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.minds import CLEAR, READY, Mind, replace, submit

RELEASES: Final = FOLDER / "releases.toml"
HOST_JSON: Final = FOLDER.parents[1] / "host.json"


@dataclass(frozen=True)
class Stage:
    """The app, somebody who comments, and a model."""

    azure_devops: RunningAzureDevOps
    agent: Agent
    model: ModelStandIn

    def say(self, words: str) -> int:
        return self.agent.person(seed.JAMAL).write_comment(PULL_REQUEST, words)

    def reply(self, thread_id: int, words: str) -> None:
        path = f"pullRequests/{PULL_REQUEST}/threads/{thread_id}/comments"
        body = {"content": words, "parentCommentId": 1, "commentType": 1}
        self.agent.person(seed.JAMAL).call_repository("POST", path, body)

    def wait_kind(self, thread_id: int, kind: str) -> None:
        """Wait for a comment of a kind in a thread."""
        wait_until(lambda: f"kind={kind}" in "".join(self.agent.own_comments(thread_id)))


def one_variant(stage: Stage) -> None:
    stage.agent.wait_job(stage.say("/edit /1 make all buttons red"))


def three_variants(stage: Stage) -> None:
    stage.agent.wait_job(stage.say("/edit /3 make all buttons red"))


def clarified(stage: Stage) -> None:
    thread_id = stage.say("/edit /1 make it better")
    stage.wait_kind(thread_id, "question")
    stage.reply(thread_id, "2")
    stage.agent.wait_job(thread_id)


def unanswered(stage: Stage) -> None:
    stage.agent.wait_job(stage.say("/edit /1 make it better"))


def cancelled(stage: Stage) -> None:
    """One job waits for an answer, the next for its slot; then the first is cancelled."""
    first = stage.say("/edit /1 make it better")
    stage.wait_kind(first, "question")
    second = stage.say("/edit /1 make all buttons red")
    wait_until(lambda: stage.agent.own_comments(second))
    stage.reply(first, "/cancel")
    stage.agent.wait_job(first)
    stage.agent.wait_job(second)


def retried(stage: Stage) -> None:
    """Azure DevOps throttles and breaks off: steps are tried again after a timer."""
    kinds = (FaultKind.UNAVAILABLE_503, FaultKind.THROTTLE_429)
    stage.azure_devops.organisation.faults = Faults(rate=0.3, seed=4, kinds=kinds)
    thread_id = stage.say("/edit /2 make all buttons red")
    wait_until(lambda: stage.azure_devops.organisation.faults.count > 0)
    stage.agent.wait_job(thread_id)


def failed_over(stage: Stage) -> None:
    """The first provider is out until its circuit opens; the next in the chain drafts."""
    edit = replace("css/checkout.css", "background: blue", "background: red")

    def serve(said: PlainConversation, reply: ScriptedReply) -> ScriptedReply:
        is_out = said.wire == "anthropic"
        return ScriptedReply(fault=Fault(status=529)) if is_out else reply

    stage.model.brain = Mind(
        lambda said, _: serve(said, submit(edit)),
        lambda said: serve(said, CLEAR),
        lambda said: serve(said, READY),
    )
    stage.agent.wait_job(stage.say("/edit /2 make all buttons red"))


def refused_and_answered(stage: Stage) -> None:
    stage.wait_kind(stage.say("/help"), "answer")
    stage.wait_kind(stage.say("/edit /99 too many"), "answer")


Shape = Callable[[Stage], None]
SHAPES: Final[dict[Shape, dict[str, str]]] = {
    one_variant: {},
    three_variants: {},
    clarified: {},
    unanswered: {"CODE_AGENT_CLARIFY_WAIT_S": "1"},
    cancelled: {"CODE_AGENT_MAX_RUNNING_JOBS": "1"},
    retried: {},
    failed_over: {
        "CODE_AGENT_PROVIDER": "anthropic,openai",
        "CODE_AGENT_ANTHROPIC_MODEL": "claude-sonnet-4-6",
        "CODE_AGENT_OPENAI_MODEL": "gpt-4.1",
        "CODE_AGENT_MODEL_TRIES": "2",
        "CODE_AGENT_CIRCUIT_FAILURES": "2",
    },
    refused_and_answered: {},
}
"""What is recorded, each with the settings it needs."""


def read_current_version() -> str:
    """Read the version that host.json gives to instances that are started."""
    plain = json.loads(HOST_JSON.read_text("utf-8"))
    return str(plain["extensions"]["durableTask"]["defaultVersion"])


def read_releases() -> dict[str, Any]:
    """Read which versions have been released, and from which commit the last release was made."""
    return tomllib.loads(RELEASES.read_text("utf-8"))


def record(shape: Shape, folder: Path) -> list[Recording]:
    """Let a shape happen; answers every orchestration of it."""
    with _open_stage(folder, SHAPES[shape]) as stage:
        shape(stage)
        stage.agent.wait_idle()
        return list(_read_recordings(shape.__name__, stage.agent.host.folder / "state.db"))


@contextmanager
def _open_stage(folder: Path, settings: dict[str, str]) -> Iterator[Stage]:
    organisation = Organisation(seed.ORGANISATION, folder / "azure-devops")
    seed.seed(organisation)
    organisation.close()
    with ExitStack() as stack:
        options = ServerOptions(folder / "azure-devops", time_scale=0.001)
        azure_devops = stack.enter_context(run_in_thread(options))
        model = stack.enter_context(running_model.run_in_thread())
        agent = Agent.start(
            azure_devops,
            folder / "agent",
            {
                "CODE_AGENT_ANTHROPIC_URL": model.base_url,
                "ANTHROPIC_API_KEY": model.key,
                "CODE_AGENT_OPENAI_URL": f"{model.base_url}/v1",
                "OPENAI_API_KEY": model.key,
                **settings,
            },
        )
        stack.callback(agent.host.kill)
        agent.subscribe()
        yield Stage(azure_devops, agent, model)


def _read_recordings(shape: str, state: Path) -> Iterator[Recording]:
    instances = "SELECT instance_id, name, parent FROM instances ORDER BY created_at, instance_id"
    history = "SELECT event FROM history WHERE instance_id = ? ORDER BY position"
    with closing(sqlite3.connect(state)) as connection:
        for instance_id, name, parent in connection.execute(instances).fetchall():
            events = tuple(json.loads(e) for (e,) in connection.execute(history, (instance_id,)))
            if name in set(OrchestratorName) and events:
                parent_id = json.loads(parent)["instance_id"] if parent else None
                yield Recording(shape, name, instance_id, parent_id, events)


def main() -> int:
    """Record every shape of today's version; answers the exit code."""
    version = read_current_version()
    if version in read_releases()["released_versions"]:
        sys.stderr.write(
            f"Version {version} has been released: jobs have begun with it. Raise defaultVersion "
            "in host.json, branch on context.version where the order changes, and record again.\n"
        )
        return 3
    target = FOLDER / version
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch, "histories")
        fresh.mkdir()
        for shape in SHAPES:
            recordings = record(shape, Path(scratch, shape.__name__))
            write_recordings(fresh / f"{shape.__name__}.json", recordings)
            sys.stderr.write(f"{shape.__name__}: {len(recordings)} orchestrations\n")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(fresh, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
