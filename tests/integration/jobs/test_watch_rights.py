"""Rights that have drifted are told of, and nothing is told of a look that could not be taken."""

import json
import os
from pathlib import Path

import pytest

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.running import RunningAzureDevOps
from shared.domain.clock import read_utc_clock
from shared.jobs.watch_rights import watch_rights
from shared.jobs.world import World
from shared.settings import read_settings

NEEDED = 2 | 4 | 16 | 16_384
FORCE_PUSH = 8


def grant(azure_devops: RunningAzureDevOps, bits: int) -> None:
    records = azure_devops.organisation.records
    for repository in records.all("repository"):
        granted = dict.fromkeys(repository["permissions"], bits)
        records.put("repository", repository["id"], repository | {"permissions": granted})


@pytest.fixture
def world(
    azure_devops: RunningAzureDevOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
        "ADO_PAT": seed.CODE_AGENT.pat,
        "WEBHOOK_SECRET": "a-secret",
        "CODE_AGENT_DATA_DIR": str(tmp_path),
        "CODE_AGENT_ALLOWED_REPOSITORIES": f"{seed.PROJECT}/storefront",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return World(read_settings(os.environ), read_utc_clock)


def test_what_the_agent_may_do_is_told_against_what_it_needs(
    azure_devops: RunningAzureDevOps, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "code_agent")
    told = []
    for bits in (NEEDED, NEEDED | FORCE_PUSH, 2):
        grant(azure_devops, bits)
        told.append(watch_rights(world))
    assert [(one.status, one.deeds) for one in told] == [
        ("fit", "none"),
        ("too_much", "force push"),
        ("lacking", "none"),
    ]
    assert [(one.lacking, one.excessive) for one in told] == [(0, 0), (0, 2), (1, 0)]
    assert [one.repositories for one in told] == [2, 2, 2]
    records = [one.__dict__ for one in caplog.records if one.msg == "agent_rights"]
    assert json.loads(records[1]["microsoft.custom_measurements"])["excessive"] == 2


def test_what_could_not_be_looked_at_is_not_called_drift(
    azure_devops: RunningAzureDevOps, world: World
) -> None:
    azure_devops.organisation.faults = Faults(rate=1, kinds=(FaultKind.SIGN_IN_203,))
    assert watch_rights(world).status == "unknown"
