"""Projects, repositories, and what is in them: items, commits, diffs and refs.

Source: https://learn.microsoft.com/rest/api/azure/devops/git
"""

import mimetypes
from typing import Any
from urllib.parse import quote

from local.azure_devops import branches
from local.azure_devops.errors import ServiceError, refuse_argument
from local.azure_devops.git_store import ZERO, GitStore
from local.azure_devops.organisation import (
    CONTRIBUTE,
    CREATE_BRANCH,
    FORCE_PUSH,
    Organisation,
    build_guid,
    read_time,
)
from local.azure_devops.people import write_identity
from local.azure_devops.records import Document
from local.azure_devops.routing import Answer, Call, route, write_list

GIT = "{project?}/_apis/git/repositories/{repository}"


def write_project(organisation: Organisation, project: Document) -> dict[str, Any]:
    """Write a TeamProjectReference."""
    return {
        "id": project["id"],
        "name": project["name"],
        "url": f"{organisation.url}/_apis/projects/{project['id']}",
        "state": "wellFormed",
        "revision": 11,
        "visibility": "private",
        "lastUpdateTime": project["created"],
    }


def write_repository(organisation: Organisation, repository: Document) -> dict[str, Any]:
    """Write a GitRepository."""
    project = organisation.find_project(repository["projectId"])
    path = f"{quote(project['name'], safe='')}/_git/{quote(repository['name'], safe='')}"
    web_url = f"{organisation.url}/{path}"
    return {
        "id": repository["id"],
        "name": repository["name"],
        "url": f"{organisation.url}/{project['id']}/_apis/git/repositories/{repository['id']}",
        "project": write_project(organisation, project),
        "defaultBranch": "refs/heads/main",
        "size": 0,
        "remoteUrl": web_url.replace("://", f"://{organisation.name}@"),
        "sshUrl": f"git@ssh.dev.azure.com:v3/{organisation.name}/{path.replace('/_git/', '/')}",
        "webUrl": web_url,
        "isDisabled": False,
        "isInMaintenance": False,
    }


def create_project(organisation: Organisation, name: str) -> Document:
    """Make a project."""
    project = {"id": build_guid("project", name), "name": name, "created": read_time()}
    organisation.records.put("project", project["id"], project)
    return project


def create_repository(
    organisation: Organisation, project: Document, name: str, permissions: dict[str, int]
) -> Document:
    """Make an empty repository; `permissions` are bits by descriptor."""
    repository = {
        "id": build_guid("repository", project["name"], name),
        "name": name,
        "projectId": project["id"],
        "permissions": permissions,
    }
    organisation.records.put("repository", repository["id"], repository)
    GitStore.create(organisation.folder / f"{repository['id']}.git")
    return repository


@route("GET", "_apis/projects", "list projects")
def list_projects(call: Call) -> Any:
    """List the projects."""
    projects = call.organisation.records.all("project")
    return write_list([write_project(call.organisation, one) for one in projects])


@route("GET", "_apis/projects/{project}", "get project")
def show_project(call: Call) -> Any:
    """Show a project."""
    found = call.organisation.find_project(call.parts["project"])
    return write_project(call.organisation, found)


@route("GET", "{project?}/_apis/git/repositories", "list repositories")
def list_repositories(call: Call) -> Any:
    """List the repositories that the caller may read."""
    organisation = call.organisation
    within = organisation.find_project(call.project)["id"] if call.project else None
    found = [
        write_repository(organisation, one)
        for one in organisation.records.all("repository")
        if within in (None, one["projectId"]) and organisation.may(call.user, one, 2)
    ]
    return write_list(found)


@route("POST", "{project?}/_apis/git/repositories", "create repository")
def make_repository(call: Call) -> Any:
    """Create an empty repository; its creator may do everything in it."""
    body = call.read_object()
    named = call.project or str((body.get("project") or {}).get("id") or "")
    project = call.organisation.find_project(named)
    name = str(body.get("name") or "").strip()
    if not name:
        raise refuse_argument("A repository needs a name.")
    for known in call.organisation.records.all("repository"):
        if (known["projectId"], known["name"].lower()) == (project["id"], name.lower()):
            raise ServiceError(
                409,
                "GitRepositoryNameAlreadyExistsException",
                f"TF400948: A Git repository named {name} already exists.",
            )
    everything = {call.user["descriptor"]: (1 << 16) - 1}
    made = create_repository(call.organisation, project, name, everything)
    return Answer(write_repository(call.organisation, made), 201)


