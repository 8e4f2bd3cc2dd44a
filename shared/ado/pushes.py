"""Pushes a branch with one commit on it, in one call, and finds it again.

Contents always travel as base64: `rawtext` would not bring CRLF, byte order marks and other
encodings unharmed through JSON. Source: https://learn.microsoft.com/rest/api/azure/devops/git/pushes
"""

import base64
from collections.abc import Sequence
from typing import Any

from shared.ado.errors import AdoError
from shared.ado.pull_requests import NO_COMMIT, build_repository_path
from shared.ado.session import AdoSession, build_path
from shared.ado.wire import WireCommitRef, WirePush, WireRefs, decode
from shared.domain.change import ChangeKind, FileChange
from shared.domain.errors import PolicyError
from shared.domain.names import is_own_branch
from shared.domain.pull_request import RepositoryRef


def push_branch(
    session: AdoSession,
    repository: RepositoryRef,
    *,
    branch: str,
    base_commit: str,
    changes: Sequence[FileChange],
    message: str,
) -> str:
    """Create a branch with one commit on top of `base_commit`; answers the commit's id.

    Safe to repeat: the push creates only (`oldObjectId` of zeros), and where the branch exists
    already, it is ours if its tip has our base and our message.

    Raises:
        AdoError: `ado.branch_exists`, when a branch of this name holds something else.
        PolicyError: `branch.not_ours`, for a branch outside of our folder.
    """
    if not is_own_branch(branch):
        raise PolicyError("branch.not_ours", "The agent pushes to branches of its own only.")
    body = {
        "refUpdates": [{"name": f"refs/heads/{branch}", "oldObjectId": NO_COMMIT}],
        "commits": [
            {
                "comment": message,
                "parents": [base_commit],
                "changes": [entry for change in changes for entry in _write_change(change)],
            }
        ],
    }
    try:
        data = session.call(
            "create push", "POST", build_repository_path(repository, "pushes"), body=body
        )
    except AdoError as error:
        if error.code != "ado.stale_ref":
            raise
        found = find_pushed_branch(
            session, repository, branch=branch, base_commit=base_commit, message=message
        )
        if found is None:
            raise
        return found
    commits = decode("create push", data, WirePush).commits
    if not commits:
        raise AdoError("ado.unexpected_answer", operation="create push")
    return commits[0].commit_id


def find_pushed_branch(
    session: AdoSession,
    repository: RepositoryRef,
    *,
    branch: str,
    base_commit: str,
    message: str,
) -> str | None:
    """Find the tip of a branch that an earlier attempt pushed; None when there is no such branch.

    Raises:
        AdoError: `ado.branch_exists`, when the branch holds something else.
    """
    path = build_repository_path(repository, "refs")
    data = session.call("list refs", "GET", path, query={"filter": f"heads/{branch}"})
    # the filter is a prefix: v1 would find v10 too
    tip = next(
        (
            ref.object_id
            for ref in decode("list refs", data, WireRefs).value
            if ref.name == f"refs/heads/{branch}"
        ),
        None,
    )
    if tip is None:
        return None
    path = f"{build_repository_path(repository, 'commits')}/{build_path(tip)}"
    commit = decode("get commit", session.call("get commit", "GET", path), WireCommitRef)
    if commit.parents != [base_commit] or commit.comment.strip() != message.strip():
        raise AdoError("ado.branch_exists", operation="find branch")
    return tip


def _write_change(change: FileChange) -> list[dict[str, Any]]:
    item = {"path": f"/{change.path}"}
    match change.kind:
        case ChangeKind.DELETE:
            return [{"changeType": "delete", "item": item}]
        case ChangeKind.RENAME:
            source = f"/{change.previous_path}"
            moved = {"changeType": "rename", "sourceServerItem": source, "item": item}
            if change.content is None:
                return [moved]
            return [moved, {"changeType": "edit", "item": item, **_write_content(change)}]
        case ChangeKind.ADD | ChangeKind.EDIT:
            return [{"changeType": str(change.kind), "item": item, **_write_content(change)}]


def _write_content(change: FileChange) -> dict[str, Any]:
    content = base64.b64encode(change.content or b"").decode()
    return {"newContent": {"content": content, "contentType": "base64encoded"}}
