"""Posts and finds the statuses of a pull request.

Without an iteration a status survives new pushes; the latest of a context is the one that counts.
Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-statuses
"""

from shared.ado.pull_requests import build_repository_path
from shared.ado.session import AdoSession
from shared.ado.wire import WireCreated, WireStatuses, decode
from shared.domain.pull_request import RepositoryRef, StatusNote


def set_status(
    session: AdoSession, repository: RepositoryRef, pull_request_id: int, note: StatusNote
) -> int:
    """Post a status; answers its id. Not safe to repeat by itself."""
    path = build_repository_path(repository, "pullRequests", pull_request_id, "statuses")
    body = {
        "state": str(note.state),
        "description": note.description,
        "targetUrl": note.target_url or None,
        "context": {"name": note.name, "genre": note.genre},
    }
    data = session.call("create status", "POST", path, body=body)
    return decode("create status", data, WireCreated).id


def find_status(
    session: AdoSession, repository: RepositoryRef, pull_request_id: int, note: StatusNote
) -> int | None:
    """Find the latest status of a context if it says just this; answers its id or None."""
    path = build_repository_path(repository, "pullRequests", pull_request_id, "statuses")
    data = session.call("list statuses", "GET", path)
    own = [
        status
        for status in decode("list statuses", data, WireStatuses).value
        if status.context is not None
        and (status.context.genre, status.context.name) == (note.genre, note.name)
    ]
    latest = max(own, key=lambda status: status.id, default=None)
    if latest is None or (latest.state, latest.description or "", latest.target_url or "") != (
        str(note.state),
        note.description,
        note.target_url,
    ):
        return None
    return latest.id
