"""Pushes: makes one, and lists who has moved which ref, from what to what.

Source: https://learn.microsoft.com/rest/api/azure/devops/git/pushes
"""

from datetime import UTC, datetime
from typing import Any, Final

from local.azure_devops import branches
from local.azure_devops.errors import refuse_argument
from local.azure_devops.git_store import ZERO, Author
from local.azure_devops.organisation import CONTRIBUTE, CREATE_BRANCH, Organisation
from local.azure_devops.people import write_identity
from local.azure_devops.records import Document
from local.azure_devops.repositories import GIT, link_commit, write_repository
from local.azure_devops.routing import Answer, Call, route, write_list

_CRITERIA: Final = "searchcriteria."


@route("POST", GIT + "/pushes", "create push")
def create_push(call: Call) -> Any:
    """Put one commit onto a branch, new or not."""
    repository = call.find_repository()
    organisation = call.organisation
    body = call.read_object()
    updates, commits = body.get("refUpdates") or [], body.get("commits") or []
    if len(updates) != 1 or len(commits) != 1:
        raise refuse_argument("A push has exactly one ref update and one commit.")
    name, old = str(updates[0].get("name") or ""), str(updates[0].get("oldObjectId") or "")
    if not name.startswith("refs/heads/") or len(old) != len(ZERO):
        raise refuse_argument("The ref update is not valid.")
    organisation.require(call.user, repository, CONTRIBUTE)
    store = organisation.open_store(repository["id"])
    if store.find_ref(name) is None:
        organisation.require(call.user, repository, CREATE_BRANCH)
    before = store.find_ref(name) or ZERO
    author = Author(call.user["displayName"], call.user["uniqueName"])
    new = store.push(name, old, commits[0], author)
    push = branches.note_push(organisation, repository, call.user, [(name, before, new)])
    commit = link_commit(call, store.read_commit(new))
    return Answer({"commits": [commit], **_write_push(organisation, repository, push)}, 201)


@route("GET", GIT + "/pushes", "list pushes")
def list_pushes(call: Call) -> Any:
    """List pushes, newest first; refs are told only when `includeRefUpdates` asks for them.

    The criteria may be written without their prefix too, as the examples of the service have it:
    https://github.com/MicrosoftDocs/vsts-rest-api-specs (`git/7.1/httpExamples/pushes`).
    """
    repository = call.find_repository()
    wanted = {key.lower().removeprefix(_CRITERIA): value for key, value in call.query.items()}
    skip, top = call.read_window()
    found = [
        push
        for push in reversed(call.organisation.records.all("push"))
        if push["repositoryId"] == repository["id"] and _is_wanted(push, wanted)
    ]
    has_refs = wanted.get("includerefupdates", "").lower() == "true"
    return write_list(
        [
            _write_push(call.organisation, repository, push, has_refs=has_refs)
            for push in found[skip : skip + top]
        ]
    )


def _is_wanted(push: Document, wanted: dict[str, str]) -> bool:
    ref, pusher = wanted.get("refname"), wanted.get("pusherid")
    at = datetime.fromisoformat(push["date"])
    return (
        ref in (None, *(update["name"] for update in push["refUpdates"]))
        and pusher in (None, push["pushedBy"])
        and ("fromdate" not in wanted or at >= _read_instant(wanted["fromdate"]))
        and ("todate" not in wanted or at <= _read_instant(wanted["todate"]))
    )


def _read_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise refuse_argument(f"The value '{text}' is not a date.") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _write_push(
    organisation: Organisation, repository: Document, push: Document, *, has_refs: bool = True
) -> dict[str, Any]:
    number = push["id"]
    updates = [{"repositoryId": repository["id"], **update} for update in push["refUpdates"]]
    return {
        **({"refUpdates": updates} if has_refs else {}),
        "repository": write_repository(organisation, repository),
        "pushedBy": write_identity(organisation, push["pushedBy"]),
        "pushId": number,
        "date": push["date"],
        "url": f"{organisation.url}/_apis/git/repositories/{repository['id']}/pushes/{number}",
    }
