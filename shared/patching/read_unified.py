"""Reads unified diffs: git's, plain ones, and those that models write.

Line numbers and counts may be wrong or missing, headers may be missing, Markdown may be around it.

Source: https://git-scm.com/docs/diff-format (the extended headers)
"""

import re
from dataclasses import dataclass, field

from shared.patching.diff_names import read_header_name, split_git_names, unquote
from shared.patching.errors import PatchCode, PatchError
from shared.patching.ops import hunk_from_ops
from shared.patching.script import FileEdit, Hunk
from shared.patching.unfence import dedent, unfence

_HUNK = re.compile(r"^@@+ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@+[ ]?(.*)$")
_LOOSE_HUNK = re.compile(r"^@@(?:[ \t].*)?$")
_EXTENDED = re.compile(
    r"^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|"
    r"similarity index|dissimilarity index|index) ?(.*)$"
)
_GIT_HEADER = re.compile(r"^diff --git (.*)$")
_EPOCH = re.compile(r"\t(?:1969-12-31|1970-01-01) \d\d:\d\d:\d\d")
"""The date that a diff of folders gives a file that is not there."""
_MISSING = "/dev/null"
_SYMLINK_MODE = "120000"
_SUBMODULE_MODE = "160000"
_PREFIXES = {("a/", "b/"), ("i/", "w/"), ("c/", "i/"), ("c/", "w/"), ("o/", "w/")}


