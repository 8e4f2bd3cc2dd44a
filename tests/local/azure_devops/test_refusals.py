"""The stand-in refuses what the service refuses, with its numbers and its JSON."""

from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from tests.local.azure_devops.client import ZERO, Client, change


def refusal(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    assert {"$id", "message", "typeKey", "typeName", "errorCode", "eventId"} <= set(body)
    return answer.status_code, f"{body['typeKey']} {body['message'].partition(':')[0]}"


def test_a_bad_credential_gets_the_sign_in_page_or_401(azure_devops: RunningAzureDevOps) -> None:
    url = f"{azure_devops.organisation_url}/_apis/projects"
    for method, code in (("GET", 203), ("POST", 203), ("PATCH", 401), ("DELETE", 401)):
        answer = requests.request(method, url, auth=("", "wrong"), timeout=10)
        assert answer.status_code == code
        kind = "text/html" if code == 203 else "application/json"
        assert answer.headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize(
    ("method", "path", "code", "named"),
    [
        ("GET", "Nowhere/_apis/git/repositories/x", 404, "TF200016"),
        ("GET", "Storefront/_apis/git/repositories/nothing", 404, "TF401019"),
        ("GET", "Storefront/_apis/git/repositories/storefront/pullRequests/99", 404, "TF401180"),
        ("GET", "Storefront/_apis/git/repositories/storefront/items?path=/no", 404, "TF401174"),
        (
            "GET",
            "Storefront/_apis/git/repositories/storefront/commits/" + "9" * 40,
            404,
            "TF401175",
        ),
        ("GET", "_apis/graph/groups/vssgp.nobody", 404, "VS403325"),
        ("GET", "_apis/nothing/here", 404, "VssResourceNotFoundException"),
    ],
)
def test_what_is_unknown_is_named(
    azure_devops: RunningAzureDevOps, method: str, path: str, code: int, named: str
) -> None:
    status, told = refusal(Client(azure_devops).call(method, path))
    assert status == code
    assert named in told


def test_an_api_version_is_needed_to_write_and_must_be_known(
    azure_devops: RunningAzureDevOps,
) -> None:
    client = Client(azure_devops)
    url = f"{azure_devops.organisation_url}/_apis/hooks/subscriptions"
    missing = requests.post(url, json={}, auth=("", client.user.pat), timeout=10)
    assert missing.status_code == 400
    assert missing.json()["typeKey"] == "VssVersionNotSpecifiedException"
    for version in ("99.0", "seven", "7.1-beta"):
        answer = client.call("GET", "_apis/projects", **{"api-version": version})
        assert answer.json()["typeKey"] == "VssVersionOutOfRangeException"
    for version in ("7.1", "7.0", "5.1", "7.1-preview.1"):
        assert client.call("GET", "_apis/projects", **{"api-version": version}).ok


def test_a_push_onto_a_ref_that_moved_is_stale(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    old = client.tip()
    assert client.push("main", old, change("add", "/a", "x")).status_code == 201
    assert refusal(client.push("main", old, change("add", "/b", "x"))) == (
        409,
        "GitReferenceStaleException TF401028",
    )
    assert client.push("main", ZERO, change("add", "/b", "x")).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [change("add", "/README.md", "x")],
        [change("edit", "/nothing", "x")],
        [change("delete", "/nothing")],
        [change("rename", "/b", sourceServerItem="/nothing")],
        [change("rename", "/index.html", sourceServerItem="/README.md")],
        [change("add", "/../up", "x")],
        [change("add", "/.git/config", "x")],
        [change("add", "/a")],
        [change("frobnicate", "/a", "x")],
        [
            {
                "changeType": "add",
                "item": {"path": "/a"},
                "newContent": {"content": "!", "contentType": "base64encoded"},
            }
        ],
    ],
)
def test_changes_that_do_not_fit_are_refused_and_nothing_moves(
    azure_devops: RunningAzureDevOps, changes: list[dict[str, Any]]
) -> None:
    client = Client(azure_devops)
    old = client.tip()
    assert client.push("main", old, *changes).status_code == 400
    assert client.tip() == old


