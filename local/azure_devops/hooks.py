"""Service-hook subscriptions: who wants to hear of what, and what became of each delivery.

The real service wants https for basic authentication and refuses localhost; this one delivers to
loopback and nowhere else. Source: https://learn.microsoft.com/rest/api/azure/devops/hooks
"""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from local.azure_devops.errors import ServiceError, refuse_argument
from local.azure_devops.organisation import build_guid, read_time
from local.azure_devops.people import write_identity
from local.azure_devops.records import Document
from local.azure_devops.routing import Call, route, write_list

EVENT_TYPES: Final = {
    "comment": "ms.vss-code.git-pullrequest-comment-event",
    "pull_request_created": "git.pullrequest.created",
    "pull_request_updated": "git.pullrequest.updated",
    "push": "git.push",
    "build": "build.complete",
}
MASK: Final = "********"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]+:\S+")


@route("GET", "_apis/hooks/subscriptions", "list subscriptions")
def list_subscriptions(call: Call) -> Any:
    """List the subscriptions."""
    found = call.organisation.records.all("subscription")
    return write_list([_write(call, one) for one in found])


@route("POST", "_apis/hooks/subscriptions", "create subscription")
def create_subscription(call: Call) -> Any:
    """Subscribe to an event."""
    body = call.read_object()
    number = call.organisation.records.next_number("subscription")
    subscription = _check(call, body) | {
        "id": build_guid("subscription", str(number)),
        "createdBy": call.user["id"],
        "createdDate": read_time(),
        "status": "enabled",
        "probationRetries": 0,
    }
    call.organisation.records.put("subscription", subscription["id"], subscription)
    return _write(call, subscription)


@route("GET", "_apis/hooks/subscriptions/{subscription}", "get subscription")
def show_subscription(call: Call) -> Any:
    """Show a subscription."""
    return _write(call, _find(call))


@route("PUT", "_apis/hooks/subscriptions/{subscription}", "replace subscription")
def replace_subscription(call: Call) -> Any:
    """Change a subscription; a masked password stays as it was."""
    known = _find(call)
    changed = _check(call, call.read_object())
    if changed["consumerInputs"].get("basicAuthPassword") == MASK:
        changed["consumerInputs"]["basicAuthPassword"] = known["consumerInputs"].get(
            "basicAuthPassword", ""
        )
    status = str(call.read_object().get("status") or known["status"])
    subscription = known | changed | {"status": status, "probationRetries": 0}
    call.organisation.records.put("subscription", subscription["id"], subscription)
    return _write(call, subscription)


@route("POST", "_apis/hooks/testnotifications", "create test notification")
def send_test(call: Call) -> Any:
    """Send a sample to a subscription that is there, with its masked inputs filled in.

    It is sent behind this answer; how it went is read from the subscription's notifications.
    """
    known = call.organisation.records.get(
        "subscription", str(call.read_object().get("subscriptionId") or "").lower()
    )
    if known is None:
        raise refuse_argument("Only subscriptions that are there are tested here.")
    number = call.organisation.records.next_number(f"notification/{known['id']}")
    call.organisation.events.append(
        {"kind": "test", "subscriptionId": known["id"], "number": number, "at": read_time()}
    )
    return {"id": number, "subscriptionId": known["id"], "status": "queued", "result": "pending"}


@route("DELETE", "_apis/hooks/subscriptions/{subscription}", "delete subscription")
def delete_subscription(call: Call) -> Any:
    """Delete a subscription."""
    call.organisation.records.delete("subscription", _find(call)["id"])
    return None


@route("GET", "_apis/hooks/subscriptions/{subscription}/notifications", "list notifications")
def list_notifications(call: Call) -> Any:
    """List what was delivered, newest first; `status`, `result` and `maxResults` narrow it."""
    subscription = _find(call)
    most = call.query.get("maxResults", "100")
    if not most.isdigit():
        raise refuse_argument("The value of maxResults is a whole number.")
    wanted = {name: call.query[name] for name in ("status", "result") if name in call.query}
    found = [
        one
        for one in reversed(call.organisation.records.all("notification"))
        if one["subscriptionId"] == subscription["id"]
        and all(one[name].lower() == value.lower() for name, value in wanted.items())
    ]
    return write_list(found[: int(most)])


@route(
    "GET",
    "_apis/hooks/subscriptions/{subscription}/notifications/{notification}",
    "get notification",
)
def show_notification(call: Call) -> Any:
    """Show what became of one delivery."""
    key = f"{_find(call)['id']}/{call.number('notification')}"
    found = call.organisation.records.get("notification", key)
    if found is None:
        raise ServiceError(404, "NotificationNotFoundException", "No such notification.")
    return found


def _find(call: Call) -> Document:
    found = call.organisation.records.get("subscription", call.parts["subscription"].lower())
    if found is None:
        raise ServiceError(
            404,
            "SubscriptionNotFoundException",
            f"Subscription {call.parts['subscription']} does not exist.",
        )
    return found


def _check(call: Call, body: dict[str, Any]) -> Document:
    consumer = body.get("consumerInputs") or {}
    publisher = body.get("publisherInputs") or {}
    if body.get("consumerId") != "webHooks" or body.get("consumerActionId") != "httpRequest":
        raise refuse_argument("Only the consumer webHooks with httpRequest is served here.")
    if body.get("eventType") not in EVENT_TYPES.values():
        raise refuse_argument(f"The event type {body.get('eventType')!r} is not known.")
    parts = urlsplit(str(consumer.get("url") or ""))
    if parts.scheme not in ("http", "https") or parts.hostname not in _LOOPBACK:
        raise refuse_argument("This stand-in delivers to loopback addresses only.")
    password = str(consumer.get("basicAuthPassword") or "")
    if len(password) > 256 or any(char.isspace() for char in password):
        raise refuse_argument("basicAuthPassword: 1 to 256 characters without white space.")
    for line in str(consumer.get("httpHeaders") or "").splitlines():
        if line and not _HEADER.fullmatch(line):
            raise refuse_argument("httpHeaders: `Name:value` on each line, no space in the value.")
    project = str(publisher.get("projectId") or "")
    if project:
        call.organisation.find_project(project)
    return {
        "publisherId": "tfs",
        "eventType": body["eventType"],
        "resourceVersion": str(body.get("resourceVersion") or "2.0"),
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": publisher,
        "consumerInputs": consumer,
    }


def _write(call: Call, subscription: Document) -> dict[str, Any]:
    consumer = dict(subscription["consumerInputs"])
    if consumer.get("basicAuthPassword"):
        consumer["basicAuthPassword"] = MASK
    return subscription | {
        "consumerInputs": consumer,
        "createdBy": write_identity(call.organisation, subscription["createdBy"]),
        "url": f"{call.organisation.url}/_apis/hooks/subscriptions/{subscription['id']}",
    }