@dataclass
class _File:
    """One file's part of a diff, as it is being read."""

    old: str | None = None
    new: str | None = None
    git_paths: tuple[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hunks: list[Hunk] = field(default_factory=list)
    binary: bool = False
    is_gone: bool = False
    """Whether the date behind `+++` says that there is no new file."""


def _refuse(report: str) -> PatchError:
    return PatchError(PatchCode.UNREADABLE, "the unified diff is malformed", report=report)


def read_unified(text: str) -> list[FileEdit]:
    """Read each file's part of a unified diff.

    Raises:
        PatchError: `patch.unreadable`, `patch.binary`, `patch.path_refused`.
    """
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    files = _Reader(unfence(dedent(lines))).read()
    return [edit for file in files for edit in _finish(file)]


class _Reader:
    """Walks the lines of a diff once."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0
        self.files: list[_File] = []

    def read(self) -> list[_File]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not (self._read_header(line) or self._read_hunk(line)):
                self.at += 1
        return self.files

    def _current(self) -> _File:
        if not self.files:
            self.files.append(_File())
        return self.files[-1]

    def _is_file_header(self, at: int) -> bool:
        """Tell `--- x` + `+++ y` from a dropped line that begins with two dashes."""
        return (
            at + 1 < len(self.lines)
            and self.lines[at].startswith("--- ")
            and self.lines[at + 1].startswith("+++ ")
        )

    def _read_header(self, line: str) -> bool:
        git = _GIT_HEADER.match(line.removesuffix("\r"))
        if git:
            self.files.append(_File(git_paths=split_git_names(git.group(1))))
            self.at += 1
            return True
        if self._is_file_header(self.at):
            if not self.files or self.files[-1].old is not None or self.files[-1].hunks:
                self.files.append(_File())
            file = self.files[-1]
            file.old = read_header_name(line[4:])
            file.new = read_header_name(self.lines[self.at + 1][4:])
            file.is_gone = bool(_EPOCH.search(self.lines[self.at + 1]))
            self.at += 2
            self._read_headless()
            return True
        extended = _EXTENDED.match(line.removesuffix("\r"))
        if extended and self.files and not self.files[-1].hunks:
            self.files[-1].headers[extended.group(1)] = extended.group(2)
            self.at += 1
            return True
        if line.startswith(("GIT binary patch", "Binary files ")) and self.files:
            self.files[-1].binary = True
            self.at += 1
            return True
        return False

    def _read_headless(self) -> None:
        """Read lines behind `+++` that have no `@@` above them."""
        is_marked = self.at < len(self.lines) and self.lines[self.at][:1] in {"-", "+", " "}
        if is_marked and not self._is_file_header(self.at):
            self._read_lines(None, None, None, "")

    def _read_hunk(self, line: str) -> bool:
        numbers = _HUNK.match(line.removesuffix("\r"))
        if numbers:
            self._current()
            start, old, _, new, section = numbers.groups()
            self.at += 1
            self._read_lines(
                int(start), int(old) if old else 1, int(new) if new else 1, section.strip()
            )
            return True
        if _LOOSE_HUNK.match(line.removesuffix("\r")):
            self._current()
            self.at += 1
            self._read_lines(None, None, None, line.strip("@ \t\r").removeprefix("..."))
            return True
        if not self.files and line[:1] in {"-", "+"} and not self._has_marks():
            self._current()
            self._read_lines(None, None, None, "")
            return True
        return False

    def _has_marks(self) -> bool:
        return any(
            line.startswith(("@@", "diff --git ")) or self._is_file_header(index)
            for index, line in enumerate(self.lines)
        )

    def _read_lines(
        self, start: int | None, old: int | None, new: int | None, section: str
    ) -> None:
        end = self._counted_end(old, new) if old is not None and new is not None else None
        if end is None:
            end = self._guessed_end()
        ops = _to_ops(self.lines[self.at : end])
        self.at = end
        if ops:
            self._current().hunks.append(
                hunk_from_ops(ops, line=start, section=section, says_final_newline=True)
            )

    def _counted_end(self, old: int, new: int) -> int | None:
        """Find the end of a hunk by its counts; None where they do not fit its lines."""
        at = self.at
        while (old > 0 or new > 0) and at < len(self.lines):
            mark = self.lines[at][:1]
            if mark in {" ", "", "\r"}:
                old, new = old - 1, new - 1
            elif mark == "-":
                old -= 1
            elif mark == "+":
                new -= 1
            elif mark != "\\":
                return None
            at += 1
        if old or new:
            return None
        while at < len(self.lines) and self.lines[at].startswith("\\"):
            at += 1
        if at == len(self.lines) or self._ends_hunk(at):
            return at
        following = self.lines[at]
        return at if not following.strip() or following.rstrip() == "--" else None

    def _ends_hunk(self, at: int) -> bool:
        line = self.lines[at]
        return line.startswith(("@@", "--- ", "diff --git ", "Index: ", "=====")) and bool(
            line.startswith(("diff --git ", "Index: ", "====="))
            or _HUNK.match(line.removesuffix("\r"))
            or _LOOSE_HUNK.match(line.removesuffix("\r"))
            or self._is_file_header(at)
        )

    def _guessed_end(self) -> int:
        """Take lines until the next header; prose behind the last change is left out."""
        at = self.at
        while at < len(self.lines) and not self._ends_hunk(at):
            at += 1
        while at > self.at and not self.lines[at - 1].startswith((" ", "+", "-", "\\", "\t")):
            at -= 1
        return at


def _to_ops(lines: list[str]) -> list[tuple[str, str]]:
    ops: list[tuple[str, str]] = []
    for line in lines:
        mark = line[:1]
        if mark == "\\":
            if ops:
                op, text = ops[-1]
                ops[-1] = (op, text.removesuffix("\n").removesuffix("\r"))
        elif mark in {" ", "+", "-"}:
            ops.append((mark, line[1:] + "\n"))
        else:
            # a context line whose mark was forgotten, or whose single blank was trimmed
            ops.append((" ", line + "\n"))
    return ops


def _strip_prefixes(file: _File) -> tuple[str | None, str | None]:
    old, new = file.old, file.new
    if old is None and new is None and file.git_paths:
        old, new = file.git_paths
    old_prefix, new_prefix = (old or "")[:2], (new or "")[:2]
    if _MISSING in {old, new}:
        known = {prefix for pair in _PREFIXES for prefix in pair}
        if old and old != _MISSING and old_prefix in known:
            old = old[2:]
        if new and new != _MISSING and new_prefix in known:
            new = new[2:]
    elif (old_prefix, new_prefix) in _PREFIXES and old and new:
        old, new = old[2:], new[2:]
    return old, new


def _finish(file: _File) -> list[FileEdit]:
    old, new = _strip_prefixes(file)
    modes = {file.headers.get(key, "").strip() for key in ("new file mode", "new mode")}
    name = (new if new not in {None, _MISSING} else old) or ""
    if file.binary:
        raise PatchError(PatchCode.BINARY, f"the diff of {name} is binary", path=name)
    if modes & {_SYMLINK_MODE, _SUBMODULE_MODE}:
        raise PatchError(
            PatchCode.PATH_REFUSED, f"{name} would become a symbolic link or submodule", path=name
        )
    hunks = tuple(file.hunks)
    for key in ("rename", "copy"):
        if f"{key} to" in file.headers and f"{key} from" in file.headers:
            return [
                FileEdit(
                    unquote(file.headers[f"{key} from"]),
                    hunks,
                    ordered=True,
                    new_path=unquote(file.headers[f"{key} to"]),
                    copy=key == "copy",
                )
            ]
    has_old = any(hunk.old for hunk in hunks)
    if "new file mode" in file.headers and has_old:
        raise _refuse(f"The diff creates {name}, and yet has lines that were there before.")
    if "new file mode" in file.headers or (old == _MISSING and not has_old):
        content = "".join(line for hunk in hunks for line in hunk.new)
        return [FileEdit(name, content=content, must_be_new=True)]
    is_gone = file.is_gone and bool(hunks) and not any(hunk.new for hunk in hunks)
    if new == _MISSING or "deleted file mode" in file.headers or is_gone:
        expected = tuple(line for hunk in hunks for line in hunk.old)
        return [FileEdit(old or name, delete=True, expected=expected or None)]
    if not hunks:
        return []
    return [FileEdit(name, hunks, ordered=True, other_paths=_other_names(file, name, old))]


def _other_names(file: _File, name: str, old: str | None) -> tuple[str, ...]:
    """List what else a plain diff calls its file: also without its first folder, as `patch -p1`."""
    named = [file.old, file.new] if file.git_paths is None else []
    safe = [other for other in named if other and not other.startswith(("/", "."))]
    names = [old, *(other.partition("/")[2] for other in safe)]
    return tuple(dict.fromkeys(other for other in names if other and other != name))
