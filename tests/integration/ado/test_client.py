"""The client against the stand-in: each effect once, whatever became of an earlier attempt."""

import json

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from shared.ado import pull_requests, pushes, statuses, threads
from shared.ado.errors import AdoError, AdoNotFoundError
from shared.ado.identities import find_own_id, list_group_names
from shared.ado.session import AdoSession
from shared.domain.change import ChangeKind, FileChange
from shared.domain.pull_request import (
    Identity,
    PullRequestStatus,
    RepositoryRef,
    StatusNote,
    StatusState,
    ThreadStatus,
)
from tests.integration.ado.conftest import Tip

ADD = FileChange("new.txt", ChangeKind.ADD, b"new\n")


def push(
    session: AdoSession, repository: RepositoryRef, base: str, *changes: FileChange, text: str = "m"
) -> str:
    return pushes.push_branch(
        session,
        repository,
        branch="agents/x/v1",
        base_commit=base,
        changes=changes or (ADD,),
        message=text,
    )


def test_a_pull_request_is_read_with_names_for_people(
    session: AdoSession, hard_repository: RepositoryRef
) -> None:
    found = pull_requests.fetch_pull_request(session, hard_repository, seed.HARD_PULL_REQUEST_ID)
    assert found.status is PullRequestStatus.ACTIVE
    assert found.source_ref == f"refs/heads/{seed.TOPIC_BRANCH}"
    assert found.repository.project_name == seed.HARD_PROJECT
    assert "B%C3%BCro" in found.web_url
    assert len(found.head_commit) == 40
    assert not found.is_fork


def test_what_is_not_there_is_not_found(session: AdoSession, repository: RepositoryRef) -> None:
    with pytest.raises(AdoNotFoundError):
        pull_requests.fetch_pull_request(session, repository, 99)
    with pytest.raises(AdoNotFoundError):
        threads.fetch_thread(session, repository, 1, 99)
    nowhere = RepositoryRef(
        "contoso", repository.project_id, "0" * 8 + repository.repository_id[8:]
    )
    with pytest.raises(AdoNotFoundError):
        pull_requests.fetch_pull_request(session, nowhere, 1)


def test_every_kind_of_change_is_pushed_byte_by_byte(
    azure_devops: RunningAzureDevOps, session: AdoSession, repository: RepositoryRef, tip: Tip
) -> None:
    changes = (
        FileChange("a/\u00fc \u00df#%.txt", ChangeKind.ADD, b"\xef\xbb\xbfx\r\n\xff"),
        FileChange("docs/unfinished.txt", ChangeKind.EDIT, b"still no end"),
        FileChange("img/dot.png", ChangeKind.DELETE),
        FileChange("js/basket.js", ChangeKind.RENAME, None, "js/cart.js"),
        FileChange("src/prices.py", ChangeKind.RENAME, b"x = 1\n", "src/pricing.py"),
    )
    commit = push(session, repository, tip("main"), *changes)
    store = azure_devops.organisation.open_store(repository.repository_id)
    for change in changes:
        if change.content is not None:
            assert store.read_file(commit, change.path) == change.content
    paths = {item["path"] for item in store.list_items(commit, "/", deep=True)}
    assert {"/img/dot.png", "/js/cart.js", "/src/pricing.py"}.isdisjoint(paths)
    assert store.read_commit(commit)["parents"] == [tip("main")]


def test_a_push_that_happened_already_is_found(
    session: AdoSession, repository: RepositoryRef, tip: Tip
) -> None:
    first = push(session, repository, tip("main"))
    assert push(session, repository, tip("main")) == first
    args = {"branch": "agents/x/v1", "base_commit": tip("main"), "message": "m"}
    assert pushes.find_pushed_branch(session, repository, **args) == first
    args["branch"] = "agents/x/v"  # a prefix of it
    assert pushes.find_pushed_branch(session, repository, **args) is None


def test_a_branch_that_holds_other_work_is_left_alone(
    session: AdoSession, repository: RepositoryRef, tip: Tip
) -> None:
    first = push(session, repository, tip("main"), text="somebody else's")
    with pytest.raises(AdoError, match=r"ado\.branch_exists"):
        push(session, repository, tip("main"))
    assert tip("agents/x/v1") == first


