"""Who the agent is, and which groups somebody belongs to."""

from typing import Final

from shared.ado.errors import AdoNotFoundError
from shared.ado.session import AdoSession, build_path
from shared.ado.wire import (
    WireConnectionData,
    WireDescriptor,
    WireGroup,
    WireMemberships,
    decode,
)
from shared.domain.pull_request import Identity

GRAPH_VERSION: Final = "7.1-preview.1"
MAX_GROUPS: Final = 100
"""Groups that are looked up for one person, directly and through other groups."""
_OWN: Final = "own identity"


def fetch_own_identity(session: AdoSession) -> Identity:
    """Answer whom the credential stands for; asked once in the life of a process.

    Source: https://learn.microsoft.com/azure/devops/integrate/how-to/call-rest-api
    """
    known: Identity | None = session.cache.get(_OWN)
    if known is None:
        known = session.cache[_OWN] = check_connection(session)
    return known


def check_connection(session: AdoSession) -> Identity:
    """Ask Azure DevOps now who we are.

    Raises:
        AdoError: the credential is not accepted, or the service does not answer.
    """
    data = session.call(
        "get connection data", "GET", "_apis/connectionData", api_version="7.1-preview.1"
    )
    user = decode("get connection data", data, WireConnectionData).authenticated_user
    return Identity(user.id.lower(), user.provider_display_name, descriptor=user.subject_descriptor)


def fetch_group_names(session: AdoSession, identity: Identity) -> frozenset[str]:
    r"""Answer the groups of somebody, as `[Project]\Group` and by plain name.

    Memberships through other groups count. Somebody whom the Graph does not know has none.
    Source: https://learn.microsoft.com/rest/api/azure/devops/graph/memberships/list
    """
    try:
        descriptor = identity.descriptor or _fetch_descriptor(session, identity)
    except AdoNotFoundError:
        return frozenset()
    names: set[str] = set()
    seen: set[str] = set()
    waiting = [descriptor]
    while waiting and len(seen) < MAX_GROUPS:
        for container in _fetch_containers(session, waiting.pop(0)):
            if container in seen or len(seen) >= MAX_GROUPS:
                continue
            seen.add(container)
            waiting.append(container)
            group = _fetch_group(session, container)
            names |= {group.principal_name, group.display_name}
    return frozenset(name for name in names if name)


def _fetch_descriptor(session: AdoSession, identity: Identity) -> str:
    path = build_path("_apis", "graph", "descriptors", identity.id)
    return decode(
        "get descriptor", _call_graph(session, "get descriptor", path), WireDescriptor
    ).value


def _fetch_containers(session: AdoSession, descriptor: str) -> list[str]:
    path = build_path("_apis", "graph", "memberships", descriptor)
    data = _call_graph(session, "list memberships", path, {"direction": "up"})
    found = decode("list memberships", data, WireMemberships)
    return [membership.container_descriptor for membership in found.value]


def _fetch_group(session: AdoSession, descriptor: str) -> WireGroup:
    path = build_path("_apis", "graph", "groups", descriptor)
    return decode("get group", _call_graph(session, "get group", path), WireGroup)


def _call_graph(
    session: AdoSession, operation: str, path: str, query: dict[str, str] | None = None
) -> bytes:
    return session.call(
        operation,
        "GET",
        path,
        query=query,
        api_version=GRAPH_VERSION,
        base_url=session.graph_url,
    )