@route("GET", GIT, "get repository")
def show_repository(call: Call) -> Any:
    """Show a repository."""
    return write_repository(call.organisation, call.find_repository())


# Items


def _read_version(call: Call, store: GitStore, prefix: str = "versionDescriptor.") -> str:
    version = call.query.get(f"{prefix}version") or call.query.get("version")
    kind = call.query.get(f"{prefix}versionType") or call.query.get("versionType") or "branch"
    return store.resolve(version or "main", kind.lower())


@route("GET", GIT + "/items", "get items")
def show_items(call: Call) -> Any:
    """Answer a file, a folder's items, or the whole tree as an archive."""
    store = call.organisation.open_store(call.find_repository()["id"])
    commit = _read_version(call, store)
    path = call.query.get("path") or call.query.get("scopePath") or "/"
    form = call.query.get("$format", "").lower()
    if form == "zip" or call.accept == "application/zip":
        return Answer(store.write_zip(commit), content_type="application/zip")
    level = call.query.get("recursionLevel", "none").lower()
    if level != "none" or "scopePath" in call.query:
        listed = store.list_items(commit, path, deep=level == "full")
        shown = listed if level != "none" else listed[:1]
        return write_list([_link_item(call, item) for item in shown])
    if form == "octetstream" or call.accept == "application/octet-stream":
        return Answer(store.read_file(commit, path), content_type="application/octet-stream")
    item = _link_item(call, store.read_item(commit, path))
    if call.query.get("includeContent", "").lower() == "true":
        content = store.read_file(commit, path)
        item["content"] = content.decode("utf-8", "replace")
    elif form != "json" and call.accept == "text/plain":
        return Answer(store.read_file(commit, path), content_type="text/plain")
    if call.query.get("includeContentMetadata", "").lower() == "true":
        item["contentMetadata"] = _describe_content(path, store)
    return item


