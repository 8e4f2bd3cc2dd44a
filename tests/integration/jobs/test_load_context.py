"""What a pull request changes reaches what the model is shown, over the stand-in."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.git_store import ZERO, Author
from local.azure_devops.running import RunningAzureDevOps
from shared.ado.errors import AdoError
from shared.domain.clock import read_utc_clock
from shared.domain.comment_ref import CommentRef
from shared.domain.job import Job
from shared.domain.states import JobStatus
from shared.jobs.load_context import load_context
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import artifacts, jobs
from tests.local.azure_devops.client import change

LONG = [f"{number:04} some text of a file that is too long to be shown" for number in range(2000)]
WISH = "simplify what I changed here"
"""No word of it stands in any file."""


@pytest.fixture
def world(
    azure_devops: RunningAzureDevOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("ADO_PAT", seed.CODE_AGENT.pat)
    settings = read_settings(
        {
            "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
            "CODE_AGENT_DATA_DIR": str(tmp_path / "app"),
            "CODE_AGENT_CONTEXT_TOKENS": "8000",
        }
    )
    world = World(settings, read_utc_clock)
    yield world
    world.ado.close()
    world.database.dispose()


Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load(azure_devops: RunningAzureDevOps, world: World) -> Load:
    """Load the context of a job on a branch of `edits` that began at `files`."""
    records = azure_devops.organisation.records
    found = next(one for one in records.all("repository") if one["name"] == seed.REPOSITORY)
    store = azure_devops.organisation.open_store(found["id"])
    author = Author("Jamal", "jamal@example.com")

    def commit(branch: str, old: str, *changes: dict[str, Any]) -> str:
        return store.push(f"refs/heads/{branch}", old, {"changes": list(changes)}, author)

    def run(files: list[dict[str, Any]], edits: list[dict[str, Any]]) -> dict[str, Any]:
        began = commit("main", store.find_ref("refs/heads/main") or ZERO, *files)
        head = commit("topic", began, *edits)
        target = commit("main", began, change("add", "/later.txt", "later\n"))
        ref = CommentRef("contoso", found["projectId"], found["id"], 1, 5, 1)
        now = world.clock()
        job = Job(
            id=ref.instance_id,
            comment=ref,
            status=JobStatus.RUNNING,
            intent=WISH,
            requested_variants=1,
            actor_id="u",
            correlation_id="c",
            project_name="P",
            repository_name="r",
            pull_request_title="t",
            source_ref="refs/heads/topic",
            base_commit=head,
            created_at=now,
            updated_at=now,
        )
        told = {
            "title": "t",
            "description": "",
            "target_commit": target,
            "thread_path": None,
            "thread_lines": None,
        }
        with world.database.transaction() as connection:
            jobs.insert_job(connection, job)
            described = artifacts.put(
                connection,
                json.dumps(told).encode(),
                media_type="application/json",
                at=now,
                expires_at=now.replace(year=now.year + 1),
            )
        loaded = load_context({"job_id": job.id, "request": described}, world)
        with world.database.read() as connection:
            shown: dict[str, Any] = json.loads(artifacts.get(connection, loaded["context"]))
        return shown

    return run


def write(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def edit_two_spots() -> list[str]:
    return [*LONG[:499], "rewritten", *LONG[500:1500], "inserted", "inserted", *LONG[1500:]]


def test_the_lines_that_the_pull_request_changes_are_shown_and_no_others(
    azure_devops: RunningAzureDevOps, load: Load
) -> None:
    azure_devops.organisation.calls.clear()
    shown = load(
        [change("add", "/long.txt", write(LONG)), change("add", "/other.txt", write(LONG))],
        [change("edit", "/long.txt", write(edit_two_spots()))],
    )
    assert azure_devops.organisation.calls.operations == [
        *("get diffs", "get items", "get file diffs")
    ]
    _, _, text = shown["text"].partition("\n# long.txt (signatures and excerpts)\n")
    told, *lines = text.partition("\n# ")[0].splitlines()
    assert told == "(changed by the pull request: 500, 1501-1502)"
    numbers = {int(line.split()[0]) for line in lines if "⋮" not in line}
    assert numbers == {*range(488, 513), *range(1489, 1514)}
    assert "  500 rewritten\n" in text
    assert "\n# other.txt" not in shown["text"]


def fail_at(call: int, kind: FaultKind) -> Faults:
    """Find faults of which the first strikes at a call, counted from 1."""
    for seed_ in count():
        faults = Faults(rate=0.5, seed=seed_, kinds=[kind])
        trial = replace(faults, made=[])
        if [trial.choose("x") is not None for _ in range(call)] == [False] * (call - 1) + [True]:
            return faults
    raise AssertionError


def edit_a_long_file(load: Load) -> dict[str, Any]:
    return load(
        [change("add", "/long.txt", write(LONG))],
        [change("edit", "/long.txt", write(edit_two_spots()))],
    )


def test_a_call_that_fails_costs_the_lines_and_not_the_job(
    azure_devops: RunningAzureDevOps, load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="code_agent")
    azure_devops.organisation.faults = fail_at(3, FaultKind.RESET_BEFORE)
    shown = edit_a_long_file(load)
    assert azure_devops.organisation.faults.made == ["reset_before get file diffs"]
    assert shown["changed_paths"] == ["long.txt"]
    assert "\n# long.txt" not in shown["text"]
    (event,) = (vars(record) for record in caplog.records if record.msg == "context_incomplete")
    assert (event["missing"], event["reason"]) == ("changed_lines", "ado.unavailable")


def test_a_call_that_has_to_wait_is_tried_again_as_everywhere(
    azure_devops: RunningAzureDevOps, load: Load
) -> None:
    azure_devops.organisation.faults = fail_at(3, FaultKind.THROTTLE_429)
    with pytest.raises(AdoError, match=r"ado\.rate_limited"):
        edit_a_long_file(load)
    assert azure_devops.organisation.faults.made == ["throttle_429 get file diffs"]


def test_added_deleted_renamed_and_binary_files_are_no_obstacle(load: Load) -> None:
    shown = load(
        [
            change("add", "/gone.txt", "gone\n"),
            change("add", "/moved.txt", "moved\n"),
            change("add", "/bent.txt", write(LONG[:20])),
            change("add", "/data.xyz", "a\0b"),
        ],
        [
            change("delete", "/gone.txt"),
            change("rename", "/to.txt", sourceServerItem="/moved.txt"),
            change("rename", "/straight.txt", sourceServerItem="/bent.txt"),
            change("edit", "/straight.txt", write([*LONG[:9], "ten", *LONG[10:20]])),
            change("edit", "/data.xyz", "a\0c"),
            change("add", "/new.txt", "new\n"),
        ],
    )
    text = shown["text"]
    assert "\n# straight.txt\n(changed by the pull request: 10)\n    1 0000 some" in text
    assert "\n# new.txt\n(changed by the pull request)\n    1 new\n" in text
    assert "\n# to.txt\n(changed by the pull request)\n    1 moved\n" in text
    assert "# gone.txt" not in text
    assert "# data.xyz" not in text
