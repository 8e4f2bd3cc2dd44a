"""Branches of the agent's that no open pull request needs, and whose they are.

A draft may never have been opened, or has been closed while its branch stayed. Who has pushed is
known to the service, whatever the commits say of their authors.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from shared.ado.errors import AdoNotFoundError
from shared.ado.pull_requests import NO_COMMIT
from shared.ado.session import AdoSession, build_path
from shared.domain.clock import read_utc_clock
from shared.domain.names import BRANCH_PREFIX, STATUS_GENRE, STATUS_NAME, VARIANT_BRANCH

HEADS: Final = "refs/heads/"
BRANCH_NOT_DELETED: Final = "it has moved meanwhile, or may not be deleted"
_MOST_PUSHES: Final = 100
"""The agent pushes a branch once; one with more pushes than this is not its alone."""


@dataclass(frozen=True, slots=True)
class BranchLeftover:
    """An old branch of the agent's that is the source of no open pull request."""

    repository_id: str
    repository: str
    branch: str
    age_days: int | None
    """Since the last push to it; none where no push is known."""
    tip: str
    """What it holds; nothing else is deleted."""
    kept: str
    """Why it is not for us to remove; empty when all that is on it is the agent's."""


@dataclass(frozen=True, slots=True)
class _Push:
    """One push to a branch. `old` and `new` are commits, `NO_COMMIT` for none."""

    number: int
    by: str
    at: datetime
    old: str
    new: str


def find_branches(
    session: AdoSession, project: str, agent_id: str, least_age: timedelta
) -> Iterator[BranchLeftover]:
    """Find the branches of a project that have the agent's form, are old, and wanted by nobody.

    Raises:
        AdoError: the service does not answer, or refuses.
    """
    path = build_path(project, "_apis", "git", "repositories")
    for repository in read(session, "list repositories", path, {})["value"]:
        if repository.get("isDisabled"):
            continue
        base = f"{path}/{build_path(str(repository['id']))}"
        refs = read(session, "list refs", f"{base}/refs", {"filter": f"heads/{BRANCH_PREFIX}"})
        for ref in refs["value"]:
            branch, tip = str(ref["name"]).removeprefix(HEADS), str(ref["objectId"])
            form = VARIANT_BRANCH.fullmatch(branch)
            if form is None:
                continue
            pushes = _list_pushes(session, base, branch)
            age = read_utc_clock() - pushes[0].at if pushes else None
            is_young = age is not None and age < least_age
            if is_young or _has_pull_request(session, base, "source", branch):
                continue
            kept = _judge_pushes(pushes, tip, agent_id)
            if not kept and _has_pull_request(session, base, "target", branch):
                kept = "an open pull request leads to it"
            if not kept and _is_at_work(session, base, int(form["pull_request"])):
                kept = "a job is at work on its pull request"
            yield BranchLeftover(
                str(repository["id"]),
                str(repository["name"]),
                branch,
                None if age is None else age.days,
                tip,
                kept,
            )


def remove_branch(session: AdoSession, project: str, leftover: BranchLeftover) -> BranchLeftover:
    """Delete a branch if it still holds what was looked at; answers what became of it."""
    base = build_path(project, "_apis", "git", "repositories", leftover.repository_id)
    if delete_branch(session, base, leftover.branch, leftover.tip):
        return leftover
    return replace(leftover, kept=BRANCH_NOT_DELETED)


def delete_branch(session: AdoSession, base: str, branch: str, tip: str) -> bool:
    """Delete a branch of the repository at a path, at the commit that it is known to hold."""
    change = {"name": HEADS + branch, "oldObjectId": tip, "newObjectId": NO_COMMIT}
    answer = json.loads(session.call("update refs", "POST", f"{base}/refs", body=[change]))
    return all(one.get("success") for one in answer["value"])


def read(session: AdoSession, operation: str, path: str, query: dict[str, str]) -> Any:
    """Ask for something; answers the JSON."""
    return json.loads(session.call(operation, "GET", path, query=query))


def _list_pushes(session: AdoSession, base: str, branch: str) -> list[_Push]:
    """List the latest pushes to a branch, newest first.

    Source: https://learn.microsoft.com/rest/api/azure/devops/git/pushes/list
    """
    query = {
        "searchCriteria.refName": HEADS + branch,
        "searchCriteria.includeRefUpdates": "true",
        "$top": str(_MOST_PUSHES),
    }
    pushes = [
        _Push(
            int(push["pushId"]),
            str(push["pushedBy"]["id"]).lower(),
            datetime.fromisoformat(push["date"]),
            str(update["oldObjectId"]),
            str(update["newObjectId"]),
        )
        for push in read(session, "list pushes", f"{base}/pushes", query)["value"]
        for update in push["refUpdates"]
        if update["name"] == HEADS + branch
    ]
    return sorted(pushes, key=lambda push: push.number, reverse=True)


def _judge_pushes(pushes: list[_Push], tip: str, agent_id: str) -> str:
    """Say why a branch is not the agent's alone.

    The pushes have to lead from its tip back to its creation without a gap; what is before was
    another branch of that name.
    """
    at = tip
    for push in pushes:
        if push.new != at:
            break
        if push.by != agent_id:
            return "somebody else has pushed to it"
        at = push.old
        if at == NO_COMMIT:
            return ""
    return "not every push to it is known"


def _has_pull_request(
    session: AdoSession, base: str, side: Literal["source", "target"], branch: str
) -> bool:
    query = {
        "searchCriteria.status": "active",
        f"searchCriteria.{side}RefName": HEADS + branch,
        "$top": "1",
    }
    return bool(read(session, "list pull requests", f"{base}/pullrequests", query)["value"])


def _is_at_work(session: AdoSession, base: str, pull_request: int) -> bool:
    """Answer whether the agent's latest status of a pull request says that a job has not ended."""
    path = f"{base}/{build_path('pullRequests', pull_request, 'statuses')}"
    try:
        statuses = read(session, "list statuses", path, {})["value"]
    except AdoNotFoundError:
        return False
    own = [
        one
        for one in statuses
        if (one["context"].get("genre"), one["context"]["name"]) == (STATUS_GENRE, STATUS_NAME)
    ]
    latest = max(own, key=lambda one: int(one["id"]), default=None)
    return latest is not None and latest["state"] == "pending"
