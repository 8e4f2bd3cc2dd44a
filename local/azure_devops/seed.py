"""The world as it begins: a web shop with an open pull request, people, groups, an agent.

Ids, dates and commits are the same each time, so that tests and demonstrations can name them.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.azure_devops.organisation import (
    CONTRIBUTE,
    CREATE_BRANCH,
    PULL_REQUEST,
    READ,
    Organisation,
    build_guid,
)
from local.azure_devops.pull_requests import open_pull_request
from local.azure_devops.records import Document
from local.azure_devops.repositories import create_project, create_repository
from local.azure_devops.shop import MAIN_FILES, MODES, TOPIC_FILES

ORGANISATION: Final = "contoso"
PROJECT: Final = "Storefront"
REPOSITORY: Final = "storefront"
HARD_PROJECT: Final = "Büro & Läden #1 100%"
HARD_REPOSITORY: Final = "Kasse #2 (50%)"
TOPIC_BRANCH: Final = "feature/checkout"
PULL_REQUEST_ID: Final = 1
HARD_PULL_REQUEST_ID: Final = 2

_WORKER: Final = READ | CONTRIBUTE | CREATE_BRANCH | PULL_REQUEST
_EVERYTHING: Final = (1 << 16) - 1


@dataclass(frozen=True, slots=True)
class SeededUser:
    """Somebody who is there from the beginning."""

    name: str
    address: str
    pat: str
    groups: tuple[str, ...] = ()
    is_agent: bool = False

    @property
    def id(self) -> str:
        """Identity id."""
        return build_guid("user", self.address)

    @property
    def descriptor(self) -> str:
        """Graph descriptor."""
        return f"aad.{build_guid('descriptor', self.address).replace('-', '')}"


ADMINISTRATOR: Final = SeededUser(
    "Petra Admin", "petra@contoso.example", "pat-petra-0001", ("Project Administrators",)
)
JAMAL: Final = SeededUser(
    "Jamal Hartnett", "jamal@contoso.example", "pat-jamal-0002", ("Contributors",)
)
ANNA: Final = SeededUser("Anna Müller", "anna@contoso.example", "pat-anna-0003", ("Contributors",))
READER: Final = SeededUser("Rudi Reader", "rudi@contoso.example", "pat-rudi-0004", ("Readers",))
STRANGER: Final = SeededUser("Sam Stranger", "sam@elsewhere.example", "pat-sam-0005")
CODE_AGENT: Final = SeededUser(
    "Code Agent", "code-agent@contoso.example", "pat-agent-0006", is_agent=True
)
USERS: Final = (ADMINISTRATOR, JAMAL, ANNA, READER, STRANGER, CODE_AGENT)
GROUPS: Final = ("Project Administrators", "Contributors", "Readers")


def seed(organisation: Organisation) -> None:
    """Fill an empty organisation."""
    for user in USERS:
        organisation.records.put("user", user.id, _write_user(user))
    for project_name, repository_name in (
        (PROJECT, REPOSITORY),
        (HARD_PROJECT, HARD_REPOSITORY),
    ):
        project = create_project(organisation, project_name)
        permissions = _seed_groups(organisation, project_name)
        permissions[CODE_AGENT.descriptor] = _WORKER
        # a stranger may look and comment, so that refusing them is the agent's own decision
        permissions[STRANGER.descriptor] = READ | PULL_REQUEST
        repository = create_repository(organisation, project, repository_name, permissions)
        _write_branches(organisation.folder / f"{repository['id']}.git")
        jamal = organisation.records.get("user", JAMAL.id) or {}
        open_pull_request(organisation, repository, jamal, _describe_pull_request())
    organisation.events.clear()


def _write_user(user: SeededUser) -> Document:
    return {
        "id": user.id,
        "displayName": user.name,
        "uniqueName": user.address,
        "descriptor": user.descriptor,
        "pat": user.pat,
        "isAgent": user.is_agent,
    }


def _seed_groups(organisation: Organisation, project: str) -> dict[str, int]:
    permissions: dict[str, int] = {}
    bits = {"Project Administrators": _EVERYTHING, "Contributors": _WORKER, "Readers": READ}
    for name in GROUPS:
        key = build_guid("group", project, name)
        group: Document = {
            "id": key,
            "principalName": f"[{project}]\\{name}",
            "displayName": name,
            "descriptor": f"vssgp.{key.replace('-', '')}",
            "members": [user.descriptor for user in USERS if name in user.groups],
        }
        organisation.records.put("group", key, group)
        permissions[group["descriptor"]] = bits[name]
    return permissions


def _describe_pull_request() -> dict[str, Any]:
    return {
        "sourceRefName": f"refs/heads/{TOPIC_BRANCH}",
        "targetRefName": "refs/heads/main",
        "title": "Checkout page",
        "description": "Adds the checkout page with its styles.\n\nThe buttons need a decision.",
    }


def _write_branches(repository: Path) -> None:
    """Write both branches with git's fast import: one process, the same commits each time."""
    stream = [
        _write_commit("refs/heads/main", 1, "Open the shop", MAIN_FILES, "1700000000"),
        _write_commit(
            f"refs/heads/{TOPIC_BRANCH}", 2, "Add the checkout page", TOPIC_FILES, "1700003600", 1
        ),
    ]
    subprocess.run(
        ["git", "fast-import", "--quiet"],
        cwd=repository,
        input=b"".join(stream),
        check=True,
        env={"PATH": os.environ.get("PATH", ""), "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/"},
    )


def _write_commit(
    ref: str, mark: int, message: str, files: dict[str, bytes], at: str, parent: int | None = None
) -> bytes:
    author = f"{JAMAL.name} <{JAMAL.address}> {at} +0000".encode()
    parts = [
        f"commit {ref}\nmark :{mark}\n".encode(),
        b"author " + author + b"\ncommitter " + author + b"\n",
        f"data {len(message.encode())}\n{message}\n".encode(),
    ]
    if parent is not None:
        parts.append(f"from :{parent}\n".encode())
    for path, content in files.items():
        mode = MODES.get(path, "100644")
        quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
        parts.append(f"M {mode} inline {quoted}\n".encode())
        parts.append(b"data %d\n" % len(content) + content + b"\n")
    return b"".join(parts)
