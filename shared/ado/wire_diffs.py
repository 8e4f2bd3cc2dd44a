"""What differs between commits, as Azure DevOps writes it; read as everything in `wire`.

Source: https://learn.microsoft.com/rest/api/azure/devops/git (7.1: diffs, file-diffs)
"""

import msgspec


class WireChangedItem(msgspec.Struct, rename="camel"):
    """GitItem inside a change."""

    path: str = ""
    git_object_type: str = "blob"
    is_folder: bool = False


class WireChange(msgspec.Struct, rename="camel"):
    """GitChange."""

    item: WireChangedItem
    change_type: str = ""
    source_server_item: str | None = None
    original_path: str | None = None


class WireDiffs(msgspec.Struct, rename="camel"):
    """GitCommitDiffs."""

    changes: list[WireChange] = []
    all_changes_included: bool = True
    common_commit: str | None = None


class WireLineBlock(msgspec.Struct, rename="camel"):
    """LineDiffBlock, as far as it speaks of the changed file."""

    change_type: str | int | None = None
    """none, add, delete, edit; or 0 to 3."""
    modified_line_number_start: int = 0
    modified_lines_count: int = 0


class WireFileDiff(msgspec.Struct, rename="camel"):
    """FileDiff. A deleted file has no path, a binary one no blocks."""

    path: str | None = None
    line_diff_blocks: list[WireLineBlock] | None = None


class WireFileDiffs(msgspec.Struct):
    """A list of what differs in files."""

    value: list[WireFileDiff]
