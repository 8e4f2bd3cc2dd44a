"""Looks at the service hooks that call the app. Changes nothing.

Needs "View subscriptions" of the project, which an agent's own account has only when it was given.
Source: https://learn.microsoft.com/rest/api/azure/devops/hooks/subscriptions/list
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.ado.session import AdoSession
from shared.ado.wire import WireSubscriptions, decode


@dataclass(frozen=True, slots=True)
class Hook:
    """A subscription that calls the app."""

    id: str
    status: str
    """`enabled`, `onProbation`, `disabledByUser`, `disabledBySystem` …"""
    probation_retries: int


def list_hooks(session: AdoSession, path: str) -> list[Hook]:
    """List the subscriptions whose address ends with a path of the app's.

    Raises:
        AdoError: `ado.forbidden` when the agent may not look.
    """
    data = session.call("list subscriptions", "GET", "_apis/hooks/subscriptions")
    return [
        Hook(one.id, one.status, one.probation_retries or 0)
        for one in decode("list subscriptions", data, WireSubscriptions).value
        if one.consumer_inputs is not None
        and urlsplit(one.consumer_inputs.url or "").path.rstrip("/").endswith(path)
    ]
