"""What was decided first about a request stays decided, whatever a model says the next time."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.model.script import PlainConversation, ScriptedReply
from local.model.server import ModelStandIn
from shared.domain.clock import read_utc_clock
from shared.jobs.judge_request import judge_request
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import artifacts, jobs, variants
from tests.integration.store.rows import NOW, a_job, a_variant
from tests.stories.minds import CLEAR, call

JOB = a_job()
SHOWN = {
    "thread_lines": None,
    "thread_path": None,
    "ranked_paths": ["css/site.css"],
    "changed_paths": [],
    "text": "css/site.css",
    "nonce": "0f1e2d3c",
}
VAGUE = call(
    "judge_command",
    clear=False,
    question="Which buttons?",
    readings=["All of them", "Those of the cart"],
    likeliest=0,
)


@pytest.fixture
def world(tmp_path: Path, model: ModelStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", model.key)
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
        "CODE_AGENT_DATA_DIR": str(tmp_path),
        "CODE_AGENT_PROVIDER": "anthropic",
        "CODE_AGENT_ANTHROPIC_URL": model.base_url,
    }
    world = World(read_settings(settings), read_utc_clock)
    with world.database.transaction() as connection:
        jobs.insert_job(connection, JOB)
        variants.insert_variants(connection, [a_variant(1)])
    yield world
    for chat in world.models:
        chat.close()  # type: ignore[attr-defined]  # an SDK's
    world.database.dispose()


def say(*replies: ScriptedReply) -> Callable[[PlainConversation], ScriptedReply]:
    left = list(replies)
    return lambda _: left.pop(0)


@pytest.mark.parametrize(
    ("replies", "asks"), [((CLEAR, VAGUE), False), ((VAGUE, CLEAR), True)], ids=["clear", "vague"]
)
def test_the_first_verdict_stays(
    world: World, model: ModelStandIn, replies: tuple[ScriptedReply, ...], *, asks: bool
) -> None:
    model.brain = say(*replies)
    with world.database.transaction() as connection:
        digest = artifacts.put(
            connection,
            json.dumps(SHOWN).encode(),
            media_type="application/json",
            at=NOW,
            expires_at=NOW.replace(year=2027),
        )
    order = {"job_id": JOB.id, "context": {"context": digest}, "round": 1}
    assert [judge_request(order, world) for _ in range(2)] == [{"asks": asks}] * 2
    with world.database.read() as connection:
        known = jobs.load_job(connection, JOB.id)
    assert known is not None
    assert len(known.clarification.rounds) == asks
