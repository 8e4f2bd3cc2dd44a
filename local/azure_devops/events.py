"""Builds what a service hook delivers, in resource versions 1.0 and 2.0, whole or cut.

Source: https://learn.microsoft.com/azure/devops/service-hooks/events, and a recorded delivery.
"""

from typing import Any

from local.azure_devops.hooks import EVENT_TYPES
from local.azure_devops.organisation import Organisation, build_guid
from local.azure_devops.pull_requests import build_page_url, write_pull_request
from local.azure_devops.records import Document
from local.azure_devops.repositories import write_project, write_repository
from local.azure_devops.threads import write_comment


def is_for(organisation: Organisation, subscription: Document, event: Document) -> bool:
    """Answer whether a subscription asked for an event."""
    if subscription["eventType"] != EVENT_TYPES[event["kind"]]:
        return False
    repository = find_repository_of(organisation, event)
    wanted = subscription["publisherInputs"]
    return (
        wanted.get("projectId") in (None, "", repository["projectId"])
        and wanted.get("repository") in (None, "", repository["id"])
        and wanted.get("branch") in (None, "", _find_branch(organisation, event))
    )


def find_repository_of(organisation: Organisation, event: Document) -> Document:
    """Find the repository that an event is about."""
    if "pullRequestId" in event:
        pull_request = organisation.records.get("pull_request", event["pullRequestId"]) or {}
        key = pull_request["repositoryId"]
    else:
        key = event["repositoryId"]
    return organisation.records.get("repository", key) or {}


def _find_branch(organisation: Organisation, event: Document) -> str:
    if "pullRequestId" in event:
        pull_request = organisation.records.get("pull_request", event["pullRequestId"]) or {}
        return str(pull_request["targetRefName"]).removeprefix("refs/heads/")
    return str(event.get("name", "")).removeprefix("refs/heads/")


def build_delivery(
    organisation: Organisation, subscription: Document, event: Document, notification: int
) -> dict[str, Any]:
    """Build the body of a delivery."""
    repository = find_repository_of(organisation, event)
    inputs = subscription["consumerInputs"]
    user = organisation.records.get("user", event["userId"]) or {}
    resource = _build_resource(organisation, subscription, event)
    text = f"{user.get('displayName', 'Somebody')} {_DEEDS[event['kind']]}"
    body: dict[str, Any] = {
        "subscriptionId": subscription["id"],
        "notificationId": notification,
        "id": build_guid("event", event["at"], event["kind"], str(notification)),
        "eventType": subscription["eventType"],
        "publisherId": "tfs",
        "message": _write_message(text, inputs.get("messagesToSend")),
        "detailedMessage": _write_message(text, inputs.get("detailedMessagesToSend")),
        "resource": _cut(resource, inputs.get("resourceDetailsToSend")),
        "resourceVersion": subscription["resourceVersion"],
        "resourceContainers": {
            "collection": {"id": organisation.id, "baseUrl": f"{organisation.url}/"},
            "account": {"id": organisation.id, "baseUrl": f"{organisation.url}/"},
            "project": {"id": repository["projectId"], "baseUrl": f"{organisation.url}/"},
        },
        "createdDate": event["at"],
    }
    return {name: value for name, value in body.items() if value is not None}


def build_sample(subscription: Document, event: Document) -> dict[str, Any]:
    """Build what a test sends: the shape of a delivery, about nothing that is there."""
    nothing = "00000000-0000-0000-0000-000000000000"
    return {
        "subscriptionId": nothing,
        "notificationId": event["number"],
        "id": build_guid("event", event["at"], "test", str(event["number"])),
        "eventType": subscription["eventType"],
        "publisherId": "tfs",
        "message": {"text": "This is a test."},
        "resource": {"comment": {"id": 2, "content": "This is my comment.", "commentType": "text"}},
        "resourceVersion": subscription["resourceVersion"],
        "resourceContainers": {"account": {"id": nothing}, "project": {"id": nothing}},
        "createdDate": event["at"],
    }


_DEEDS = {
    "comment": "has commented on a pull request",
    "pull_request_created": "created a pull request",
    "pull_request_updated": "updated a pull request",
    "push": "pushed updates",
    "build": "completed a build",
}


def _build_resource(
    organisation: Organisation, subscription: Document, event: Document
) -> dict[str, Any]:
    if event["kind"] == "comment":
        thread = organisation.records.get("thread", event["threadKey"]) or {}
        found = next(one for one in thread["comments"] if one["id"] == event["commentId"])
        comment = write_comment(organisation, thread, found)
        if subscription["resourceVersion"] == "1.0":
            return comment
        return {"comment": comment, "pullRequest": _write_pull_request(organisation, event)}
    if event["kind"].startswith("pull_request"):
        return _write_pull_request(organisation, event)
    repository = find_repository_of(organisation, event)
    shown = write_repository(organisation, repository)
    if event["kind"] == "build":
        return {
            "id": event["buildId"],
            "status": event["status"],
            "sourceBranch": event["name"],
            "repository": {"id": shown["id"], "type": "TfsGit"},
            "project": write_project(
                organisation, organisation.find_project(repository["projectId"])
            ),
        }
    return {
        "refUpdates": [
            {"name": event["name"], "oldObjectId": event["old"], "newObjectId": event["new"]}
        ],
        "repository": shown,
        "pushedBy": {"id": event["userId"]},
        "date": event["at"],
    }


def _write_pull_request(organisation: Organisation, event: Document) -> dict[str, Any]:
    pull_request = organisation.records.get("pull_request", event["pullRequestId"]) or {}
    shown = write_pull_request(organisation, pull_request)
    # a recorded delivery has no default branch and no labels
    shown["repository"].pop("defaultBranch", None)
    shown.pop("labels", None)
    shown["_links"]["web"] = {"href": build_page_url(organisation, pull_request)}
    return shown


def _write_message(text: str, wanted: str | None) -> dict[str, str] | None:
    wanted = (wanted or "all").lower()
    if wanted == "none":
        return None
    kinds = ("text", "html", "markdown") if wanted == "all" else (wanted,)
    return dict.fromkeys(kinds, text)


def _cut(resource: dict[str, Any], wanted: str | None) -> dict[str, Any] | None:
    """Keep of a resource what the subscription asks for. What `minimal` sends is not documented."""
    wanted = (wanted or "all").lower()
    if wanted == "none":
        return None
    if wanted != "minimal":
        return resource
    comment = resource.get("comment", resource)
    link = (comment.get("_links") or {}).get("self", {}).get("href") or resource.get("url")
    number = comment.get("id", resource.get("pullRequestId"))
    return {"id": number, "url": link}