def _link_item(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    base = f"{call.organisation.url}/_apis/git/repositories/{call.parts['repository']}"
    return item | {"url": f"{base}/items{quote(item['path'])}?versionType=Commit"}


def _describe_content(path: str, _: GitStore) -> dict[str, Any]:
    name = path.rpartition("/")[2]
    return {
        "fileName": name,
        "extension": name.rpartition(".")[2],
        "contentType": mimetypes.guess_type(name)[0] or "text/plain",
        "encoding": 65001,
    }


# Commits and diffs


@route("GET", GIT + "/commits", "list commits")
def list_commits(call: Call) -> Any:
    """List a version's commits, newest first."""
    store = call.organisation.open_store(call.find_repository()["id"])
    start = _read_version(call, store, "searchCriteria.itemVersion.")
    skip, top = call.read_window()
    found = list(store.walk(start))[skip : skip + top]
    return write_list([link_commit(call, store.read_commit(commit)) for commit in found])


@route("GET", GIT + "/commits/{commit}", "get commit")
def show_commit(call: Call) -> Any:
    """Show a commit."""
    store = call.organisation.open_store(call.find_repository()["id"])
    return link_commit(call, store.read_commit(call.parts["commit"]))


@route("GET", GIT + "/commits/{commit}/changes", "get commit changes")
def show_commit_changes(call: Call) -> Any:
    """Show what a commit changed against its first parent."""
    store = call.organisation.open_store(call.find_repository()["id"])
    commit = store.read_commit(call.parts["commit"])
    parent = commit["parents"][0] if commit["parents"] else None
    return {"changes": store.list_changes(parent, commit["commitId"])}


def link_commit(call: Call, commit: dict[str, Any]) -> dict[str, Any]:
    """Give a commit its address."""
    base = f"{call.organisation.url}/_apis/git/repositories/{call.parts['repository']}"
    return commit | {"url": f"{base}/commits/{commit['commitId']}"}


@route("GET", GIT + "/diffs/commits", "get diffs")
def show_diffs(call: Call) -> Any:
    """Show the files that differ between two versions."""
    store = call.organisation.open_store(call.find_repository()["id"])
    query = call.query
    base = store.resolve(
        query.get("baseVersion", "main"), query.get("baseVersionType", "branch").lower()
    )
    target = store.resolve(
        query.get("targetVersion", "main"), query.get("targetVersionType", "branch").lower()
    )
    common = store.find_merge_base(base, target)
    against = common if query.get("diffCommonCommit", "").lower() == "true" and common else base
    changes = store.list_changes(against, target)
    skip, top = call.read_window()
    shown = changes[skip : skip + top]
    counts: dict[str, int] = {}
    for change in changes:
        kind = change["changeType"].split(",")[0].capitalize()
        counts[kind] = counts.get(kind, 0) + 1
    return {
        "allChangesIncluded": skip + len(shown) >= len(changes),
        "changeCounts": counts,
        "changes": shown,
        "commonCommit": common,
        "baseCommit": base,
        "targetCommit": target,
        "aheadCount": len(set(store.walk(target)) - set(store.walk(base))),
        "behindCount": len(set(store.walk(base)) - set(store.walk(target))),
    }


# Refs


@route("GET", GIT + "/refs", "list refs")
def list_refs(call: Call) -> Any:
    """List refs; `filter` is a prefix of what stands behind `refs/`."""
    repository = call.find_repository()
    store = call.organisation.open_store(repository["id"])
    prefix = f"refs/{call.query.get('filter', '')}"
    contains = call.query.get("filterContains", "")
    found = [
        {
            "name": name,
            "objectId": commit,
            "creator": write_identity(call.organisation, call.user["id"]),
            "url": f"{call.organisation.url}/_apis/git/repositories/{repository['id']}"
            f"/refs?filter={quote(name.removeprefix('refs/'), safe='')}",
        }
        for name, commit in store.list_refs(prefix).items()
        if contains in name
    ]
    return write_list(found)


@route("POST", GIT + "/refs", "update refs")
def update_refs(call: Call) -> Any:
    """Create, move and delete refs; each has an answer of its own in a 200."""
    repository = call.find_repository()
    if not isinstance(call.body, list):
        raise refuse_argument("A list of ref updates is expected.")
    answers, moved = [], []
    for update in call.body:
        name = str(update.get("name") or "")
        old, new = str(update.get("oldObjectId") or ""), str(update.get("newObjectId") or "")
        status = _update_ref(call, repository, name, old, new)
        if status == "succeeded":
            moved.append((name, old, new))
        answers.append(
            {
                "repositoryId": repository["id"],
                "name": name,
                "oldObjectId": old,
                "newObjectId": new,
                "isLocked": False,
                "updateStatus": status,
                "success": status == "succeeded",
            }
        )
    if moved:
        branches.note_push(call.organisation, repository, call.user, moved)
    return write_list(answers)


def _update_ref(  # noqa: PLR0911 - one way out for each refusal
    call: Call, repository: Document, name: str, old: str, new: str
) -> str:
    organisation = call.organisation
    store = organisation.open_store(repository["id"])
    current = store.find_ref(name)
    if not organisation.may(call.user, repository, CONTRIBUTE):
        return "writePermissionRequired"
    if current is None and not organisation.may(call.user, repository, CREATE_BRANCH):
        return "createBranchPermissionRequired"
    if (current or ZERO) != old:
        return "staleOldObjectId"
    if not name.startswith("refs/"):
        return "invalidRefName"
    if new == ZERO:
        store.delete_ref(name)
    elif not store.has_commit(new):
        return "unresolvableToCommit"
    elif current is None and store.find_conflict(name):
        return "refNameConflict"
    elif (
        current is not None
        and store.find_merge_base(current, new) != current
        and not organisation.may(call.user, repository, FORCE_PUSH)
    ):
        return "forcePushRequired"
    else:
        store.set_ref(name, new)
    return "succeeded"