def test_branches_cannot_be_folders_of_each_other(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    tip = client.tip()
    answer = client.push("feature", ZERO, change("add", "/a", "x"), parents=[tip])
    assert refusal(answer) == (409, "GitReferenceNameConflictException TF402455")
    update = {"name": "refs/heads/main/x", "oldObjectId": ZERO, "newObjectId": tip}
    answered = client.git("POST", "refs", [update]).json()["value"][0]
    assert (answered["success"], answered["updateStatus"]) == (False, "refNameConflict")


@pytest.mark.parametrize(
    ("user", "name", "old", "new", "status"),
    [
        (seed.JAMAL, "main", "9" * 40, "tip", "staleOldObjectId"),
        (seed.JAMAL, "new", ZERO, "9" * 40, "unresolvableToCommit"),
        (seed.JAMAL, "feature/checkout", "topic", "tip", "forcePushRequired"),
        (seed.READER, "new", ZERO, "tip", "writePermissionRequired"),
        (seed.JAMAL, "new", ZERO, "tip", "succeeded"),
        (seed.JAMAL, "feature/checkout", "topic", ZERO, "succeeded"),
    ],
)
def test_each_ref_update_has_an_answer_of_its_own_in_a_200(
    azure_devops: RunningAzureDevOps,
    user: seed.SeededUser,
    name: str,
    old: str,
    new: str,
    status: str,
) -> None:
    client = Client(azure_devops, user)
    known = {"tip": client.tip(), "topic": client.tip("feature/checkout")}
    update = {
        "name": f"refs/heads/{name}",
        "oldObjectId": known.get(old, old),
        "newObjectId": known.get(new, new),
    }
    answer = client.git("POST", "refs", [update])
    assert answer.status_code == 200
    assert answer.json()["value"][0]["updateStatus"] == status
    assert answer.json()["value"][0]["success"] is (status == "succeeded")


def pull(**changes: Any) -> dict[str, Any]:
    body = {
        "sourceRefName": "refs/heads/main",
        "targetRefName": "refs/heads/feature/checkout",
        "title": "t",
    }
    return body | changes


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (
            pull(sourceRefName="refs/heads/feature/checkout", targetRefName="refs/heads/main"),
            409,
            "TF401179",
        ),
        (pull(sourceRefName="refs/heads/gone"), 400, "TF401398"),
        (pull(title=""), 400, "InvalidArgument"),
        (pull(title="x" * 401), 400, "InvalidArgument"),
        (pull(description="x" * 4001), 400, "InvalidArgument"),
    ],
)
def test_a_pull_request_that_cannot_be_is_refused(
    azure_devops: RunningAzureDevOps, body: dict[str, Any], code: int, named: str
) -> None:
    status, told = refusal(Client(azure_devops).git("POST", "pullrequests", body))
    assert status == code
    assert named in told


@pytest.mark.parametrize("user", [seed.READER, seed.STRANGER])
def test_whoever_may_only_read_cannot_push(
    azure_devops: RunningAzureDevOps, user: seed.SeededUser
) -> None:
    client = Client(azure_devops, user)
    answer = client.push("main", client.tip(), change("add", "/a", "x"))
    assert refusal(answer) == (403, "GitNeedsPermissionException TF401027")


def test_comments_have_limits_and_belong_to_their_author(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    thread = client.git("POST", "pullRequests/1/threads", {"comments": [{"content": "a"}]}).json()
    path = f"pullRequests/1/threads/{thread['id']}/comments"
    assert client.git("POST", path, {"content": ""}).status_code == 400
    assert client.git("POST", path, {"content": "x" * 150_001}).status_code == 400
    assert client.git("POST", path, {"content": "x", "parentCommentId": 9}).status_code == 404
    anna = Client(azure_devops, seed.ANNA)
    assert anna.git("PATCH", f"{path}/1", {"content": "b"}).status_code == 403
    assert client.git("GET", "pullRequests/1/threads/999").status_code == 404
    organisation = azure_devops.organisation
    kept = organisation.records.get("thread", f"1/{thread['id']}")
    assert kept is not None
    kept["comments"] = kept["comments"] * 500
    assert client.git("POST", path, {"content": "one too many"}).status_code == 400


def test_statuses_and_thread_states_are_closed_sets(azure_devops: RunningAzureDevOps) -> None:
    client = Client(azure_devops)
    context = {"name": "n", "genre": "g"}
    status = {"state": "great", "context": context}
    assert client.git("POST", "pullRequests/1/statuses", status).status_code == 400
    assert client.git("POST", "pullRequests/1/statuses", {"state": "failed"}).status_code == 400
    late = {"state": "failed", "context": context, "iterationId": 9}
    assert client.git("POST", "pullRequests/1/statuses", late).status_code == 400
    odd = {"comments": [{"content": "a"}], "status": "odd"}
    assert client.git("POST", "pullRequests/1/threads", odd).status_code == 400


@pytest.mark.parametrize(
    "inputs",
    [
        {"url": "https://example.com/hook"},
        {"url": "ftp://127.0.0.1/x"},
        {"url": "http://127.0.0.1/x", "basicAuthPassword": "with blank"},
        {"url": "http://127.0.0.1/x", "basicAuthPassword": "x" * 257},
        {"url": "http://127.0.0.1/x", "httpHeaders": "Authorization:Bearer x"},
    ],
)
def test_a_subscription_that_could_not_deliver_is_refused(
    azure_devops: RunningAzureDevOps, inputs: dict[str, str]
) -> None:
    body = {
        "publisherId": "tfs",
        "eventType": "git.push",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "consumerInputs": inputs,
    }
    answer = Client(azure_devops).call("POST", "_apis/hooks/subscriptions", body)
    assert answer.status_code == 400


def test_a_body_that_is_no_json_is_refused(azure_devops: RunningAzureDevOps) -> None:
    url = f"{azure_devops.organisation_url}/Storefront/_apis/git/repositories/storefront/pushes"
    answer = requests.post(
        url, data=b"{", params={"api-version": "7.1"}, auth=("", seed.JAMAL.pat), timeout=10
    )
    assert refusal(answer)[0] == 400
