"""The command line of leftovers: `python -m ops leftovers list|remove`: what nobody wanted.

The app itself can neither abandon a pull request nor delete a branch; this is done as the operator,
who needs Contribute and Force push on the branches below `agents/`.

Exit codes: 0 done or planned, 1 Azure DevOps does not answer or does not do it (repeat it), 2 wrong
usage or settings, 3 refused and nothing changed.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ops.identity import choose_operator, explain
from ops.leftover_branches import (
    BRANCH_NOT_DELETED,
    HEADS,
    BranchLeftover,
    delete_branch,
    find_branches,
    read,
    remove_branch,
)
from ops.rotate_steps import RefusedError
from shared.ado.errors import AdoError, AdoNotFoundError
from shared.ado.identities import find_people
from shared.ado.session import AdoSession, build_path
from shared.domain.clock import read_utc_clock
from shared.domain.names import is_own_branch
from shared.settings import SettingsError, read_settings

_NOT_DELETED: Final = "abandoned, but its branch could not be deleted"
_PAGE: Final = 100
_STEP: Final = 90
"""Pages overlap: whoever closes a pull request meanwhile moves the others up."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """An old draft of the agent's."""

    repository_id: str
    repository: str
    pull_request: int
    branch: str
    age_days: int
    tip: str
    """What its branch holds; nothing else is deleted."""
    kept: str
    """Why it is not for us to remove; empty when all that is on it is the agent's."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at so far, in order."""

    drafts: list[Leftover] = field(default_factory=list)
    branches: list[BranchLeftover] = field(default_factory=list)

    def is_undone(self) -> bool:
        """Answer whether a branch is there that should not be."""
        return any(one.kept == _NOT_DELETED for one in self.drafts) or any(
            one.kept == BRANCH_NOT_DELETED for one in self.branches
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(title="actions", dest="action", required=True)
    helps = {
        "list": "list the agent's old drafts and branches, and on which somebody else has worked",
        "remove": "abandon the drafts that are the agent's alone, and delete its branches",
    }
    for name, help_line in helps.items():
        action = actions.add_parser(name, help=help_line, description=help_line)
        action.add_argument(
            "--project",
            required=True,
            action="append",
            metavar="NAME",
            help="name or id, several times for several",
        )
        action.add_argument(
            "--agent",
            required=True,
            metavar="NAME",
            help="unique name of the agent's account",
        )
        action.add_argument(
            "--older-days", type=int, default=30, metavar="N", help="age (%(default)s)"
        )
        action.add_argument("--json", action="store_true", help="print one object at the end")
        if name == "remove":
            action.add_argument("--dry-run", action="store_true", help="look, and change nothing")


def run(args: argparse.Namespace) -> int:
    """Run one action; answers the exit code."""
    done = Report()
    message, code = _run(args, done)
    if message:
        sys.stderr.write(f"{message}\n")
    if args.json:
        told = {"action": args.action, "message": message, **asdict(done)}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return code


def _run(args: argparse.Namespace, done: Report) -> tuple[str, int]:
    if args.older_days < 1:
        return "--older-days: at least 1 expected", 2
    try:
        settings = read_settings(os.environ)
        session = AdoSession(settings.organisation_url, choose_operator())
        try:
            agent_id = _find_agent(session, args.agent)
            # all of them, before anything is changed: one that is unknown refuses the whole
            listed = {name: _list_drafts(session, name, agent_id) for name in args.project}
            for project, drafts in listed.items():
                _act_on_drafts(session, project, drafts, agent_id, args, done)
            deadline = timedelta(seconds=settings.recovery.job_deadline_s)
            for project in listed:
                _act_on_branches(session, project, agent_id, deadline, args, done)
        finally:
            session.close()
    except SettingsError as error:
        return str(error), 2
    except RefusedError as error:
        return f"{error} Nothing was changed.", 3
    except AdoError as error:
        return f"{explain(error)} Repeat the command to go on.", 1
    if done.is_undone():
        return "Not every branch could be deleted.", 1
    return "", 0


def _act_on_drafts(
    session: AdoSession,
    project: str,
    drafts: list[dict[str, Any]],
    agent_id: str,
    args: argparse.Namespace,
    done: Report,
) -> None:
    for found in _find(session, project, drafts, agent_id, args.older_days):
        is_removed = _may_change(args) and not found.kept
        leftover = _remove(session, project, found) if is_removed else found
        done.drafts.append(leftover)
        _tell(leftover, f"!{leftover.pull_request} {leftover.branch}", args)


def _act_on_branches(
    session: AdoSession,
    project: str,
    agent_id: str,
    deadline: timedelta,
    args: argparse.Namespace,
    done: Report,
) -> None:
    """Look at the branches; no job that still runs has pushed to one before its deadline."""
    least_age = max(timedelta(days=args.older_days), deadline)
    told = {(one.repository_id, one.branch) for one in done.drafts}
    for found in find_branches(session, project, agent_id, least_age):
        if (found.repository_id, found.branch) in told:
            continue
        is_removed = _may_change(args) and not found.kept
        leftover = remove_branch(session, project, found) if is_removed else found
        done.branches.append(leftover)
        _tell(leftover, leftover.branch, args)


def _may_change(args: argparse.Namespace) -> bool:
    return args.action == "remove" and not args.dry_run


def _tell(leftover: Leftover | BranchLeftover, place: str, args: argparse.Namespace) -> None:
    would = "removable" if args.action == "list" else "would be removed"
    state = "removed" if _may_change(args) else would
    if leftover.kept:
        state = f"kept: {leftover.kept}"
    age = "age unknown" if leftover.age_days is None else f"{leftover.age_days} days"
    sys.stderr.write(f"{leftover.repository} {place} ({age}) {state}\n")
    sys.stderr.flush()


def _find_agent(session: AdoSession, name: str) -> str:
    found = find_people(session, name)
    if len(found) != 1:
        raise RefusedError(f"Azure DevOps knows {len(found)} accounts by the name of the agent.")
    return found[0].id


def _find(
    session: AdoSession, project: str, drafts: list[dict[str, Any]], agent_id: str, days: int
) -> Iterator[Leftover]:
    for plain in drafts:
        branch = str(plain["sourceRefName"]).removeprefix(HEADS)
        age = read_utc_clock() - datetime.fromisoformat(plain["creationDate"])
        if not plain.get("isDraft") or not is_own_branch(branch) or age < timedelta(days=days):
            continue
        repository_id = str(plain["repository"]["id"])
        base = build_path(project, "_apis", "git", "repositories", repository_id)
        tip, kept = _judge(session, base, int(plain["pullRequestId"]), branch, agent_id)
        yield Leftover(
            repository_id,
            str(plain["repository"]["name"]),
            int(plain["pullRequestId"]),
            branch,
            age.days,
            tip,
            kept,
        )


def _list_drafts(session: AdoSession, project: str, agent_id: str) -> list[dict[str, Any]]:
    path = build_path(project, "_apis", "git", "pullrequests")
    found: dict[int, dict[str, Any]] = {}
    skip = 0
    while True:
        query = {
            "searchCriteria.status": "active",
            "searchCriteria.creatorId": agent_id,
            "$skip": str(skip),
            "$top": str(_PAGE),
        }
        try:
            page = read(session, "list pull requests", path, query)["value"]
        except AdoNotFoundError:
            page = None
        if page is None:
            raise RefusedError(f"There is no project {project!r}, or you may not see it.")
        found |= {int(one["pullRequestId"]): one for one in page}
        if len(page) < _PAGE:
            return [found[number] for number in sorted(found)]
        skip += _STEP


def _judge(
    session: AdoSession, base: str, number: int, branch: str, agent_id: str
) -> tuple[str, str]:
    """Answer the tip of a branch, and why it is not the agent's alone.

    Every push to the branch of an open pull request is an iteration with its author. The agent
    pushes once: one iteration of its own, whose one commit stands on the target, is all its own.
    Source: https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-iterations/list
    """
    refs = read(session, "list refs", f"{base}/refs", {"filter": f"heads/{branch}"})["value"]
    tip = next((str(one["objectId"]) for one in refs if one["name"] == HEADS + branch), "")
    if not tip:
        return "", "its branch is gone"
    path = f"{base}/{build_path('pullRequests', number, 'iterations')}"
    iterations = read(session, "list iterations", path, {})["value"]
    if any(str(one["author"]["id"]).lower() != agent_id for one in iterations):
        return tip, "somebody else has pushed to it"
    if len(iterations) != 1 or iterations[0]["sourceRefCommit"]["commitId"] != tip:
        return tip, "it has been pushed to again"
    commit = read(session, "get commit", f"{base}/{build_path('commits', tip)}", {})
    if commit.get("parents") != [iterations[0]["commonRefCommit"]["commitId"]]:
        return tip, "it holds other commits"
    return tip, ""


def _remove(session: AdoSession, project: str, leftover: Leftover) -> Leftover:
    """Abandon a draft, and delete its branch if it still holds what was looked at."""
    base = build_path(project, "_apis", "git", "repositories", leftover.repository_id)
    path = f"{base}/{build_path('pullRequests', leftover.pull_request)}"
    session.call("update pull request", "PATCH", path, body={"status": "abandoned"})
    if delete_branch(session, base, leftover.branch, leftover.tip):
        return leftover
    return replace(leftover, kept=_NOT_DELETED)
