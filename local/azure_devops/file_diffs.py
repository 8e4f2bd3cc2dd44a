"""Which lines of files differ between two commits.

Bounds and shape are as clients of the call recorded them of live organisations: at most ten files,
blocks of unchanged lines among the others, no blocks for a binary file, no path for a deleted one.
Source: https://learn.microsoft.com/rest/api/azure/devops/git/file-diffs/list
"""

from typing import Any, Final

import pygit2

from local.azure_devops.errors import ServiceError, refuse_argument
from local.azure_devops.git_store import GitStore
from local.azure_devops.repositories import GIT
from local.azure_devops.routing import Call, route, write_list

MAX_FILES: Final = 10


@route("POST", GIT + "/filediffs", "get file diffs")
def list_file_diffs(call: Call) -> Any:
    """Show the blocks of lines in which files differ, in the order in which they were asked for."""
    store = call.organisation.open_store(call.find_repository()["id"])
    if "preview" not in call.api_version:
        raise ServiceError(
            400,
            "VssInvalidPreviewVersionException",
            f'The requested version "{call.api_version}" of the resource is under preview. The '
            "-preview flag must be supplied in the api-version for such requests.",
        )
    body = call.read_object()
    asked = body.get("fileDiffParams")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MAX_FILES:
        raise refuse_argument(f"Number of file diffs requested must be between 1 and {MAX_FILES}.")
    base = store.resolve(str(body.get("baseVersionCommit") or ""), "commit")
    target = store.resolve(str(body.get("targetVersionCommit") or ""), "commit")
    return write_list([_compare(store, base, target, one) for one in asked])


def _compare(store: GitStore, base: str, target: str, asked: Any) -> dict[str, Any]:
    if not isinstance(asked, dict) or not (asked.get("path") or asked.get("originalPath")):
        raise refuse_argument("A file diff needs a path or an original path.")
    path, original_path = asked.get("path"), asked.get("originalPath")
    old = store.read_file(base, original_path) if original_path else b""
    new = store.read_file(target, path) if path else b""
    shown: dict[str, Any] = {}
    if path:
        shown["path"] = path
    if original_path and original_path != path:
        shown["originalPath"] = original_path
    if b"\0" not in old + new:
        shown["lineDiffBlocks"] = list_blocks(old, new)
    return shown


def list_blocks(old: bytes, new: bytes) -> list[dict[str, Any]]:
    """List blocks that together cover both files."""
    blocks = []
    at_old = at_new = 1
    patch = pygit2.Patch.create_from(old, new, context_lines=0, interhunk_lines=0)
    for hunk in patch.hunks:
        # of a side that has no line in a hunk, git names the line before
        start_old = hunk.old_start + (hunk.old_lines == 0)
        start_new = hunk.new_start + (hunk.new_lines == 0)
        if start_old > at_old:
            same = start_old - at_old
            blocks.append(_write_block("none", at_old, same, at_new, same))
        both = bool(hunk.old_lines and hunk.new_lines)
        kind = "edit" if both else "add" if hunk.new_lines else "delete"
        blocks.append(_write_block(kind, start_old, hunk.old_lines, start_new, hunk.new_lines))
        at_old, at_new = start_old + hunk.old_lines, start_new + hunk.new_lines
    rest = len(old.removesuffix(b"\n").split(b"\n")) - at_old + 1 if old else 0
    if rest > 0:
        blocks.append(_write_block("none", at_old, rest, at_new, rest))
    return blocks


def _write_block(
    kind: str, original_start: int, original_count: int, modified_start: int, modified_count: int
) -> dict[str, Any]:
    return {
        "changeType": kind,
        "originalLineNumberStart": original_start,
        "originalLinesCount": original_count,
        "modifiedLineNumberStart": modified_start,
        "modifiedLinesCount": modified_count,
    }
