"""What runs in the task hub of one app, by the HTTP API of its Durable extension. It only reads.

Two apps that share a database have a task hub each: only the extension of an app knows which jobs
are its own. The key is the system key `durabletask_extension`
(`az functionapp keys list --query systemKeys.durabletask_extension`).
Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api
"""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

KEY_VARIABLE: Final = "DURABLE_TASK_KEY"
PAST_ROUTING: Final = {"Cookie": "x-ms-routing-name=self"}
"""Keeps a request to the production slot's address in the production slot.
Source: https://learn.microsoft.com/azure/app-service/deploy-staging-slots#route-production-traffic-manually"""
_API: Final = "runtime/webhooks/durabletask/instances"
_UNFINISHED: Final = "Pending,Running,ContinuedAsNew,Suspended"
_PAGE: Final = 100
_TIMEOUT_S: Final = (5.0, 30.0)
_MORE: Final = "x-ms-continuation-token"


def add_past_routing(parser: argparse.ArgumentParser) -> None:
    """Add the argument that has a command use `PAST_ROUTING`."""
    parser.add_argument(
        "--past-routing",
        action="store_true",
        help="reach the production slot itself, whatever share of its traffic goes elsewhere",
    )


class HubUnreachableError(Exception):
    """The app did not answer, or not to this key."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One orchestration."""

    id: str
    name: str
    status: str
    created_at: str
    output: Any

    @classmethod
    def from_wire(cls, plain: Mapping[str, Any]) -> "Instance":
        """Read what the extension says of an instance."""
        return cls(
            id=str(plain["instanceId"]),
            name=str(plain["name"]),
            status=str(plain["runtimeStatus"]),
            created_at=str(plain["createdTime"]),
            output=plain.get("output"),
        )

    @property
    def is_finished(self) -> bool:
        """Whether it has ended."""
        return self.status not in _UNFINISHED.split(",")


class TaskHub:
    """The task hub of the app at an address."""

    def __init__(self, app_url: str, key: str, *, past_routing: bool = False) -> None:
        self._url = f"{app_url.rstrip('/')}/{_API}"
        self._session = requests.Session()
        self._session.headers["x-functions-key"] = key
        if past_routing:
            self._session.headers.update(PAST_ROUTING)

    @classmethod
    def open(cls, app_url: str, *, past_routing: bool = False) -> "TaskHub":
        """Open with the key in the environment.

        Raises:
            ValueError: there is none.
        """
        key = os.environ.get(KEY_VARIABLE, "").strip()
        if not key:
            raise ValueError(f"{KEY_VARIABLE} is not set: the app's key durabletask_extension.")
        return cls(app_url, key, past_routing=past_routing)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def list_unfinished(self) -> list[Instance]:
        """List the orchestrations that have not ended; entities, which never do, are left out.

        Raises:
            HubUnreachableError: see there.
        """
        query = {"runtimeStatus": _UNFINISHED, "showInput": "false", "top": str(_PAGE)}
        found: list[Instance] = []
        more = ""
        while True:
            answer = self._ask("", query, {_MORE: more} if more else {})
            found += [Instance.from_wire(plain) for plain in _read_json(answer)]
            more = answer.headers.get(_MORE, "")
            if not more:
                return [one for one in found if not one.id.startswith("@")]

    def find(self, instance_id: str) -> Instance | None:
        """Look an orchestration up; None when this task hub knows none by this id.

        Raises:
            HubUnreachableError: see there.
        """
        answer = self._ask(f"/{instance_id}", {"showInput": "false"}, {})
        return None if answer.status_code == 404 else Instance.from_wire(_read_json(answer))

    def _ask(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> requests.Response:
        try:
            answer = self._session.get(
                self._url + path,
                params=query,
                headers=headers,
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise HubUnreachableError(f"The app did not answer ({type(error).__name__}).") from None
        if answer.status_code in (401, 403):
            raise HubUnreachableError(f"The app did not accept the key in {KEY_VARIABLE}.")
        is_absent = answer.status_code == 404 and path
        if answer.status_code not in (200, 202) and not is_absent:
            raise HubUnreachableError(f"The app answered {answer.status_code}.")
        return answer


def _read_json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise HubUnreachableError("What answered is no Durable Functions app.") from None
