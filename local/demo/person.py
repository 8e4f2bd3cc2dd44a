"""A person at the keyboard: writes comments and looks at pull requests, over the REST API."""

from dataclasses import dataclass
from typing import Any, Final

import requests

from local.azure_devops import seed

API: Final = {"api-version": "7.1"}
TIMEOUT_S: Final = 30


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a personal access token."""

    organisation_url: str
    pat: str

    def git_url(self) -> str:
        """Answer where git finds the demo's repository, with the credential in it."""
        scheme, _, rest = self.organisation_url.partition("://")
        return f"{scheme}://person:{self.pat}@{rest}/{seed.PROJECT}/_git/{seed.REPOSITORY}"

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Call the REST API of the organisation; answers the JSON.

        Raises:
            requests.HTTPError: the service refused.
        """
        answer = requests.request(
            method,
            f"{self.organisation_url}/{path}",
            params=API | query,
            json=body,
            auth=("", self.pat),
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        return answer.json()

    def call_repository(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Call the REST API below the demo's repository."""
        base = f"{seed.PROJECT}/_apis/git/repositories/{seed.REPOSITORY}"
        return self.call(method, f"{base}/{path}", body, **query)

    def edit_file(self, branch: str, path: str, content: str) -> None:
        """Push a commit that gives a file another content."""
        tip = self.call_repository("GET", "refs", filter=f"heads/{branch}")["value"][0]
        change = {
            "changeType": "edit",
            "item": {"path": f"/{path}"},
            "newContent": {"content": content, "contentType": "rawtext"},
        }
        push = {
            "refUpdates": [{"name": tip["name"], "oldObjectId": tip["objectId"]}],
            "commits": [{"comment": f"Edit {path}", "changes": [change]}],
        }
        self.call_repository("POST", "pushes", push)

    def write_comment(self, pull_request_id: int, text: str) -> int:
        """Begin a thread on a pull request; answers its id."""
        body = {
            "comments": [{"parentCommentId": 0, "content": text, "commentType": 1}],
            "status": 1,
        }
        path = f"pullRequests/{pull_request_id}/threads"
        return int(self.call_repository("POST", path, body)["id"])

    def read_thread(self, pull_request_id: int, thread_id: int) -> dict[str, Any]:
        """Read a thread with its comments."""
        path = f"pullRequests/{pull_request_id}/threads/{thread_id}"
        thread: dict[str, Any] = self.call_repository("GET", path)
        return thread

    def list_drafts(self, target_branch: str) -> list[dict[str, Any]]:
        """List the active drafts into a branch, oldest first."""
        found = self.call_repository(
            "GET",
            "pullrequests",
            **{
                "searchCriteria.status": "active",
                "searchCriteria.targetRefName": f"refs/heads/{target_branch}",
            },
        )["value"]
        drafts = [request for request in found if request["isDraft"]]
        return sorted(drafts, key=lambda request: int(request["pullRequestId"]))

    def list_branches(self, prefix: str) -> list[str]:
        """List the branches whose name begins with a prefix."""
        found = self.call_repository("GET", "refs", filter=f"heads/{prefix}")["value"]
        return [ref["name"].removeprefix("refs/heads/") for ref in found]

    def list_statuses(self, pull_request_id: int) -> list[dict[str, Any]]:
        """List the statuses of a pull request, oldest first."""
        path = f"pullRequests/{pull_request_id}/statuses"
        statuses: list[dict[str, Any]] = self.call_repository("GET", path)["value"]
        return statuses

    def subscribe(self, url: str, secret: str) -> str:
        """Send comments of the demo's project to a URL; answers the subscription's id."""
        project = self.call("GET", f"_apis/projects/{seed.PROJECT}")
        inputs = {"url": url, "basicAuthUsername": "code-agent", "basicAuthPassword": secret}
        for known in self.call("GET", "_apis/hooks/subscriptions")["value"]:
            if known["consumerInputs"].get("url") == url:
                return str(known["id"])
        subscription = {
            "publisherId": "tfs",
            "eventType": "ms.vss-code.git-pullrequest-comment-event",
            "resourceVersion": "2.0",
            "consumerId": "webHooks",
            "consumerActionId": "httpRequest",
            "publisherInputs": {"projectId": project["id"]},
            "consumerInputs": inputs,
        }
        return str(self.call("POST", "_apis/hooks/subscriptions", subscription)["id"])

    def list_deliveries(self, subscription_id: str) -> list[dict[str, Any]]:
        """List what a subscription has delivered, newest first."""
        path = f"_apis/hooks/subscriptions/{subscription_id}/notifications"
        deliveries: list[dict[str, Any]] = self.call("GET", path)["value"]
        return deliveries
