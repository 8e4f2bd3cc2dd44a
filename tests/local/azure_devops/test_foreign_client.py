"""Microsoft's own Python client works against the stand-in, for every area that the agent uses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")


@pytest.fixture
def clients(
    azure_devops: RunningAzureDevOps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    monkeypatch.setenv("AZURE_DEVOPS_CACHE_DIR", str(tmp_path / "cache"))
    from azure.devops.client import Client
    from azure.devops.connection import Connection
    from msrest.authentication import BasicAuthentication

    Client._locations_cache.clear()
    connection = Connection(
        base_url=azure_devops.organisation_url,
        creds=BasicAuthentication("", seed.ADMINISTRATOR.pat),
    )
    yield connection.clients_v7_1
    Client._locations_cache.clear()


def test_projects_repositories_refs_and_items(clients: Any) -> None:
    git = clients.get_git_client()
    assert clients.get_core_client().get_project(seed.PROJECT).name == seed.PROJECT
    names = {one.name for one in git.get_repositories()}
    assert names == {seed.REPOSITORY, seed.HARD_REPOSITORY}
    repository = git.get_repository(seed.REPOSITORY, project=seed.PROJECT)
    refs = git.get_refs(repository.id, project=seed.PROJECT, filter="heads/")
    assert {ref.name for ref in refs} == {"refs/heads/main", f"refs/heads/{seed.TOPIC_BRANCH}"}
    item = git.get_item(repository.id, "/README.md", project=seed.PROJECT, include_content=True)
    assert item.content.startswith("# Storefront")
    packed = b"".join(git.get_item_zip(repository.id, "/", project=seed.PROJECT))
    assert packed[:2] == b"PK"


def test_push_pull_request_status_and_threads(clients: Any) -> None:
    git = clients.get_git_client()
    key = git.get_repository(seed.REPOSITORY, project=seed.PROJECT).id
    tip = git.get_refs(key, project=seed.PROJECT, filter="heads/main")[0].object_id
    content = {"content": "x", "contentType": "rawtext"}
    change = {"changeType": "add", "item": {"path": "/new.txt"}, "newContent": content}
    push = {
        "refUpdates": [{"name": "refs/heads/other", "oldObjectId": tip}],
        "commits": [{"comment": "new", "changes": [change]}],
    }
    pushed = git.create_push(push, key, project=seed.PROJECT)
    assert git.get_commit(pushed.commits[0].commit_id, key, project=seed.PROJECT).comment == "new"
    opened = git.create_pull_request(
        {
            "sourceRefName": "refs/heads/other",
            "targetRefName": "refs/heads/main",
            "title": "Other",
            "isDraft": True,
        },
        key,
        project=seed.PROJECT,
    )
    number = opened.pull_request_id
    assert git.get_pull_request_by_id(number, project=seed.PROJECT).is_draft
    status = {"state": "succeeded", "context": {"name": "n", "genre": "g"}}
    git.create_pull_request_status(status, key, number, project=seed.PROJECT)
    assert len(git.get_pull_request_statuses(key, number, project=seed.PROJECT)) == 1
    thread = git.create_thread(
        {"comments": [{"content": "hello", "commentType": 1}], "status": 1},
        key,
        number,
        project=seed.PROJECT,
    )
    reply = {"content": "reply", "parentCommentId": 1}
    made = git.create_comment(reply, key, number, thread.id, project=seed.PROJECT)
    git.update_comment({"content": "edited"}, key, number, thread.id, made.id, project=seed.PROJECT)
    git.update_thread({"status": "closed"}, key, number, thread.id, project=seed.PROJECT)
    found = git.get_pull_request_thread(key, number, thread.id, project=seed.PROJECT)
    assert (found.status, found.comments[1].content) == ("closed", "edited")
    changes = git.get_pull_request_iteration_changes(key, number, 1, project=seed.PROJECT)
    assert changes.change_entries[0].additional_properties["item"]["path"] == "/new.txt"
    closed = git.update_pull_request({"status": "abandoned"}, key, number, project=seed.PROJECT)
    assert closed.status == "abandoned"


def test_identities_groups_and_hooks(clients: Any, azure_devops: RunningAzureDevOps) -> None:
    connected = clients.get_location_client().get_connection_data()
    assert connected.authenticated_user.id == seed.ADMINISTRATOR.id
    graph = clients.get_graph_client()
    descriptor = graph.get_descriptor(seed.JAMAL.id).value
    assert descriptor == seed.JAMAL.descriptor
    groups = graph.list_memberships(descriptor, direction="up")
    names = {graph.get_group(one.container_descriptor).principal_name for one in groups}
    assert rf"[{seed.PROJECT}]\Contributors" in names
    hooks = clients.get_service_hooks_client()
    made = hooks.create_subscription(
        {
            "publisherId": "tfs",
            "eventType": "git.push",
            "resourceVersion": "1.0",
            "consumerId": "webHooks",
            "consumerActionId": "httpRequest",
            "publisherInputs": {},
            "consumerInputs": {"url": f"{azure_devops.url}/nowhere"},
        }
    )
    assert hooks.get_subscription(made.id).status == "enabled"
    assert len(hooks.list_subscriptions()) == 1
    hooks.delete_subscription(made.id)
    assert hooks.list_subscriptions() == []
