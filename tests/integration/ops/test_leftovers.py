"""Old drafts go when the agent's commit is all that is on them, and not otherwise."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from ops.__main__ import main

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


def leave_draft(azure_devops: RunningAzureDevOps, branch: str, *, is_old: bool = True) -> int:
    """Have the agent push a branch and open its draft, years ago or now."""
    agent = Person(azure_devops.organisation_url, seed.CODE_AGENT.pat)
    [topic] = agent.call_repository("GET", "refs", filter=f"heads/{seed.TOPIC_BRANCH}")["value"]
    content = {"content": f"{branch}\n", "contentType": "rawtext"}
    item = {"path": f"/{branch.replace('/', '-')}.txt"}
    commit = {
        "comment": "Change it",
        "parents": [topic["objectId"]],
        "changes": [{"changeType": "add", "item": item, "newContent": content}],
    }
    ref = {"name": f"refs/heads/{branch}", "oldObjectId": "0" * 40}
    agent.call_repository("POST", "pushes", {"refUpdates": [ref], "commits": [commit]})
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
    assert (ended, report["drafts"]) == (code, [])
    assert report["message"]
