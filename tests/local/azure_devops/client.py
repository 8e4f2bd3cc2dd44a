"""Calls of the tests, as any of the seeded people."""

from dataclasses import dataclass
from typing import Any

import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps

REPOSITORY = "Storefront/_apis/git/repositories/storefront"
ZERO = "0" * 40


@dataclass(frozen=True)
class Client:
    """Somebody who calls REST."""

    running: RunningAzureDevOps
    user: seed.SeededUser = seed.JAMAL

    def call(self, method: str, path: str, body: Any = None, /, **query: Any) -> requests.Response:
        return requests.request(
            method,
            f"{self.running.organisation_url}/{path}",
            json=body,
            params={"api-version": "7.1"} | query,
            auth=("", self.user.pat),
            timeout=10,
            allow_redirects=False,
        )

    def git(self, method: str, path: str, body: Any = None, /, **query: Any) -> requests.Response:
        return self.call(method, f"{REPOSITORY}/{path}", body, **query)

    def tip(self, branch: str = "main") -> str:
        found = self.git("GET", "refs", filter=f"heads/{branch}").json()["value"]
        return str(found[0]["objectId"])

    def push(self, branch: str, old: str, *changes: dict[str, Any], **commit: Any) -> Any:
        body = {
            "refUpdates": [{"name": f"refs/heads/{branch}", "oldObjectId": old}],
            "commits": [{"comment": "change", "changes": list(changes), **commit}],
        }
        return self.git("POST", "pushes", body)


def change(kind: str, path: str, content: str | None = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"changeType": kind, "item": {"path": path}, **more}
    if content is not None:
        made["newContent"] = {"content": content, "contentType": "rawtext"}
    return made
