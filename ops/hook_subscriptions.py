"""What the service hooks of the app should be like, what they are like, and the difference.

A subscription is the app's when it calls the app's webhook. Its secret cannot be compared: the
service shows a mask in its place.
Source: https://learn.microsoft.com/rest/api/azure/devops/hooks/subscriptions
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from ops.rotate_hooks import list_subscriptions, set_secret
from shared.ado.errors import AdoNotFoundError
from shared.ado.session import AdoSession, build_path
from shared.webhook.event import COMMENT_EVENT

PATH: Final = "_apis/hooks/subscriptions"
USER_NAME: Final = "code-agent"
"""Of the Basic authentication; the app looks at the password alone."""
MOST_FAILURES: Final = 3
ENABLED: Final = "enabled"
REASONS: Final[Mapping[str, str]] = {
    "onProbation": "a delivery failed: events are dropped until a probe of the service succeeds",
    "disabledBySystem": "deliveries failed for too long, or the app answered 410",
    "disabledByUser": "somebody switched it off",
    "disabledByInactiveIdentity": "whoever made it is not there any more",
}
"""What a status means; events are lost in each of them.
Source: https://learn.microsoft.com/azure/devops/service-hooks/troubleshoot"""
_INPUTS: Final[Mapping[str, str]] = {
    "resourceDetailsToSend": "all",
    "messagesToSend": "none",
    "detailedMessagesToSend": "none",
}
"""The comment's text spares a start for talk; the messages would only repeat it."""
_RESOURCE_VERSION: Final = "2.0"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose comments are sent."""

    project_id: str = ""
    """Empty: every project's of the organisation."""
    project_name: str = ""

    @override
    def __str__(self) -> str:
        """Name it for people."""
        return f"project {self.project_name}" if self.project_id else "the whole organisation"


@dataclass(frozen=True, slots=True)
class State:
    """A subscription, as it was read."""

    plain: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.plain["id"])

    @property
    def status(self) -> str:
        """As Azure DevOps calls it."""
        return str(self.plain.get("status") or ENABLED)

    @property
    def project_id(self) -> str:
        """Of its only project; empty for all."""
        return str((self.plain.get("publisherInputs") or {}).get("projectId") or "").lower()

    def list_differences(self) -> list[str]:
        """Name what is not as it should be, but for status and secret."""
        inputs = self.plain.get("consumerInputs") or {}
        found = [name for name, value in _INPUTS.items() if inputs.get(name) != value]
        if not (inputs.get("basicAuthPassword") or inputs.get("httpHeaders")):
            found.append("secret")
        if self.plain.get("resourceVersion") != _RESOURCE_VERSION:
            found.append("resourceVersion")
        return found


def find_scope(session: AdoSession, project: str) -> Scope:
    """Find a project by name or id.

    Raises:
        AdoNotFoundError: there is none.
    """
    path = f"_apis/projects/{build_path(project)}"
    found = json.loads(session.call("get project", "GET", path))
    return Scope(str(found["id"]).lower(), str(found["name"]))


def list_own(session: AdoSession, url: str, scopes: Sequence[Scope]) -> list[State]:
    """List the subscriptions to comments that call the app, of the scopes where some are given."""
    wanted = {scope.project_id for scope in scopes}
    states = [
        State(one)
        for one in list_subscriptions(session, url)
        if one.get("eventType") == COMMENT_EVENT and one.get("consumerId") == "webHooks"
    ]
    return [state for state in states if not wanted or state.project_id in wanted]


def create(session: AdoSession, url: str, scope: Scope, secret: str) -> str:
    """Subscribe; answers the id. Not safe to repeat by itself."""
    body = {
        "publisherId": "tfs",
        "eventType": COMMENT_EVENT,
        "resourceVersion": _RESOURCE_VERSION,
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": {"projectId": scope.project_id} if scope.project_id else {},
        "consumerInputs": {
            "url": url,
            "basicAuthUsername": USER_NAME,
            "basicAuthPassword": secret,
            **_INPUTS,
        },
    }
    return str(json.loads(session.call("create subscription", "POST", PATH, body=body))["id"])


def update(session: AdoSession, state: State) -> None:
    """Make a subscription as it should be; its status and secret stay."""
    path = f"{PATH}/{build_path(state.id)}"
    session.call("replace subscription", "PUT", path, body=_merge(state))


def repair(session: AdoSession, state: State, secret: str) -> None:
    """Make a subscription as it should be, enabled, and let it send the secret of today."""
    set_secret(session, {**_merge(state), "status": ENABLED}, secret)


def remove(session: AdoSession, state: State) -> None:
    """Delete a subscription; one that is gone already is no error."""
    try:
        session.call("delete subscription", "DELETE", f"{PATH}/{build_path(state.id)}")
    except AdoNotFoundError:
        return


def list_failures(session: AdoSession, state: State) -> list[dict[str, Any]]:
    """List the last failed deliveries: when, why, how often they were tried. Never their contents.

    The service keeps seven days.
    Source: https://learn.microsoft.com/rest/api/azure/devops/hooks/notifications/list
    """
    path = f"{PATH}/{build_path(state.id)}/notifications"
    query = {"result": "failed", "maxResults": str(MOST_FAILURES)}
    found = json.loads(session.call("list notifications", "GET", path, query=query))["value"]
    return [
        {
            "at": one.get("createdDate"),
            "reason": _read_line((one.get("details") or {}).get("errorMessage")),
            "attempts": (one.get("details") or {}).get("requestAttempts"),
        }
        for one in found[:MOST_FAILURES]
    ]


def _read_line(text: Any) -> str:
    line = str(text or "not told").splitlines()[0][:120]
    return "".join(char for char in line if char.isprintable())


def _merge(state: State) -> dict[str, Any]:
    """Build the body of a change; a mask that is sent back leaves what it stands for."""
    known = dict(state.plain.get("consumerInputs") or {})
    changed = {"resourceVersion": _RESOURCE_VERSION, "consumerInputs": {**known, **_INPUTS}}
    return {**state.plain, **changed}
