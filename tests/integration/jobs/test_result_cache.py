"""Which earlier result may be taken: never one of a model that the settings do not ask for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.domain.states import JobStatus
from shared.jobs.result_cache import build_key, find_result, keep_result
from shared.jobs.world import World
from shared.llm.provider import Draft, Usage
from shared.settings import read_settings
from tests.integration.llm.desk import build_request
from tests.integration.store.rows import NOW, a_job

JOB = a_job(status=JobStatus.RUNNING, requested_variants=2, created_at=NOW)
CHAIN = {"CODE_AGENT_PROVIDER": "anthropic,openai"}
SPREAD = CHAIN | {"CODE_AGENT_SPREAD_VARIANTS": "yes"}
SECOND: dict[str, Any] = {"variant": 2, "variants": 2, "strategy": "idiomatic"}
EDITS = '{"edits": [{"action": "create", "path": "docs/new.md", "content": "New.\\n"}]}'


def open_world(folder: Path, **variables: str) -> World:
    told = {
        "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
        "CODE_AGENT_DATA_DIR": str(folder),
    }
    return World(read_settings(told | variables), lambda: NOW)


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[dict[str, World]]:
    """The app before and after its operators have its variants spread over the chain."""
    worlds = {"chain": open_world(tmp_path, **CHAIN), "spread": open_world(tmp_path, **SPREAD)}
    yield worlds
    for world in worlds.values():
        world.database.dispose()


def draft_by(provider: str) -> Draft:
    patch = build_request().apply(EDITS, "structured")
    return Draft(EDITS, "structured", patch, "New.", Usage(), provider, "a-model")


def test_a_result_is_another_one_when_another_model_is_asked_first(
    worlds: dict[str, World],
) -> None:
    first, second = build_request(variants=2), build_request(**SECOND)
    keys = {name: build_key(world, JOB, second) for name, world in worlds.items()}
    assert keys["chain"] != keys["spread"]
    # the first variant begins with the first model either way
    assert len({build_key(world, JOB, first) for world in worlds.values()}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"CODE_AGENT_PROVIDER": "openai,anthropic"},
        {"CODE_AGENT_ANTHROPIC_MODEL": "claude-opus-5-5"},
        {"CODE_AGENT_ANTHROPIC_URL": "https://gateway.example"},
        {"CODE_AGENT_ANTHROPIC_TEMPERATURE": "no"},
        {"CODE_AGENT_OPENAI_API": "completions"},
        {"CODE_AGENT_OPENAI_EFFORT": "high"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_setting_that_decides_who_is_asked_and_how_is_in_the_key(
    tmp_path: Path, change: dict[str, str]
) -> None:
    request = build_request()
    usual, changed = open_world(tmp_path, **CHAIN), open_world(tmp_path, **(CHAIN | change))
    assert build_key(usual, JOB, request) == build_key(open_world(tmp_path, **CHAIN), JOB, request)
    assert build_key(usual, JOB, request) != build_key(changed, JOB, request)


@pytest.mark.parametrize(
    ("name", "provider", "is_kept"),
    [
        ("chain", "anthropic", True),
        ("chain", "openai", False),
        ("spread", "openai", True),
        ("spread", "anthropic", False),
    ],
)
def test_what_a_stand_in_drafted_is_not_kept(
    worlds: dict[str, World], name: str, provider: str, *, is_kept: bool
) -> None:
    world, request = worlds[name], build_request(**SECOND)
    key = build_key(world, JOB, request)
    keep_result(world, key, request, draft_by(provider))
    found = find_result(world, key, request)
    assert (found is not None) is is_kept
    assert found is None or (found.provider, found.edits) == (provider, EDITS)
