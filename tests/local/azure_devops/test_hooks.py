"""Service hooks deliver, resend, go on probation and are disabled, as documented."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from tests.local.azure_devops.client import Client, change
from tests.local.functions_host.hosting import wait_until
from tests.loopback import QuietHandler, serve_on_loopback

COMMENT = "ms.vss-code.git-pullrequest-comment-event"


class Receiver:
    """A web hook that keeps what it gets and answers what it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.codes: list[int] = []
        self.url = ""
        """Where it listens, once it is served."""

    def build_handler(self) -> type[QuietHandler]:
        receiver = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:  # noqa: N802 - the base class looks for this name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), json.loads(body)))
                code = receiver.codes.pop(0) if receiver.codes else 200
                self.send_response(code)
                self.end_headers()

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with serve_on_loopback(made.build_handler()) as url:
        made.url = f"{url}/hook"
        yield made


Subscribe = Callable[..., str]


@pytest.fixture
def subscribe(azure_devops: RunningAzureDevOps, receiver: Receiver) -> Subscribe:
    def make(event: str = COMMENT, version: str = "2.0", **inputs: str) -> str:
        body = {
            "publisherId": "tfs",
            "eventType": event,
            "resourceVersion": version,
            "consumerId": "webHooks",
            "consumerActionId": "httpRequest",
            "publisherInputs": {},
            "consumerInputs": {"url": receiver.url, **inputs},
        }
        answer = Client(azure_devops).call("POST", "_apis/hooks/subscriptions", body)
        return str(answer.json()["id"])

    return make


def write_comment(azure_devops: RunningAzureDevOps, text: str = "hello") -> int:
    body = {"comments": [{"content": text}], "status": "active"}
    return int(Client(azure_devops).git("POST", "pullRequests/1/threads", body).json()["id"])


