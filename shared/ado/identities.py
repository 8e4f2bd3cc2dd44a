"""Who the agent is, and which groups somebody belongs to."""

from collections.abc import Iterator
from typing import Any, Final

from shared.ado.errors import AdoNotFoundError
from shared.ado.session import AdoSession, build_path
from shared.ado.wire import (
    WireConnectionData,
    WireDescriptor,
    WireFoundIdentities,
    WireGroup,
    WireMemberships,
    WireSubjects,
    decode,
)
from shared.domain.pull_request import Identity

GRAPH_VERSION: Final = "7.1-preview.1"
MAX_GROUPS: Final = 100
"""Groups that are looked up for one person, directly and through other groups."""
_OWN: Final = "own id"


def find_own_id(session: AdoSession) -> str:
    """Find the id of whom the credential stands for, as comments carry it in `author.id`.

    Every answer of the service says it in a header; where none has, it is asked for, once in the
    life of a process.
    """
    if session.own_id is not None:
        return session.own_id
    known: str | None = session.cache.get(_OWN)
    if known is None:
        known = session.cache[_OWN] = check_connection(session).id
    return known


def check_connection(session: AdoSession) -> Identity:
    """Ask Azure DevOps now who we are.

    Raises:
        AdoError: the credential is not accepted, or the service does not answer.
    Source: https://learn.microsoft.com/azure/devops/integrate/how-to/call-rest-api
    """
    data = session.call(
        "get connection data", "GET", "_apis/connectionData", api_version="7.1-preview.1"
    )
    user = decode("get connection data", data, WireConnectionData).authenticated_user
    return Identity(user.id.lower(), user.provider_display_name, descriptor=user.subject_descriptor)


def find_people(session: AdoSession, name: str) -> list[Identity]:
    """Find whom a unique name, an e-mail address or a display name may mean.

    Source: https://learn.microsoft.com/rest/api/azure/devops/ims/identities/read-identities
    """
    data = session.call(
        "find identities",
        "GET",
        "_apis/identities",
        query={"searchFilter": "General", "filterValue": name},
        api_version="7.1",
        base_url=session.graph_url,
    )
    found = decode("find identities", data, WireFoundIdentities).value
    return [Identity(one.id.lower(), one.provider_display_name) for one in found]


def list_group_names(session: AdoSession, identity: Identity) -> Iterator[str]:
    r"""List the groups of somebody, as `[Project]\Group` and by plain name, the nearest first.

    Memberships through other groups count; they are asked for only when the caller reads on.
    Somebody whom the Graph does not know has none.
    Source: https://learn.microsoft.com/rest/api/azure/devops/graph/memberships/list
    """
    try:
        descriptor = identity.descriptor or _fetch_descriptor(session, identity)
    except AdoNotFoundError:
        return
    seen: set[str] = set()
    level = [descriptor]
    while level and len(seen) < MAX_GROUPS:
        found = dict.fromkeys(
            container
            for subject in level
            for container in _fetch_containers(session, subject)
            if container not in seen
        )
        level = list(found)[: MAX_GROUPS - len(seen)]
        seen.update(level)
        for group in _look_up(session, level):
            yield from (name for name in (group.principal_name, group.display_name) if name)


def _fetch_descriptor(session: AdoSession, identity: Identity) -> str:
    path = build_path("_apis", "graph", "descriptors", identity.id)
    data = _call_graph(session, "get descriptor", "GET", path)
    return decode("get descriptor", data, WireDescriptor).value


def _fetch_containers(session: AdoSession, descriptor: str) -> list[str]:
    path = build_path("_apis", "graph", "memberships", descriptor)
    data = _call_graph(session, "list memberships", "GET", path, query={"direction": "up"})
    found = decode("list memberships", data, WireMemberships)
    return [membership.container_descriptor for membership in found.value]


def _look_up(session: AdoSession, descriptors: list[str]) -> list[WireGroup]:
    """Read several groups in one call."""
    if not descriptors:
        return []
    keys = [{"descriptor": descriptor} for descriptor in descriptors]
    path = "_apis/graph/subjectlookup"
    data = _call_graph(session, "look up subjects", "POST", path, body={"lookupKeys": keys})
    found = decode("look up subjects", data, WireSubjects).value
    return [group for group in (found.get(descriptor) for descriptor in descriptors) if group]


def _call_graph(
    session: AdoSession,
    operation: str,
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    body: Any = None,
) -> bytes:
    return session.call(
        operation,
        method,
        path,
        query=query,
        body=body,
        api_version=GRAPH_VERSION,
        base_url=session.graph_url,
    )
