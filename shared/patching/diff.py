r"""Writes what a patch does as a unified diff in git's form, such as `git apply` accepts.

Contents are shown as UTF-8; a file in another encoding is shown as bytes that survive a round trip
through `surrogateescape`. Source: https://git-scm.com/docs/diff-format
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from shared.domain.change import ChangeKind, FileChange, PatchStatistics
from shared.patching.ops import Script, compare_lines, count_equal
from shared.patching.text import is_binary, split_lines_as_git

CONTEXT: Final = 3
_NO_NEWLINE: Final = "\n\\ No newline at end of file\n"


def describe_changes(
    changes: Sequence[FileChange], before: Mapping[str, bytes]
) -> tuple[str, PatchStatistics]:
    """Write the diff of every change by path, and count lines as `git diff --shortstat` does.

    Args:
        changes: what the patch does.
        before: contents of the changed files, by the path they had.
    """
    parts: list[str] = []
    added = deleted = 0
    for change in sorted(changes, key=lambda one: one.path):
        old = before.get(change.previous_path or change.path, b"")
        new = _content_after(change, old)
        is_text = old != new and not is_binary(old) and not is_binary(new)
        first, gone, come = _split_around(old, new) if is_text else (0, [], [])
        script = compare_lines(gone, come)
        added += sum(d - c for _, _, c, d in script)
        deleted += sum(b - a for a, b, _, _ in script)
        parts.extend(_write_header(change, differs=old != new, is_text=is_text))
        parts.extend(_write_hunks(gone, come, script, first))
    return "".join(parts), PatchStatistics(len(changes), added, deleted)


def _content_after(change: FileChange, old: bytes) -> bytes:
    if change.kind is ChangeKind.DELETE:
        return b""
    return old if change.content is None else change.content


def _write_header(change: FileChange, *, differs: bool, is_text: bool) -> Iterator[str]:
    was = _quote(f"a/{change.previous_path or change.path}")
    now = _quote(f"b/{change.path}")
    yield f"diff --git {was} {now}\n"
    match change.kind:
        case ChangeKind.ADD:
            yield "new file mode 100644\n"
            was = "/dev/null"
        case ChangeKind.DELETE:
            yield "deleted file mode 100644\n"
            now = "/dev/null"
        case ChangeKind.RENAME:
            yield f"rename from {_quote(change.previous_path or '')}\n"
            yield f"rename to {_quote(change.path)}\n"
        case ChangeKind.EDIT:
            pass
    if is_text:
        yield f"--- {was}{_tab(was)}\n+++ {now}{_tab(now)}\n"
    elif differs:
        yield f"Binary files {was} and {now} differ\n"


def _tab(name: str) -> str:
    """Git ends a name that holds a blank with a tab, so that its end can be told."""
    return "\t" if " " in name else ""


def _quote(name: str) -> str:
    """Quote a path as git does with `core.quotePath` off: only what would break a line."""
    if not any(char in name for char in '"\\\n\t\r'):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + '"'


def _split_around(old: bytes, new: bytes) -> tuple[int, list[str], list[str]]:
    """Split two texts into lines, but for what they begin and end with alike beyond the context.

    Returns:
        How many lines were left out above, and the lines of each text.
    """
    start = cut = count_equal(old, new)
    below = _count_equal_end(old, new, min(len(old), len(new)) - start)
    for _ in range(CONTEXT + 1):
        cut = max(0, old.rfind(b"\n", 0, cut))
    cut = cut + 1 if cut else 0
    end = len(old) - below
    for _ in range(CONTEXT + 2):
        end = old.find(b"\n", end) + 1 or len(old)
    left_out = len(old) - end
    return old.count(b"\n", 0, cut), _split(old[cut:end]), _split(new[cut : len(new) - left_out])


def _count_equal_end(old: bytes, new: bytes, most: int) -> int:
    """Count what two texts end in alike, up to so many bytes."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _split(content: bytes) -> list[str]:
    return split_lines_as_git(content.decode("utf-8", "surrogateescape"))


def _write_hunks(
    old: Sequence[str], new: Sequence[str], script: Script, first: int
) -> Iterator[str]:
    for group in _group(script):
        start, end = max(0, group[0][0] - CONTEXT), min(len(old), group[-1][1] + CONTEXT)
        new_start = group[0][2] - (group[0][0] - start)
        new_end = group[-1][3] + (end - group[-1][1])
        old_range, new_range = _range(first, start, end), _range(first, new_start, new_end)
        yield f"@@ -{old_range} +{new_range} @@\n"
        at = start
        for a, b, c, d in group:
            yield from (_mark(" ", line) for line in old[at:a])
            yield from (_mark("-", line) for line in old[a:b])
            yield from (_mark("+", line) for line in new[c:d])
            at = b
        yield from (_mark(" ", line) for line in old[at:end])


def _group(
    script: Sequence[tuple[int, int, int, int]],
) -> list[list[tuple[int, int, int, int]]]:
    groups: list[list[tuple[int, int, int, int]]] = []
    for change in script:
        if groups and change[0] - groups[-1][-1][1] <= 2 * CONTEXT:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _range(first: int, start: int, end: int) -> str:
    count = end - start
    line = first + start
    if count == 1:
        return str(line + 1)
    return f"{line + 1 if count else line},{count}"


def _mark(sign: str, line: str) -> str:
    return sign + line if line.endswith("\n") else sign + line + _NO_NEWLINE
