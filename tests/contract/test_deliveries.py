"""Deliveries as documented and recorded: the parser reads them, the stand-in's have their shape.

`data/*.json` follow Microsoft's sample of the event and a recorded delivery, with values shortened.
Source: https://learn.microsoft.com/azure/devops/service-hooks/events#pullrequest-comment
"""

import json
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.events import build_delivery
from local.azure_devops.running import RunningAzureDevOps
from shared.domain.comment_ref import CommentRef
from shared.webhook.event import CommentEvent, IgnoredEvent, TalkEvent, parse_event
from tests.local.azure_devops.client import Client

DATA = Path(__file__).with_name("data")


def read(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return body


@pytest.mark.parametrize(
    ("name", "project", "comment_id"),
    [
        ("comment-2.0-sample", "a1b1c1d1-0000-4000-8000-000000000001", 2),
        # the sample's ids are made up: project and container differ, and 1.0 has the container only
        ("comment-1.0-sample", "be9b3917-87e6-42a4-a549-2bc06a7a878f", 2),
        ("comment-2.0-recorded", "a1b1c1d1-0000-4000-8000-000000000001", 1),
    ],
)
def test_the_comment_of_a_documented_delivery_is_found(
    name: str, project: str, comment_id: int
) -> None:
    body = read(name)
    repository = "4bc14d40-c903-45e2-872e-0462c7748079"
    ref = CommentRef("fabrikam", project, repository, 1, 5, comment_id)
    talk = parse_event(json.dumps(body).encode(), organisation="fabrikam")
    assert talk == TalkEvent(ref)
    resource = body["resource"]
    resource.get("comment", resource)["content"] = "/edit make all buttons red"
    event = parse_event(json.dumps(body).encode(), organisation="fabrikam")
    assert event == CommentEvent(ref, is_addressed=True)


def test_a_deleted_comment_asks_for_nothing() -> None:
    body = json.dumps(read("comment-2.0-deleted")).encode()
    assert parse_event(body, organisation="fabrikam") == IgnoredEvent("deleted")


@pytest.mark.parametrize(
    ("version", "name"),
    [("2.0", "comment-2.0-recorded"), ("1.0", "comment-1.0-sample")],
)
def test_the_stand_in_delivers_what_was_documented(
    azure_devops: RunningAzureDevOps, version: str, name: str
) -> None:
    thread = Client(azure_devops).git(
        "POST", "pullRequests/1/threads", {"comments": [{"content": "hi"}], "status": 1}
    )
    organisation = azure_devops.organisation
    subscription = {
        "id": "435e539d-3ce2-4283-8da9-8f3c0fe2e45e",
        "eventType": "ms.vss-code.git-pullrequest-comment-event",
        "resourceVersion": version,
        "consumerInputs": {},
    }
    event = {
        "kind": "comment",
        "at": "2026-01-01T00:00:00Z",
        "pullRequestId": 1,
        "threadKey": f"1/{thread.json()['id']}",
        "commentId": 1,
        "userId": seed.JAMAL.id,
    }
    made = build_delivery(organisation, subscription, event, 3)
    assert find_missing(read(name), made) == set()


OPTIONAL = {
    # of a closed pull request, and of reviewers that the stand-in does not have
    ".resource.pullRequest.closedDate",
}


def find_missing(documented: Any, made: Any, path: str = "") -> set[str]:
    """List what is documented and not made, or made of another kind."""
    if path in OPTIONAL:
        return set()
    if isinstance(documented, dict):
        if not isinstance(made, dict):
            return {path}
        missing: set[str] = set()
        for key, value in documented.items():
            inside = f"{path}.{key}"
            if key not in made:
                missing |= set() if inside in OPTIONAL else {inside}
            else:
                missing |= find_missing(value, made[key], inside)
        return missing
    if isinstance(documented, list):
        return set() if isinstance(made, list) else {path}
    return set() if isinstance(made, type(documented)) else {path}
