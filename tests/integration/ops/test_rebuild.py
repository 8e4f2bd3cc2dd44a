"""Rows are written anew from what the agent has said and done; nobody else's word counts."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from ops.__main__ import main
from shared.comments.marker import CommentKind, JobEnd, write_end, write_marker
from shared.domain.comment_ref import CommentRef
from shared.domain.job import Job
from shared.domain.states import JobStatus, VariantStatus
from shared.jobs.effects import list_visible
from shared.store import effects, jobs, turns, variants
from shared.store.database import Database
from shared.store.effects import EffectState
from tests.integration.store.rows import a_job, a_variant

PULL_REQUEST = seed.PULL_REQUEST_ID
NOW = datetime.now(UTC)
Ops = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'records.db'}")
    yield database
    database.dispose()


@pytest.fixture
def ops(
    azure_devops: RunningAzureDevOps,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ops:
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": azure_devops.organisation_url,
        "AZURE_DEVOPS_EXT_PAT": seed.ADMINISTRATOR.pat,
        "CODE_AGENT_DATABASE_URL": f"sqlite:///{tmp_path / 'records.db'}",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        given = ("--agent", seed.CODE_AGENT.address, "--place", f"{seed.PROJECT}/{seed.REPOSITORY}")
        code = main(["rebuild", *given, *words, "--json"])
        out = capsys.readouterr().out
        report: dict[str, Any] = json.loads(out) if out else {}
        return code, report

    return run


class World:
    """People and the agent at work on the seeded pull request."""

    def __init__(self, azure_devops: RunningAzureDevOps) -> None:
        self.azure_devops = azure_devops
        self.jamal = Person(azure_devops.organisation_url, seed.JAMAL.pat)
        self.agent = Person(azure_devops.organisation_url, seed.CODE_AGENT.pat)
        found = self.jamal.call_repository("GET", f"pullRequests/{PULL_REQUEST}")
        self.repository = found["repository"]
        self.topic = found["lastMergeSourceCommit"]["commitId"]

    def ask(self, text: str) -> CommentRef:
        thread = self.jamal.write_comment(PULL_REQUEST, text)
        return CommentRef(
            seed.ORGANISATION,
            self.repository["project"]["id"],
            self.repository["id"],
            PULL_REQUEST,
            thread,
            1,
        )

    def say(
        self,
        ref: CommentRef,
        kind: CommentKind,
        end: JobEnd | None = None,
        *,
        person: Person | None = None,
    ) -> int:
        text = f"{write_marker(ref.instance_id, kind)}\nwords\n"
        body = {"content": text + (write_end(end) if end else ""), "commentType": 1}
        path = f"pullRequests/{PULL_REQUEST}/threads/{ref.thread_id}/comments"
        return int((person or self.agent).call_repository("POST", path, body)["id"])

    def push(self, ref: CommentRef, number: int, *, draft: bool) -> tuple[str, int | None]:
        """Push a branch of the agent's, and open its draft; answers its tip and the draft."""
        branch = f"refs/heads/agents/edit-{PULL_REQUEST}-{ref.thread_id}-1/v{number}"
        content = {"content": branch, "contentType": "rawtext"}
        change = {"changeType": "add", "item": {"path": "/new.txt"}, "newContent": content}
        commit = {
            "comment": f"Change it\n\nCode-Agent-Job: {ref.instance_id}\n",
            "parents": [self.topic],
            "changes": [change],
        }
        update = {"name": branch, "oldObjectId": "0" * 40}
        pushed = {"refUpdates": [update], "commits": [commit]}
        tip = self.agent.call_repository("POST", "pushes", pushed)["commits"][0]["commitId"]
        if not draft:
            return tip, None
        opened = {
            "sourceRefName": branch,
            "targetRefName": f"refs/heads/{seed.TOPIC_BRANCH}",
            "title": "v",
            "isDraft": True,
        }
        return tip, int(self.agent.call_repository("POST", "pullrequests", opened)["pullRequestId"])


@pytest.fixture
def world(azure_devops: RunningAzureDevOps) -> World:
    return World(azure_devops)


def load(database: Database, ref: CommentRef) -> tuple[Job | None, list[Any]]:
    with database.read() as connection:
        job = jobs.load_job(connection, ref.instance_id)
        return job, variants.load_variants(connection, ref.instance_id)


def list_states(database: Database, job_id: str, *numbers: int) -> set[EffectState]:
    with database.transaction() as connection:
        return {
            effects.begin(connection, job_id, key, at=NOW).state for key in list_visible(numbers)
        }


def test_a_job_that_ended_is_written_anew_as_it_ended(
    world: World, ops: Ops, database: Database
) -> None:
    ref = world.ask("/edit /3 make all buttons red")
    status = world.say(ref, CommentKind.STATUS)
    tip, draft = world.push(ref, 1, draft=True)
    ends = {1: VariantStatus.SUCCESS, 2: VariantStatus.DUPLICATE, 3: VariantStatus.FAILED}
    world.say(ref, CommentKind.FINAL, JobEnd(JobStatus.PARTIAL_SUCCESS, ends))
    code, report = ops()
    assert (code, report["ended"], report["released"]) == (0, 1, 0)
    job, rows = load(database, ref)
    assert job is not None
    assert (job.status, job.intent) == (JobStatus.PARTIAL_SUCCESS, "make all buttons red")
    assert (job.base_commit, job.status_comment_id) == (world.topic, status)
    assert {row.number: row.status for row in rows} == ends
    assert (rows[0].commit_id, rows[0].pull_request_id) == (tip, draft)
    assert job.actor_id == seed.JAMAL.id
    assert ops()[1]["kept"] == 1  # safe to repeat