def test_comments_are_delivered_when_made_edited_and_deleted(
    azure_devops: RunningAzureDevOps, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe(basicAuthUsername="u", basicAuthPassword="p\u00e4ss", httpHeaders="X-A:1\nX-B:2")
    # one after the other: deliveries on their way at once may arrive in any order
    thread = write_comment(azure_devops)
    wait_until(lambda: len(receiver.got) == 1)
    path = f"pullRequests/1/threads/{thread}/comments/1"
    Client(azure_devops).git("PATCH", path, {"content": "changed"})
    wait_until(lambda: len(receiver.got) == 2)
    Client(azure_devops).git("DELETE", path)
    wait_until(lambda: len(receiver.got) == 3)
    bodies = [body["resource"]["comment"] for _, body in receiver.got]
    assert [one.get("content") for one in bodies] == ["hello", "changed", None]
    assert [one.get("isDeleted") for one in bodies] == [None, None, True]
    assert bodies[1]["lastContentUpdatedDate"] > bodies[1]["publishedDate"]
    headers = receiver.got[0][0]
    assert base64.b64decode(headers["Authorization"].split()[1]).decode() == "u:p\u00e4ss"
    assert (headers["X-A"], headers["X-B"]) == ("1", "2")
    assert [body["notificationId"] for _, body in receiver.got] == [1, 2, 3]


@pytest.mark.parametrize(
    ("event", "act"),
    [
        ("git.push", lambda c: c.push("main", c.tip(), change("add", "/a", "x"))),
        ("git.pullrequest.updated", lambda c: c.git("PATCH", "pullRequests/1", {"title": "new"})),
        (
            "git.pullrequest.created",
            lambda c: c.git(
                "POST",
                "pullrequests",
                {
                    "sourceRefName": "refs/heads/main",
                    "targetRefName": "refs/heads/feature/checkout",
                    "title": "back",
                },
            ),
        ),
    ],
)
def test_other_events_are_delivered_to_whom_asked_for_them(
    azure_devops: RunningAzureDevOps,
    receiver: Receiver,
    subscribe: Subscribe,
    event: str,
    act: Callable[[Client], Any],
) -> None:
    subscribe(event)
    act(Client(azure_devops))
    wait_until(lambda: receiver.got)
    assert [body["eventType"] for _, body in receiver.got] == [event]


def test_a_build_that_ended_is_delivered(
    azure_devops: RunningAzureDevOps, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe("build.complete")
    repository = Client(azure_devops).git("GET", "").json()["id"]
    build = {"repositoryId": repository, "branch": "main", "status": "failed"}
    requests.post(f"{azure_devops.url}/_standin/builds", json=build, timeout=10)
    wait_until(lambda: receiver.got)
    assert receiver.got[0][1]["resource"]["status"] == "failed"


def test_a_comment_from_the_page_and_a_push_by_git_are_delivered_at_once(
    azure_devops: RunningAzureDevOps, receiver: Receiver, subscribe: Subscribe, tmp_path: Path
) -> None:
    subscribe()
    subscribe("git.push")
    page = f"{azure_devops.organisation_url}/Storefront/_git/storefront/pullrequest/1"
    form = {"user": seed.JAMAL.id, "content": "from the page"}
    requests.post(page, data=form, timeout=10, allow_redirects=False)
    wait_until(lambda: receiver.got)
    assert receiver.got[0][1]["resource"]["comment"]["content"] == "from the page"
    url = Person(azure_devops.organisation_url, seed.JAMAL.pat).git_url()
    subprocess.run(["git", "clone", "-q", "--bare", url, str(tmp_path / "bare")], check=True)
    push = ["git", "-C", str(tmp_path / "bare"), "push", "-q", "origin", "main:refs/heads/copy"]
    subprocess.run(push, check=True)
    wait_until(lambda: len(receiver.got) == 2)
    assert receiver.got[1][1]["resource"]["refUpdates"][0]["name"] == "refs/heads/copy"


def test_versions_and_details_shape_the_payload(
    azure_devops: RunningAzureDevOps, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe(version="1.0")
    subscribe(resourceDetailsToSend="minimal", messagesToSend="none", detailedMessagesToSend="text")
    subscribe(resourceDetailsToSend="none")
    write_comment(azure_devops)
    wait_until(lambda: len(receiver.got) == 3)
    by_version = {body["resourceVersion"]: body for _, body in receiver.got}
    assert by_version["1.0"]["resource"]["content"] == "hello"
    minimal = next(b for _, b in receiver.got if set(b.get("resource", {})) == {"id", "url"})
    assert "/threads/" in minimal["resource"]["url"]
    assert "message" not in minimal
    assert set(minimal["detailedMessage"]) == {"text"}
    assert any("resource" not in body for _, body in receiver.got)


def status_of(azure_devops: RunningAzureDevOps, key: str) -> dict[str, Any]:
    found: dict[str, Any] = (
        Client(azure_devops).call("GET", f"_apis/hooks/subscriptions/{key}").json()
    )
    return found


def test_transient_failures_are_resent_until_one_succeeds(
    azure_devops: RunningAzureDevOps, receiver: Receiver, subscribe: Subscribe
) -> None:
    key = subscribe()
    receiver.codes = [503, 502, 504, 408]
    write_comment(azure_devops)
    wait_until(lambda: len(receiver.got) == 5)
    history = f"_apis/hooks/subscriptions/{key}/notifications"
    found = wait_until(
        lambda: [
            one
            for one in Client(azure_devops).call("GET", history).json()["value"]
            if one["status"] == "completed"
        ]
    )
    assert found[0]["result"] == "succeeded"
    assert found[0]["details"]["requestAttempts"] == 5
    assert len({body["id"] for _, body in receiver.got}) == 1
    assert status_of(azure_devops, key)["status"] == "enabled"


def test_gone_disables_at_once(
    azure_devops: RunningAzureDevOps, receiver: Receiver, subscribe: Subscribe
) -> None:
    key = subscribe()
    receiver.codes = [410]
    write_comment(azure_devops)
    wait_until(lambda: status_of(azure_devops, key)["status"] == "disabledBySystem")
    write_comment(azure_devops)
    assert len(receiver.got) == 1


def test_any_other_failure_is_probation_and_drops_new_events(
    azure_devops: RunningAzureDevOps, receiver: Receiver, subscribe: Subscribe
) -> None:
    key = subscribe()
    receiver.codes = [401, 401]
    write_comment(azure_devops)
    wait_until(lambda: status_of(azure_devops, key)["status"] == "onProbation")
    write_comment(azure_devops, "dropped")
    wait_until(lambda: status_of(azure_devops, key)["status"] == "enabled", 30)
    contents = {body["resource"]["comment"]["content"] for _, body in receiver.got}
    assert contents == {"hello"}


def test_the_password_of_a_subscription_is_never_shown(
    azure_devops: RunningAzureDevOps, subscribe: Subscribe
) -> None:
    key = subscribe(basicAuthPassword="very-secret")
    shown = status_of(azure_devops, key)
    assert shown["consumerInputs"]["basicAuthPassword"] == "********"
    Client(azure_devops).call("PUT", f"_apis/hooks/subscriptions/{key}", shown)
    kept: Any = azure_devops.organisation.records.get("subscription", key)
    assert kept["consumerInputs"]["basicAuthPassword"] == "very-secret"
    Client(azure_devops).call("DELETE", f"_apis/hooks/subscriptions/{key}")
    assert Client(azure_devops).call("GET", f"_apis/hooks/subscriptions/{key}").status_code == 404


@pytest.mark.parametrize(("code", "result"), [(200, "succeeded"), (401, "failed")])
def test_a_test_of_a_subscription_is_sent_as_it_would_be_and_changes_nothing(
    azure_devops: RunningAzureDevOps,
    receiver: Receiver,
    subscribe: Subscribe,
    code: int,
    result: str,
) -> None:
    hook = subscribe(basicAuthUsername="x", basicAuthPassword="planted")
    client = Client(azure_devops)
    receiver.codes = [code]
    path = "_apis/hooks/testnotifications"
    sent = client.call("POST", path, {"subscriptionId": hook}).json()
    assert (sent["status"], sent["subscriptionId"]) == ("queued", hook)
    place = f"_apis/hooks/subscriptions/{hook}"

    def look() -> dict[str, Any] | None:
        found = client.call("GET", f"{place}/notifications/{sent['id']}").json()
        return found if found.get("status") == "completed" else None

    assert wait_until(look)["result"] == result
    [(headers, body)] = receiver.got
    assert headers["Authorization"] == f"Basic {base64.b64encode(b'x:planted').decode()}"
    assert body["eventType"] == COMMENT
    assert client.call("GET", place).json()["status"] == "enabled"
    assert client.call("POST", path, {"subscriptionId": "none"}).status_code == 400
