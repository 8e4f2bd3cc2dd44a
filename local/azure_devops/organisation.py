"""The organisation: its records, its repositories, who is in it, and what listens to it.

Everything that an area of the API needs, in one place; each area is a module of functions on it.
"""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from local.azure_devops.calls import CallLog
from local.azure_devops.errors import (
    miss_project,
    miss_pull_request,
    miss_repository,
    need_permission,
)
from local.azure_devops.faults import Faults, Hold
from local.azure_devops.git_store import GitStore
from local.azure_devops.records import Document, Records

_NAMESPACE: Final = uuid.UUID("6f1d4b6e-54c7-4f43-9d36-3a5b2f2f9a10")

READ, CONTRIBUTE, FORCE_PUSH, CREATE_BRANCH, PULL_REQUEST = 2, 4, 8, 16, 16384
"""Bits of the Git security namespace.
Source: https://learn.microsoft.com/azure/devops/organizations/security/namespace-reference"""
PERMISSION_NAMES: Final = {
    READ: "GenericRead",
    CONTRIBUTE: "GenericContribute",
    FORCE_PUSH: "ForcePush",
    CREATE_BRANCH: "CreateBranch",
    PULL_REQUEST: "PullRequestContribute",
}


def build_guid(*parts: str) -> str:
    """Answer the same GUID for the same parts, always."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def read_time() -> str:
    """Answer the present moment as the service writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Organisation:
    """One organisation, on disk in a folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.records = Records(folder / "organisation.sqlite3")
        self.faults = Faults()
        self.hold: Hold | None = None
        self.calls = CallLog()
        self.base_url = ""
        """`http://127.0.0.1:{port}`, once the server listens."""
        self.events: list[Document] = []
        """What happened and has not been handed to the service hooks yet."""
        self.lock = threading.RLock()
        self._stores: dict[str, GitStore] = {}

    @property
    def url(self) -> str:
        """Where the organisation is served."""
        return f"{self.base_url}/{self.name}"

    @property
    def id(self) -> str:
        """GUID of the organisation (its account and collection)."""
        return build_guid("organisation", self.name)

    # Projects and repositories

    def find_project(self, name: str) -> Document:
        """Find a project by name or id, whatever the case.

        Raises:
            ServiceError: TF200016.
        """
        for project in self.records.all("project"):
            if name.lower() in (project["name"].lower(), project["id"]):
                return project
        raise miss_project(name)

    def find_repository(self, name: str, project: str | None, user: Document) -> Document:
        """Find a repository that the user may read, by name or id.

        Raises:
            ServiceError: TF200016 or TF401019.
        """
        within = self.find_project(project)["id"] if project else None
        for repository in self.records.all("repository"):
            if within is not None and repository["projectId"] != within:
                continue
            is_meant = name.lower() == repository["id"] or (
                within is not None and name.lower() == repository["name"].lower()
            )
            if is_meant and self.may(user, repository, READ):
                return repository
        raise miss_repository(name)

    def open_store(self, repository_id: str) -> GitStore:
        """Open the git side of a repository."""
        if repository_id not in self._stores:
            self._stores[repository_id] = GitStore(self.folder / f"{repository_id}.git")
        return self._stores[repository_id]

    def find_pull_request(self, number: int, repository_id: str | None = None) -> Document:
        """Find a pull request.

        Raises:
            ServiceError: TF401180.
        """
        found = self.records.get("pull_request", number)
        if found is None or repository_id not in (None, found["repositoryId"]):
            raise miss_pull_request()
        return found

    # People

    def find_user_by_pat(self, pat: str) -> Document | None:
        """Find who has a personal access token."""
        return next(
            (user for user in self.records.all("user") if pat and user.get("pat") == pat), None
        )

    def list_groups_of(self, descriptor: str) -> Iterator[Document]:
        """List the groups that somebody, or a group, is a direct member of."""
        for group in self.records.all("group"):
            if descriptor in group["members"]:
                yield group

    def may(self, user: Document, repository: Document, bit: int) -> bool:
        """Answer whether somebody has a permission in a repository, by themselves or by a group."""
        granted = repository["permissions"]
        mask = granted.get(user["descriptor"], 0)
        waiting, seen = [user["descriptor"]], set()
        while waiting:
            for group in self.list_groups_of(waiting.pop()):
                if group["descriptor"] not in seen:
                    seen.add(group["descriptor"])
                    waiting.append(group["descriptor"])
                    mask |= granted.get(group["descriptor"], 0)
        return bool(mask & bit)

    def require(self, user: Document, repository: Document, bit: int) -> None:
        """Return when somebody has a permission.

        Raises:
            ServiceError: TF401027.
        """
        if not self.may(user, repository, bit):
            raise need_permission(PERMISSION_NAMES[bit])

    # What happens

    def announce(self, kind: str, **about: Any) -> None:
        """Note an event for the service hooks, which deliver it after the answer is sent."""
        self.events.append({"kind": kind, "at": read_time(), **about})

    def close(self) -> None:
        """Close the files."""
        self.records.close()
