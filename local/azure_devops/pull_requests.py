"""Pull requests: create, read, change, complete; iterations, labels, properties, statuses.

Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests
"""

from typing import Any, Final
from urllib.parse import quote

from local.azure_devops.branches import add_iteration, note_push
from local.azure_devops.errors import (
    ServiceError,
    find_duplicate_pull_request,
    find_stale,
    miss_branch,
    refuse_argument,
)
from local.azure_devops.git_store import Author
from local.azure_devops.organisation import (
    CONTRIBUTE,
    PULL_REQUEST,
    READ,
    Organisation,
    build_guid,
    read_time,
)
from local.azure_devops.people import write_identity
from local.azure_devops.records import Document
from local.azure_devops.repositories import GIT, write_repository
from local.azure_devops.routing import Answer, Call, route, write_list

MAX_DESCRIPTION: Final = 4000
MAX_LISTED_DESCRIPTION: Final = 400
MAX_TITLE: Final = 400
PULL: Final = GIT + "/pullRequests/{pull_request}"
STATES: Final = ("notSet", "pending", "succeeded", "failed", "error", "notApplicable")


def find_here(call: Call) -> Document:
    """Find the pull request of the path, in its repository."""
    repository = call.find_repository()
    return call.organisation.find_pull_request(call.number("pull_request"), repository["id"])


def write_pull_request(organisation: Organisation, pull_request: Document) -> dict[str, Any]:
    """Write a GitPullRequest."""
    repository = organisation.records.get("repository", pull_request["repositoryId"]) or {}
    store = organisation.open_store(pull_request["repositoryId"])
    number = pull_request["id"]
    latest = pull_request["iterations"][-1]
    target = latest["target"]
    if pull_request["status"] == "active":
        target = store.find_ref(pull_request["targetRefName"]) or target
    shown = write_repository(organisation, repository)
    url = f"{shown['url']}/pullRequests/{number}"
    body: dict[str, Any] = {
        "repository": shown,
        "pullRequestId": number,
        "codeReviewId": number,
        "status": pull_request["status"],
        "createdBy": write_identity(organisation, pull_request["createdBy"]),
        "creationDate": pull_request["creationDate"],
        "title": pull_request["title"],
        "description": pull_request["description"],
        "sourceRefName": pull_request["sourceRefName"],
        "targetRefName": pull_request["targetRefName"],
        "mergeStatus": "succeeded",
        "isDraft": pull_request["isDraft"],
        "mergeId": build_guid("merge", str(number)),
        "lastMergeSourceCommit": _write_commit(shown, latest["source"]),
        "lastMergeTargetCommit": _write_commit(shown, target),
        "reviewers": [],
        "labels": [_write_label(name) for name in pull_request["labels"]],
        "url": url,
        "supportsIterations": True,
        "artifactId": f"vstfs:///Git/PullRequestId/{shown['project']['id']}%2f{shown['id']}%2f{number}",
        "_links": {
            "self": {"href": url},
            "repository": {"href": shown["url"]},
            "web": {"href": f"{shown['webUrl']}/pullrequest/{number}"},
            "statuses": {"href": f"{url}/statuses"},
        },
    }
    if pull_request["status"] != "active":
        body["closedDate"] = pull_request["closedDate"]
    if pull_request.get("forkSource"):
        body["forkSource"] = pull_request["forkSource"]
    return body


def _write_commit(repository: dict[str, Any], commit: str) -> dict[str, str]:
    return {"commitId": commit, "url": f"{repository['url']}/commits/{commit}"}


def _write_label(name: str) -> dict[str, Any]:
    return {"id": build_guid("label", name), "name": name, "active": True}


@route("POST", GIT + "/pullRequests", "create pull request")
def create_pull_request(call: Call) -> Any:
    """Open a pull request between two branches that exist."""
    repository = call.find_repository()
    organisation = call.organisation
    organisation.require(call.user, repository, PULL_REQUEST)
    made = open_pull_request(organisation, repository, call.user, call.read_object())
    return Answer(write_pull_request(organisation, made), 201)


