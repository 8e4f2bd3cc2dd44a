r"""Writes what a patch does as a unified diff in git's form, such as `git apply` accepts.

Contents are shown as UTF-8; a file in another encoding is shown as bytes that survive a round trip
through `surrogateescape`. Source: https://git-scm.com/docs/diff-format
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from shared.domain.change import ChangeKind, FileChange, PatchStatistics
from shared.patching.ops import Script, compare_lines
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
        lines = (_split(old), _split(new)) if is_text else ([], [])
        script = compare_lines(*lines)
        added += sum(d - c for _, _, c, d in script)
        deleted += sum(b - a for a, b, _, _ in script)
        parts.extend(_write_header(change, differs=old != new, is_text=is_text))
        parts.extend(_write_hunks(*lines, script))
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


def _split(content: bytes) -> list[str]:
    return split_lines_as_git(content.decode("utf-8", "surrogateescape"))


def _write_hunks(old: Sequence[str], new: Sequence[str], script: Script) -> Iterator[str]:
    for group in _group(script):
        start, end = max(0, group[0][0] - CONTEXT), min(len(old), group[-1][1] + CONTEXT)
        new_start = group[0][2] - (group[0][0] - start)
        new_end = group[-1][3] + (end - group[-1][1])
        yield f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@\n"
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


def _range(start: int, end: int) -> str:
    count = end - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"


def _mark(sign: str, line: str) -> str:
    return sign + line if line.endswith("\n") else sign + line + _NO_NEWLINE