def open_draft(session: AdoSession, repository: RepositoryRef, title: str = "t") -> int:
    return pull_requests.open_draft_pull_request(
        session,
        repository,
        source_branch="agents/x/v1",
        target_branch=seed.TOPIC_BRANCH,
        title=title,
        description="d" * 5000,
        labels=("code-agent",),
    )


def test_a_draft_is_opened_once(session: AdoSession, repository: RepositoryRef, tip: Tip) -> None:
    branches = {"source_branch": "agents/x/v1", "target_branch": seed.TOPIC_BRANCH}
    assert pull_requests.find_draft_pull_request(session, repository, **branches) is None
    with pytest.raises(AdoError, match=r"ado\.branch_missing"):
        open_draft(session, repository)
    push(session, repository, tip(seed.TOPIC_BRANCH))
    first = open_draft(session, repository, "t" * 500)
    assert open_draft(session, repository) == first
    assert pull_requests.find_draft_pull_request(session, repository, **branches) == first
    found = pull_requests.fetch_pull_request(session, repository, first)
    assert (found.is_draft, len(found.title), len(found.description)) == (True, 400, 4000)
    assert found.labels == ("code-agent",)


def test_replies_are_posted_edited_and_found_by_their_marker(
    session: AdoSession, repository: RepositoryRef
) -> None:
    place = {
        "filePath": "/css/site.css",
        "rightFileStart": {"line": 3, "offset": 1},
        "rightFileEnd": {"line": 5, "offset": 9},
    }
    path = pull_requests.build_repository_path(repository, "pullRequests", 1, "threads")
    body = {"comments": [{"content": "hello"}], "status": 1, "threadContext": place}
    made = json.loads(session.call("create thread", "POST", path, body=body))["id"]
    reply = threads.post_reply(session, repository, 1, made, "<!-- m -->\nhi", parent_id=1)
    threads.edit_comment(session, repository, 1, made, reply, content="<!-- m -->\nhi again")
    threads.set_thread_status(session, repository, 1, made, ThreadStatus.CLOSED)
    thread = threads.fetch_thread(session, repository, 1, made)
    assert (thread.path, thread.first_line, thread.last_line) == ("css/site.css", 3, 5)
    assert thread.status == "closed"
    own = find_own_id(session)
    found = threads.find_comment(thread, "<!-- m -->", own)
    assert found is not None
    assert (found.id, found.content) == (2, "<!-- m -->\nhi again")
    assert threads.find_comment(thread, "<!-- m -->", "somebody") is None
    assert threads.find_comment(thread, "hi", own) is None


def test_a_status_is_found_only_while_it_is_the_latest(
    session: AdoSession, repository: RepositoryRef
) -> None:
    pending = StatusNote("g", "n", StatusState.PENDING, "d")
    done = StatusNote("g", "n", StatusState.SUCCEEDED, "d")
    first = statuses.set_status(session, repository, 1, pending)
    assert statuses.find_status(session, repository, 1, pending) == first
    assert statuses.find_status(session, repository, 1, done) is None
    statuses.set_status(session, repository, 1, done)
    assert statuses.find_status(session, repository, 1, pending) is None


def test_groups_are_found_directly_through_others_and_not_at_all(
    azure_devops: RunningAzureDevOps, session: AdoSession
) -> None:
    records = azure_devops.organisation.records
    group = next(one for one in records.all("group") if one["displayName"] == "Contributors")
    outer = {
        "id": "outer",
        "principalName": "[contoso]\\Everybody",
        "displayName": "Everybody",
        "descriptor": "vssgp.outer",
        "members": [group["descriptor"], "vssgp.outer"],
    }
    records.put("group", "outer", outer)
    by_descriptor = Identity(seed.JAMAL.id, descriptor=seed.JAMAL.descriptor)
    by_id = Identity(seed.JAMAL.id)
    for identity in (by_descriptor, by_id):
        names = list(list_group_names(session, identity))
        assert names[0] == group["principalName"]
        assert "[contoso]\\Everybody" in names
    assert list(list_group_names(session, Identity("00000000-0000-0000-0000-000000000000"))) == []
