"""Reads what a pull request changes: which files, and which of their lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from shared.ado.pull_requests import NO_COMMIT, build_repository_path
from shared.ado.session import AdoSession
from shared.ado.wire import decode
from shared.ado.wire_diffs import WireChange, WireDiffs, WireFileDiffs, WireLineBlock
from shared.domain.pull_request import RepositoryRef

CHANGES_PER_PAGE: Final = 2000
MAX_CHANGED_PATHS: Final = 10_000
FILES_PER_CALL: Final = 10
"""What one call for lines may ask about: the service answers 400 to more. Not in the documents;
recorded of live organisations by clients of the call."""
FILE_DIFFS_VERSION: Final = "7.1-preview.1"
"""As Microsoft's own clients ask: the call is in preview, and some organisations refuse 7.1."""
MAX_LINE: Final = 10_000_000

LineRange = tuple[int, int]
"""First and last line, 1-based; the last is one less than the first where lines were only removed,
before the first."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that differs between two commits."""

    path: str
    """Without a leading slash; after a rename, where it is now."""
    original_path: str
    """Where it was; empty for one that is new, and where the service does not say."""
    change: str
    """As the service says it: `add`, `edit`, `delete`, `edit, rename`, …"""

    @property
    def is_edited(self) -> bool:
        """Answer whether some of its lines changed while others may have stayed."""
        return "edit" in _read_kinds(self.change) and bool(self.original_path)


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the common ancestor of two commits to the head."""

    common_commit: str
    """The ancestor; empty when it is not known."""
    head_commit: str
    files: tuple[ChangedFile, ...]


def fetch_changes(
    session: AdoSession, repository: RepositoryRef, *, base_commit: str, head_commit: str
) -> Changes:
    """List the files that differ from the common ancestor of two commits to the head.

    Without a base there is nothing to compare with, and the list is empty.
    Source: https://learn.microsoft.com/rest/api/azure/devops/git/diffs/get
    """
    if not base_commit or base_commit == NO_COMMIT:
        return Changes("", head_commit, ())
    common, found = "", list[WireChange]()
    path = build_repository_path(repository, "diffs", "commits")
    while len(found) < MAX_CHANGED_PATHS:
        query = {
            "baseVersion": base_commit,
            "baseVersionType": "commit",
            "targetVersion": head_commit,
            "targetVersionType": "commit",
            "diffCommonCommit": "true",
            "$top": str(CHANGES_PER_PAGE),
            "$skip": str(len(found)),
        }
        data = session.call("get diffs", "GET", path, query=query)
        page = decode("get diffs", data, WireDiffs)
        common = common or page.common_commit or ""
        found.extend(page.changes)
        if page.all_changes_included or not page.changes:
            break
    files = tuple(_read_change(change) for change in found if _is_file(change))
    return Changes(common, head_commit, files)


def _is_file(change: WireChange) -> bool:
    item = change.item
    return item.git_object_type == "blob" and not item.is_folder and bool(item.path.strip("/"))


def _read_change(change: WireChange) -> ChangedFile:
    path = change.item.path.lstrip("/")
    kinds = _read_kinds(change.change_type)
    original = (change.source_server_item or change.original_path or "").lstrip("/")
    if not original and not kinds & {"add", "rename"}:
        original = path
    return ChangedFile(path, original, change.change_type)


def _read_kinds(change: str) -> set[str]:
    return {kind.strip().lower() for kind in change.split(",")}


def fetch_changed_lines(
    session: AdoSession, repository: RepositoryRef, changes: Changes, paths: Iterable[str]
) -> dict[str, list[LineRange]]:
    """Find the lines, as the head numbers them, that edited files have changed; in one call.

    Files that are no edited ones are passed over: of what is new every line is. What does not fit
    into one call is left out, so the files that matter most come first.

    Raises:
        AdoError: as of any call; also when one of the files cannot be compared.
    Source: https://learn.microsoft.com/rest/api/azure/devops/git/file-diffs/list
    """
    edited = {file.path: file for file in changes.files if file.is_edited}
    chosen = list(islice((edited[path] for path in paths if path in edited), FILES_PER_CALL))
    if not chosen or not changes.common_commit:
        return {}
    body = {
        "baseVersionCommit": changes.common_commit,
        "targetVersionCommit": changes.head_commit,
        "fileDiffParams": [
            # without originalPath the service compares with nothing: every line is an added one
            {"path": f"/{file.path}", "originalPath": f"/{file.original_path}"}
            for file in chosen
        ],
    }
    data = session.call(
        "get file diffs",
        "POST",
        build_repository_path(repository, "filediffs"),
        body=body,
        api_version=FILE_DIFFS_VERSION,
    )
    answer = decode("get file diffs", data, WireFileDiffs)
    asked = {file.path for file in chosen}
    found: dict[str, list[LineRange]] = {}
    for diff in answer.value:
        path = (diff.path or "").lstrip("/")
        ranges = _read_blocks(diff.line_diff_blocks or ())
        if path in asked and ranges:
            found[path] = ranges
    return found


def _read_blocks(blocks: Iterable[WireLineBlock]) -> list[LineRange]:
    """Read the ranges of changed lines, in order, without overlaps."""
    joined: list[LineRange] = []
    for first, last in sorted(_read_block(block) for block in blocks if _is_change(block)):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _is_change(block: WireLineBlock) -> bool:
    """Answer whether a block is more than unchanged lines; the service shows those as well."""
    kind = block.change_type
    return kind not in (0, None) and str(kind).lower() != "none"


def _read_block(block: WireLineBlock) -> LineRange:
    first = min(max(block.modified_line_number_start, 1), MAX_LINE)
    return first, first + min(max(block.modified_lines_count, 0), MAX_LINE) - 1
