"""The service-hook subscriptions that call the app, as the operator: found, changed, tested.

Needs "Edit subscriptions" and "View subscriptions" of the project. What the service masks of a
subscription it keeps when the mask is sent back.
Source: https://learn.microsoft.com/rest/api/azure/devops/hooks
"""

import json
import time
from typing import Any, Final

import requests

from ops.rotate_steps import StoppedError
from shared.ado.errors import AdoError
from shared.ado.session import AdoSession, build_path
from shared.webhook.verify import SECRET_HEADER

_SUBSCRIPTIONS: Final = "_apis/hooks/subscriptions"
_POLL_S: Final = 0.2
_TEST_LIMIT_S: Final = 60.0


def list_subscriptions(session: AdoSession, url: str) -> list[dict[str, Any]]:
    """List the subscriptions that call a URL."""
    listed = json.loads(session.call("list subscriptions", "GET", _SUBSCRIPTIONS))["value"]
    wanted = url.rstrip("/").lower()
    return [
        one
        for one in listed
        if str((one.get("consumerInputs") or {}).get("url", "")).rstrip("/").lower() == wanted
    ]


def set_secret(session: AdoSession, subscription: dict[str, Any], secret: str) -> None:
    """Let a subscription send another secret, in the place where it sends one now."""
    inputs = dict(subscription["consumerInputs"])
    lines = str(inputs.get("httpHeaders") or "").splitlines()
    others = [line for line in lines if line.partition(":")[0].strip().lower() != SECRET_HEADER]
    if len(others) < len(lines):
        inputs["httpHeaders"] = "\n".join([*others, f"X-Code-Agent-Secret:{secret}"])
    if len(others) == len(lines) or inputs.get("basicAuthPassword"):
        inputs["basicAuthUsername"] = inputs.get("basicAuthUsername") or "code-agent"
        inputs["basicAuthPassword"] = secret
    path = f"{_SUBSCRIPTIONS}/{build_path(subscription['id'])}"
    body = {**subscription, "consumerInputs": inputs}
    session.call("replace subscription", "PUT", path, body=body)


def send_test(session: AdoSession, subscription: dict[str, Any]) -> bool | None:
    """Have the service send a test; answers whether it was accepted, None when it cannot be told.

    The inputs are left to the service, which alone knows what it masks.
    """
    names = ("publisherId", "eventType", "consumerId", "consumerActionId", "publisherInputs")
    details = {name: subscription.get(name) for name in (*names, "consumerInputs")}
    body = {"subscriptionId": subscription["id"], "details": details}
    try:
        sent = _read(
            session, "create test notification", "POST", "_apis/hooks/testnotifications", body
        )
        path = f"{_SUBSCRIPTIONS}/{build_path(subscription['id'])}/notifications/{sent['id']}"
        limit = time.monotonic() + _TEST_LIMIT_S
        while sent.get("status") != "completed" and time.monotonic() < limit:
            time.sleep(_POLL_S)
            try:
                sent = _read(session, "get notification", "GET", path)
            except AdoError as error:
                if error.code != "ado.not_found":
                    raise
    except (AdoError, KeyError):
        return None
    return sent.get("result") == "succeeded" if sent.get("status") == "completed" else None


def knock(url: str, secret: str) -> bool:
    """Answer whether the app itself accepts a secret; what is sent asks for nothing.

    Raises:
        StoppedError: the app does not answer.
    """
    try:
        answer = requests.post(
            url, json={}, auth=("code-agent", secret), timeout=30, allow_redirects=False
        )
    except requests.RequestException as error:
        reason = f"The app does not answer ({type(error).__name__})."
    else:
        if answer.status_code in (200, 401, 429, 503):  # not accepted, or not now
            return answer.status_code == 200
        reason = f"The app answers {answer.status_code}."
    raise StoppedError(reason)


def _read(session: AdoSession, operation: str, method: str, path: str, body: Any = None) -> Any:
    return json.loads(session.call(operation, method, path, body=body))
