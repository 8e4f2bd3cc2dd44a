"""Reads whole files: each a path, then its content in a Markdown fence; or one content without."""

import re

from shared.patching.errors import PatchCode, PatchError
from shared.patching.paths import find_path_above
from shared.patching.script import FileEdit

_OPEN = re.compile(r"^(`{3,}|~{3,})[ \t]*([^`\r]*?)[ \t\r]*$")


def read_whole(text: str) -> list[FileEdit]:
    """Read each fenced file.

    Raises:
        PatchError: `patch.unreadable` for a fence that is not closed, or content without a path.
    """
    lines = text.split("\n")
    edits: list[FileEdit] = []
    at = 0
    while at < len(lines):
        opening = _OPEN.match(lines[at])
        if opening is None:
            at += 1
            continue
        path = find_path_above([*lines[:at], lines[at]], at + 1)
        if not path:
            path = find_path_above(lines, at)
        end = _find_close(lines, at, opening.group(1))
        if end is None:
            raise PatchError(
                PatchCode.UNREADABLE,
                f"the content of {path or 'a file'} is cut off",
                path=path or None,
                report=f"The fence of {path or 'a file'} is not closed: send the whole file again.",
            )
        content = "".join(line + "\n" for line in lines[at + 1 : end])
        edits.append(FileEdit(path, content=content, fenced=True))
        at = end + 1
    return edits or [FileEdit("", content=text)]


def _find_close(lines: list[str], at: int, fence: str) -> int | None:
    """Find the closing fence; fences inside that say a language are closed by the next bare one."""
    depth = 0
    for index in range(at + 1, len(lines)):
        match = _OPEN.match(lines[index])
        if match is None or match.group(1)[0] != fence[0] or len(match.group(1)) < len(fence):
            continue
        if match.group(2):
            depth += 1
        elif depth:
            depth -= 1
        else:
            return index
    return None