def open_pull_request(
    organisation: Organisation, repository: Document, user: Document, body: dict[str, Any]
) -> Document:
    """Open a pull request, as its REST body says.

    Raises:
        ServiceError: TF401398, TF401179, or an argument that does not fit.
    """
    source, target = str(body.get("sourceRefName") or ""), str(body.get("targetRefName") or "")
    title = str(body.get("title") or "").strip()
    if not title:
        raise refuse_argument("Value cannot be null. Parameter name: title")
    _check_texts(title, str(body.get("description") or ""))
    store = organisation.open_store(repository["id"])
    if store.find_ref(source) is None or store.find_ref(target) is None or source == target:
        raise miss_branch()
    if _find_active(organisation, repository, source, target) is not None:
        raise find_duplicate_pull_request()
    pull_request: Document = {
        "id": organisation.records.next_number("pull_request"),
        "repositoryId": repository["id"],
        "createdBy": user["id"],
        "creationDate": read_time(),
        "title": title,
        "description": str(body.get("description") or ""),
        "sourceRefName": source,
        "targetRefName": target,
        "status": "active",
        "isDraft": bool(body.get("isDraft")),
        "labels": [str(label.get("name")) for label in body.get("labels") or []],
        "properties": {},
        "iterations": [],
        "forkSource": body.get("forkSource"),
    }
    add_iteration(organisation, pull_request, user)
    organisation.announce(
        "pull_request_created", pullRequestId=pull_request["id"], userId=user["id"]
    )
    return pull_request


def _check_texts(title: str, description: str) -> None:
    if len(title) > MAX_TITLE:
        raise refuse_argument(f"TF401320: The title is longer than {MAX_TITLE} characters.")
    if len(description) > MAX_DESCRIPTION:
        raise refuse_argument(
            f"Invalid argument value. Parameter name: description. It is longer than "
            f"{MAX_DESCRIPTION} characters."
        )


def _find_active(
    organisation: Organisation, repository: Document, source: str, target: str
) -> Document | None:
    return next(
        (
            one
            for one in organisation.records.all("pull_request")
            if one["status"] == "active"
            and (one["repositoryId"], one["sourceRefName"], one["targetRefName"])
            == (repository["id"], source, target)
        ),
        None,
    )


@route("GET", GIT + "/pullRequests", "list pull requests")
def list_pull_requests(call: Call) -> Any:
    """List pull requests of a repository, newest first; descriptions are cut."""
    return _list(call, {call.find_repository()["id"]})


@route("GET", "{project?}/_apis/git/pullRequests", "list pull requests")
def list_pull_requests_of_project(call: Call) -> Any:
    """List pull requests of a project, as far as the caller may read its repositories.

    Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-requests-by-project
    """
    if call.project is None:
        raise refuse_argument("A project is required.")
    organisation = call.organisation
    project = organisation.find_project(call.project)
    readable = {
        one["id"]
        for one in organisation.records.all("repository")
        if one["projectId"] == project["id"] and organisation.may(call.user, one, READ)
    }
    return _list(call, readable)


def _list(call: Call, repository_ids: set[str]) -> Any:
    query = {key.lower(): value for key, value in call.query.items()}
    status = query.get("searchcriteria.status", "active").lower()
    filters = {
        "sourceRefName": query.get("searchcriteria.sourcerefname"),
        "targetRefName": query.get("searchcriteria.targetrefname"),
        "createdBy": query.get("searchcriteria.creatorid"),
    }
    found = [
        one
        for one in reversed(call.organisation.records.all("pull_request"))
        if one["repositoryId"] in repository_ids
        and status in (one["status"], "all")
        and all(wanted in (None, one[name]) for name, wanted in filters.items())
    ]
    skip, top = call.read_window()
    shown = [write_pull_request(call.organisation, one) for one in found[skip : skip + top]]
    for one in shown:
        one["description"] = one["description"][:MAX_LISTED_DESCRIPTION]
        one.pop("labels")
    return write_list(shown)


@route("GET", PULL, "get pull request")
def show_pull_request(call: Call) -> Any:
    """Show a pull request."""
    return write_pull_request(call.organisation, find_here(call))


@route("GET", "{project?}/_apis/git/pullRequests/{pull_request}", "get pull request")
def show_pull_request_by_id(call: Call) -> Any:
    """Show a pull request by its id alone."""
    found = call.organisation.find_pull_request(call.number("pull_request"))
    call.organisation.find_repository(found["repositoryId"], None, call.user)
    return write_pull_request(call.organisation, found)