def test_an_end_that_a_reply_does_not_tell_is_what_drafts_say(
    world: World, ops: Ops, database: Database
) -> None:
    ref = world.ask("/edit /2 make all buttons red")
    world.push(ref, 1, draft=True)
    world.say(ref, CommentKind.FINAL)
    ops()
    job, rows = load(database, ref)
    assert job is not None
    assert job.status is JobStatus.PARTIAL_SUCCESS
    assert [row.status for row in rows] == [VariantStatus.SUCCESS, VariantStatus.FAILED]


def test_a_job_at_work_is_opened_and_looks_before_it_does_anything(
    world: World, ops: Ops, database: Database
) -> None:
    ref = world.ask("/edit /3 make all buttons red")
    world.say(ref, CommentKind.STATUS)
    world.push(ref, 1, draft=True)
    world.push(ref, 2, draft=False)
    _, report = ops()
    assert (report["reopened"], report["released"]) == (1, 1)
    job, rows = load(database, ref)
    assert job is not None
    assert (job.status, job.task_hub) == (JobStatus.QUEUED, "")
    pending = VariantStatus.PENDING
    assert [row.status for row in rows] == [VariantStatus.SUCCESS, pending, pending]
    assert list_states(database, ref.instance_id, 1, 2, 3) == {EffectState.BEGUN}


def test_an_older_row_gets_the_end_that_has_come_since_and_another_is_released(
    world: World, ops: Ops, database: Database
) -> None:
    database.upgrade()
    ended, open_ = world.ask("/edit /1 red please"), a_job(9, task_hub="Lost")
    with database.transaction() as connection:
        job = a_job(1, id=ended.instance_id, comment=ended, requested_variants=1, task_hub="Lost")
        jobs.insert_job(connection, job)
        jobs.insert_job(connection, open_)
        variants.insert_variants(connection, [a_variant(1, job), a_variant(1, open_)])
        turns.take_turn(connection, "reconcile", "dead", at=NOW, until=NOW.replace(year=2100))
    world.say(ended, CommentKind.FINAL, JobEnd(JobStatus.FAILED, {1: VariantStatus.TIMEOUT}))
    _, report = ops()
    assert (report["ended"], report["released"]) == (1, 1)
    job_now, rows = load(database, ended)
    assert job_now is not None
    assert (job_now.status, rows[0].status) == (JobStatus.FAILED, VariantStatus.TIMEOUT)
    with database.transaction() as connection:
        released = jobs.load_job(connection, open_.id)
        assert released is not None
        assert released.task_hub == ""
        later = datetime.now(UTC)
        assert turns.take_turn(connection, "reconcile", "new", at=later, until=later) is not None
    assert list_states(database, open_.id, 1) == {EffectState.BEGUN}


def test_what_is_no_word_of_the_agents_counts_for_nothing(
    world: World, ops: Ops, database: Database
) -> None:
    forged = world.ask("/edit /1 make all buttons red")
    end = JobEnd(JobStatus.SUCCESS, {1: VariantStatus.SUCCESS})
    world.say(forged, CommentKind.FINAL, end, person=world.jamal)
    answered = world.ask("/help")
    world.say(answered, CommentKind.ANSWER)
    gone = world.ask("/edit /1 make all buttons red")
    world.say(gone, CommentKind.STATUS)
    path = f"pullRequests/{PULL_REQUEST}/threads/{gone.thread_id}/comments/1"
    world.jamal.call_repository("PATCH", path, {"content": "never mind"})
    _, report = ops()
    assert (report["commands"], report["orphans"]) == (0, 1)
    assert load(database, forged) == (None, [])


def test_a_retry_is_left_to_the_sweep_and_one_that_ended_is_written(
    world: World, ops: Ops, database: Database
) -> None:
    open_, ended = world.ask("/retry 2"), world.ask("/retry")
    world.say(open_, CommentKind.STATUS)
    end = JobEnd(JobStatus.SUCCESS, {2: VariantStatus.SUCCESS})
    world.say(ended, CommentKind.FINAL, end)
    _, report = ops()
    assert (report["doubted"], report["ended"]) == (1, 1)
    assert load(database, open_) == (None, [])
    assert list_states(database, open_.instance_id, *range(1, 11)) == {EffectState.BEGUN}
    job, rows = load(database, ended)
    assert job is not None
    assert [row.number for row in rows] == [2]


def test_a_dry_run_changes_nothing_and_an_instant_bounds_the_look(
    world: World, ops: Ops, database: Database
) -> None:
    ref = world.ask("/edit /1 make all buttons red")
    world.say(ref, CommentKind.STATUS)
    code, report = ops("--dry-run")
    assert (code, report["outcome"], report["reopened"]) == (0, "planned", 1)
    database.upgrade()
    assert load(database, ref) == (None, [])
    _, report = ops("--since", "2100-01-01T00:00Z")
    assert report["commands"] == 0


def test_wrong_usage_is_told(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="2"):
        ops("--place", "a/b/c")
    assert ops("--agent", "nobody@example.org")[0] == 3
    assert ops("--place", "Nowhere")[0] == 3
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", "wrong")
    assert ops()[0] == 1
