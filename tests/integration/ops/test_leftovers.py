"""Old drafts and branches go when all that is on them is the agent's, and not otherwise."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from ops.__main__ import main
from ops.leftover_branches import BRANCH_NOT_DELETED, find_branches, remove_branch
from shared.ado.credentials import PatCredential
from shared.ado.session import AdoSession

NO_COMMIT = "0" * 40
OPTIONS = ("--project", seed.PROJECT, "--agent", seed.CODE_AGENT.address)
Ops = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ops(
    azure_devops: RunningAzureDevOps,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ops:
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", azure_devops.organisation_url)
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", seed.ADMINISTRATOR.pat)

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code = main(["leftovers", *words, "--json"])
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, report

    return run


def push_branch(azure_devops: RunningAzureDevOps, branch: str, pat: str) -> None:
    """Push a branch with one commit on top of the topic."""
    person = Person(azure_devops.organisation_url, pat)
    [topic] = person.call_repository("GET", "refs", filter=f"heads/{seed.TOPIC_BRANCH}")["value"]
    content = {"content": f"{branch}\n", "contentType": "rawtext"}
    item = {"path": f"/{branch.replace('/', '-')}.txt"}
    commit = {
        "comment": "Change it",
        "parents": [topic["objectId"]],
        "changes": [{"changeType": "add", "item": item, "newContent": content}],
    }
    ref = {"name": f"refs/heads/{branch}", "oldObjectId": NO_COMMIT}
    person.call_repository("POST", "pushes", {"refUpdates": [ref], "commits": [commit]})


def delete_branch(person: Person, branch: str) -> None:
    """Delete a branch as it is."""
    [ref] = person.call_repository("GET", "refs", filter=f"heads/{branch}")["value"]
    change = {"name": ref["name"], "oldObjectId": ref["objectId"], "newObjectId": NO_COMMIT}
    person.call_repository("POST", "refs", [change])


def age_pushes(azure_devops: RunningAzureDevOps, *branches: str) -> None:
    """Have the pushes to some branches made years ago."""
    records = azure_devops.organisation.records
    names = {f"refs/heads/{branch}" for branch in branches}
    for push in records.all("push"):
        if names & {update["name"] for update in push["refUpdates"]}:
            records.put("push", push["id"], {**push, "date": "2020-01-01T00:00:00.1234567Z"})


def leave_draft(azure_devops: RunningAzureDevOps, branch: str, *, is_old: bool = True) -> int:
    """Have the agent push a branch and open its draft, years ago or now."""
    push_branch(azure_devops, branch, seed.CODE_AGENT.pat)
    agent = Person(azure_devops.organisation_url, seed.CODE_AGENT.pat)
    opened = {
        "sourceRefName": f"refs/heads/{branch}",
        "targetRefName": f"refs/heads/{seed.TOPIC_BRANCH}",
        "title": branch,
        "isDraft": True,
    }
    number = int(agent.call_repository("POST", "pullrequests", opened)["pullRequestId"])
    if is_old:
        records = azure_devops.organisation.records
        known = next(one for one in records.all("pull_request") if one["id"] == number)
        records.put("pull_request", number, {**known, "creationDate": "2020-01-01T00:00:00Z"})
    return number


def test_only_what_is_the_agents_alone_is_removed(
    azure_devops: RunningAzureDevOps, ops: Ops
) -> None:
    old = leave_draft(azure_devops, "agents/edit-1-1-1/v1")
    tenth = leave_draft(azure_devops, "agents/edit-1-1-1/v10", is_old=False)
    touched = leave_draft(azure_devops, "agents/edit-1-1-1/v2")
    elsewhere = leave_draft(azure_devops, "topics/edit-1")
    jamal = Person(azure_devops.organisation_url, seed.JAMAL.pat)
    jamal.edit_file("agents/edit-1-1-1/v2", "index.html", "<p>mine</p>\n")
    code, report = ops("list", *OPTIONS)
    assert code == 0
    told = {one["pull_request"]: one["kept"] for one in report["drafts"]}
    assert told == {old: "", touched: "somebody else has pushed to it"}
    branches = set(jamal.list_branches("agents/"))
    assert ops("remove", *OPTIONS, "--dry-run")[0] == 0
    assert set(jamal.list_branches("agents/")) == branches
    assert ops("remove", *OPTIONS, "--project", "No such")[0] == 3
    assert set(jamal.list_branches("agents/")) == branches
    assert ops("remove", *OPTIONS)[0] == 0
    assert branches - set(jamal.list_branches("agents/")) == {"agents/edit-1-1-1/v1"}
    open_ones = {one["pullRequestId"] for one in jamal.list_drafts(seed.TOPIC_BRANCH)}
    assert open_ones == {tenth, touched, elsewhere}
    assert [one["pull_request"] for one in ops("remove", *OPTIONS)[1]["drafts"]] == [touched]


def test_only_branches_that_are_the_agents_alone_are_deleted(
    azure_devops: RunningAzureDevOps, ops: Ops
) -> None:
    jamal = Person(azure_devops.organisation_url, seed.JAMAL.pat)
    administrator = Person(azure_devops.organisation_url, seed.ADMINISTRATOR.pat)
    names = ["alone", "touched", "young", "wanted", "built_on", "made_again", "closed", "foreign"]
    at = {name: f"agents/edit-1-1-1/v{number}" for number, name in enumerate(names, 1)}
    at |= {"no_form": "agents/notes", "of_no_pull_request": "agents/edit-99-1-1/v1"}
    push_branch(azure_devops, at["made_again"], seed.JAMAL.pat)
    delete_branch(administrator, at["made_again"])
    for name in at.keys() - {"closed", "foreign"}:
        push_branch(azure_devops, at[name], seed.CODE_AGENT.pat)
    push_branch(azure_devops, at["foreign"], seed.JAMAL.pat)
    jamal.edit_file(at["touched"], "index.html", "<p>mine</p>\n")
    closed = leave_draft(azure_devops, at["closed"])
    jamal.call_repository("PATCH", f"pullRequests/{closed}", {"status": "abandoned"})
    for source, target in (
        (at["wanted"], seed.TOPIC_BRANCH),
        (seed.TOPIC_BRANCH, at["built_on"]),
    ):
        opened = {"sourceRefName": f"refs/heads/{source}", "targetRefName": f"refs/heads/{target}"}
        jamal.call_repository("POST", "pullrequests", {**opened, "title": "Mine"})
    age_pushes(azure_devops, *(branch for name, branch in at.items() if name != "young"))

    def say(state: str) -> None:
        status = {"state": state, "context": {"genre": "code-agent", "name": "edit"}}
        jamal.call_repository("POST", "pullRequests/1/statuses", status)

    somebody, work = "somebody else has pushed to it", "a job is at work on its pull request"
    kept = {
        at["touched"]: somebody,
        at["foreign"]: somebody,
        at["built_on"]: "an open pull request leads to it",
    }
    ours = {at["alone"], at["made_again"], at["closed"]}
    alone = {at["of_no_pull_request"]: ""}
    say("pending")
    code, report = ops("list", *OPTIONS)
    told = {one["branch"]: one["kept"] for one in report["branches"]}
    assert (code, told) == (0, kept | alone | dict.fromkeys(ours, work))
    say("succeeded")
    before = set(jamal.list_branches(""))
    assert ops("remove", *OPTIONS, "--dry-run")[0] == 0
    assert set(jamal.list_branches("")) == before
    code, report = ops("remove", *OPTIONS)
    told = {one["branch"]: one["kept"] for one in report["branches"]}
    assert (code, told) == (0, kept | alone | dict.fromkeys(ours, ""))
    assert before - set(jamal.list_branches("")) == ours | alone.keys()
    code, report = ops("remove", *OPTIONS)
    assert (code, {one["branch"]: one["kept"] for one in report["branches"]}) == (0, kept)


def test_a_branch_that_moves_after_the_look_is_kept(azure_devops: RunningAzureDevOps) -> None:
    branch = "agents/edit-1-1-1/v1"
    push_branch(azure_devops, branch, seed.CODE_AGENT.pat)
    jamal = Person(azure_devops.organisation_url, seed.JAMAL.pat)
    session = AdoSession(
        azure_devops.organisation_url, PatCredential(lambda: seed.ADMINISTRATOR.pat)
    )
    try:
        [found] = find_branches(session, seed.PROJECT, seed.CODE_AGENT.id, timedelta())
        assert not found.kept
        jamal.edit_file(branch, "index.html", "<p>mine</p>\n")
        assert remove_branch(session, seed.PROJECT, found).kept == BRANCH_NOT_DELETED
        assert jamal.list_branches("agents/") == [branch]
        [found] = find_branches(session, seed.PROJECT, seed.CODE_AGENT.id, timedelta())
        assert found.kept == "somebody else has pushed to it"
    finally:
        session.close()


def test_a_branch_that_stays_against_the_will_is_told_as_undone(
    azure_devops: RunningAzureDevOps, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch = "agents/edit-1-1-1/v1"
    push_branch(azure_devops, branch, seed.CODE_AGENT.pat)
    age_pushes(azure_devops, branch)
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", seed.READER.pat)
    code, report = ops("remove", *OPTIONS)
    assert (code, report["message"]) == (1, "Not every branch could be deleted.")
    assert [one["kept"] for one in report["branches"]] == [BRANCH_NOT_DELETED]


def test_a_branch_whose_pushes_are_not_all_known_is_kept(
    azure_devops: RunningAzureDevOps, ops: Ops
) -> None:
    branch = "agents/edit-1-1-1/v1"
    push_branch(azure_devops, branch, seed.CODE_AGENT.pat)
    records = azure_devops.organisation.records
    [first] = records.all("push")
    records.delete("push", first["id"])
    [told] = ops("remove", *OPTIONS)[1]["branches"]
    assert (told["kept"], told["age_days"]) == ("not every push to it is known", None)
    agent = Person(azure_devops.organisation_url, seed.CODE_AGENT.pat)
    agent.edit_file(branch, "index.html", "<p>more</p>\n")
    age_pushes(azure_devops, branch)
    [told] = ops("remove", *OPTIONS)[1]["branches"]
    assert told["kept"] == "not every push to it is known"
    assert agent.list_branches("agents/") == [branch]


@pytest.mark.parametrize(
    ("words", "environment", "code"),
    [
        (("--project", "No such", "--agent", seed.CODE_AGENT.address), {}, 3),
        (("--project", seed.PROJECT, "--agent", "nobody@contoso.example"), {}, 3),
        ((*OPTIONS, "--older-days", "0"), {}, 2),
        (OPTIONS, {"AZURE_DEVOPS_ORGANISATION_URL": ""}, 2),
        (OPTIONS, {"AZURE_DEVOPS_EXT_PAT": "wrong"}, 1),
    ],
)
def test_what_cannot_be_done_says_why(
    ops: Ops,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    environment: dict[str, str],
    code: int,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ended, report = ops("remove", *words)
    assert (ended, report["drafts"], report["branches"]) == (code, [], [])
    assert report["message"]
