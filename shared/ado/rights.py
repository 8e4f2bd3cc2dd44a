"""What the caller may do in the repositories that it sees, by the bits of Git's security namespace.

Source: https://learn.microsoft.com/azure/devops/organizations/security/namespace-reference
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from shared.ado.session import AdoSession, build_path

_GIT: Final = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
_NEEDED: Final = 2 | 4 | 16 | 16_384
"""Read, Contribute, CreateBranch, PullRequestContribute."""
_TOO_MUCH: Final = {8: "force push", 128: "bypass policies on push", 32_768: "bypass policies"}
"""What the agent never does."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the caller may do in one repository."""

    label: str
    """`Project/repository`."""
    repository_id: str
    may_work: bool
    too_much: tuple[str, ...] = ()
    """What it may do and never needs to; only looked at where it may work."""


def list_rights(session: AdoSession, *, most: int | None = None) -> Iterator[Rights]:
    """List the caller's rights in each repository, in the order of the service.

    Raises:
        AdoError: as `AdoSession.call`.
    """
    listed = json.loads(session.call("list repositories", "GET", "_apis/git/repositories"))["value"]
    for repository in islice(listed, most):
        place = f"repoV2/{repository['project']['id']}/{repository['id']}"
        label = f"{repository['project']['name']}/{repository['name']}"
        if not _may(session, place, _NEEDED):
            yield Rights(label, repository["id"], may_work=False)
            continue
        too_much = tuple(deed for bit, deed in _TOO_MUCH.items() if _may(session, place, bit))
        yield Rights(label, repository["id"], may_work=True, too_much=too_much)


def _may(session: AdoSession, place: str, bits: int) -> bool:
    path = build_path("_apis", "permissions", _GIT, bits)
    answer = session.call("check permissions", "GET", path, query={"tokens": place})
    return all(json.loads(answer)["value"])