@route("PATCH", PULL, "update pull request")
def update_pull_request(call: Call) -> Any:
    """Change title, description, draft, target or status."""
    pull_request = find_here(call)
    organisation = call.organisation
    body = call.read_object()
    repository = call.find_repository()
    organisation.require(call.user, repository, PULL_REQUEST)
    _check_texts(str(body.get("title") or "x"), str(body.get("description") or ""))
    for name in ("title", "description", "isDraft"):
        if name in body:
            pull_request[name] = body[name]
    status = str(body.get("status") or pull_request["status"])
    if status != pull_request["status"]:
        _move(call, repository, pull_request, status, body)
    organisation.records.put("pull_request", pull_request["id"], pull_request)
    organisation.announce(
        "pull_request_updated", pullRequestId=pull_request["id"], userId=call.user["id"]
    )
    return write_pull_request(organisation, pull_request)


def _move(
    call: Call, repository: Document, pull_request: Document, status: str, body: dict[str, Any]
) -> None:
    organisation = call.organisation
    if status == "active" and pull_request["status"] == "abandoned":
        found = _find_active(
            organisation,
            repository,
            pull_request["sourceRefName"],
            pull_request["targetRefName"],
        )
        if found is not None:
            raise find_duplicate_pull_request()
    elif status == "completed" and pull_request["status"] == "active":
        organisation.require(call.user, repository, CONTRIBUTE)
        _complete(call, repository, pull_request, body)
    elif status != "abandoned" or pull_request["status"] != "active":
        raise ServiceError(
            409,
            "GitPullRequestStaleException",
            "TF401181: The pull request cannot be edited due to its state.",
        )
    pull_request["status"] = status
    pull_request["closedDate"] = read_time()


def _complete(
    call: Call, repository: Document, pull_request: Document, body: dict[str, Any]
) -> None:
    """Merge the source into the target, if the caller has seen the latest source."""
    store = call.organisation.open_store(repository["id"])
    source = store.find_ref(pull_request["sourceRefName"])
    target = store.find_ref(pull_request["targetRefName"])
    if source is None or target is None:
        raise miss_branch()
    seen = (body.get("lastMergeSourceCommit") or {}).get("commitId")
    if seen != source:
        raise find_stale(pull_request["sourceRefName"])
    tree = store.merge(target, source)
    if tree is None:
        raise ServiceError(
            409, "GitPullRequestStaleException", "TF401192: The merge has conflicts."
        )
    author = Author(call.user["displayName"], call.user["uniqueName"])
    message = f"Merged PR {pull_request['id']}: {pull_request['title']}"
    merged = store.commit(tree, [target, source], message, author)
    store.set_ref(pull_request["targetRefName"], merged)
    moved = [(pull_request["targetRefName"], target, merged)]
    note_push(call.organisation, repository, call.user, moved)


# Iterations


@route("GET", PULL + "/iterations", "list iterations")
def list_iterations(call: Call) -> Any:
    """List the iterations."""
    pull_request = find_here(call)
    return write_list([_write_iteration(call, one) for one in pull_request["iterations"]])


def _write_iteration(call: Call, iteration: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": iteration["id"],
        "author": write_identity(call.organisation, iteration["authorId"]),
        "createdDate": iteration["createdDate"],
        "updatedDate": iteration["createdDate"],
        "sourceRefCommit": {"commitId": iteration["source"]},
        "targetRefCommit": {"commitId": iteration["target"]},
        "commonRefCommit": {"commitId": iteration["common"]},
        "hasMoreCommits": False,
        "reason": "push" if iteration["id"] > 1 else "create",
    }


@route("GET", PULL + "/iterations/{iteration}/changes", "list iteration changes")
def list_iteration_changes(call: Call) -> Any:
    """List what an iteration changed, a hundred at a time."""
    pull_request = find_here(call)
    number = call.number("iteration")
    found = next((one for one in pull_request["iterations"] if one["id"] == number), None)
    if found is None:
        raise ServiceError(404, "GitPullRequestIterationNotFoundException", "No such iteration.")
    store = call.organisation.open_store(pull_request["repositoryId"])
    changes = store.list_changes(found["common"] or None, found["source"])
    skip, top = call.read_window()
    top = min(top, 100)
    entries = [
        {"changeTrackingId": at + 1, "changeId": at + 1, **change}
        for at, change in enumerate(changes)
    ]
    answer: dict[str, Any] = {"changeEntries": entries[skip : skip + top]}
    if skip + top < len(entries):
        answer |= {"nextSkip": skip + top, "nextTop": top}
    return answer


# Statuses


@route("GET", PULL + "/statuses", "list statuses")
def list_statuses(call: Call) -> Any:
    """List the statuses, oldest first."""
    pull_request = find_here(call)
    found = (call.organisation.records.get("statuses", pull_request["id"]) or {}).get("list", [])
    return write_list([_write_status(call, one) for one in found])


@route("POST", PULL + "/statuses", "create status")
def create_status(call: Call) -> Any:
    """Post a status; the latest of a context counts."""
    pull_request = find_here(call)
    organisation = call.organisation
    organisation.require(call.user, call.find_repository(), PULL_REQUEST)
    body = call.read_object()
    context = body.get("context") or {}
    if body.get("state") not in STATES:
        raise refuse_argument(f"The state is one of {', '.join(STATES)}.")
    if not context.get("name"):
        raise refuse_argument("A status needs a context with a name.")
    iteration = body.get("iterationId")
    if iteration is not None and iteration not in {one["id"] for one in pull_request["iterations"]}:
        raise refuse_argument("There is no such iteration.")
    kept = organisation.records.get("statuses", pull_request["id"]) or {"list": []}
    status = {
        "id": len(kept["list"]) + 1,
        "state": body["state"],
        "description": body.get("description"),
        "targetUrl": body.get("targetUrl"),
        "context": {"name": context["name"], "genre": context.get("genre")},
        "iterationId": iteration,
        "createdBy": call.user["id"],
        "creationDate": read_time(),
    }
    kept["list"].append(status)
    organisation.records.put("statuses", pull_request["id"], kept)
    return _write_status(call, status)


def _write_status(call: Call, status: dict[str, Any]) -> dict[str, Any]:
    shown = dict(status) | {
        "createdBy": write_identity(call.organisation, status["createdBy"]),
        "updatedDate": status["creationDate"],
    }
    return {name: value for name, value in shown.items() if value is not None}


# Labels and properties


@route("GET", PULL + "/labels", "list labels")
def list_labels(call: Call) -> Any:
    """List the labels."""
    return write_list([_write_label(name) for name in find_here(call)["labels"]])


@route("POST", PULL + "/labels", "create label")
def create_label(call: Call) -> Any:
    """Add a label; one that is there stays."""
    pull_request = find_here(call)
    name = str(call.read_object().get("name") or "").strip()
    if not name:
        raise refuse_argument("A label needs a name.")
    if name not in pull_request["labels"]:
        pull_request["labels"].append(name)
        call.organisation.records.put("pull_request", pull_request["id"], pull_request)
    return _write_label(name)


@route("GET", PULL + "/properties", "get properties")
def show_properties(call: Call) -> Any:
    """Show the properties."""
    properties = find_here(call)["properties"]
    return write_list([], count=len(properties), value=_write_properties(properties))


@route("PATCH", PULL + "/properties", "update properties")
def update_properties(call: Call) -> Any:
    """Change properties by a JSON patch."""
    pull_request = find_here(call)
    if not isinstance(call.body, list):
        raise refuse_argument("A JSON patch document is expected.")
    for step in call.body:
        name = str(step.get("path") or "").lstrip("/")
        if step.get("op") in ("add", "replace"):
            pull_request["properties"][name] = str(step.get("value"))
        elif step.get("op") == "remove":
            pull_request["properties"].pop(name, None)
        else:
            raise refuse_argument(f"The operation {step.get('op')!r} is not supported.")
    call.organisation.records.put("pull_request", pull_request["id"], pull_request)
    properties = pull_request["properties"]
    return write_list([], count=len(properties), value=_write_properties(properties))


def _write_properties(properties: dict[str, str]) -> dict[str, Any]:
    return {name: {"$type": "System.String", "$value": value} for name, value in properties.items()}


def build_page_url(organisation: Organisation, pull_request: Document) -> str:
    """Build the address of a pull request's page."""
    repository = organisation.records.get("repository", pull_request["repositoryId"]) or {}
    project = organisation.find_project(repository["projectId"])["name"]
    return (
        f"{organisation.url}/{quote(project, safe='')}/_git/{quote(repository['name'], safe='')}"
        f"/pullrequest/{pull_request['id']}"
    )
