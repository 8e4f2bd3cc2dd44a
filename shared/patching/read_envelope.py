"""Reads the `*** Begin Patch` envelope (V4A), and its hunks alone where no envelope is given.

Source: https://cookbook.openai.com/examples/gpt4-1_prompting_guide (Appendix: apply_patch)
"""

import re
from dataclasses import dataclass, field

from shared.patching.errors import PatchCode, PatchError
from shared.patching.ops import hunk_from_ops
from shared.patching.script import FileEdit, Hunk

_BEGIN = "*** Begin Patch"
_END = "*** End Patch"
_END_OF_FILE = "*** End of File"
_FILE = re.compile(r"^\*\*\* (Update|Add|Delete) File: ?(.*?)\s*$")
_MOVE = re.compile(r"^\*\*\* Move to: ?(.*?)\s*$")
_NUMBERS = re.compile(r"^-\d+(?:,\d+)? \+\d+(?:,\d+)? @@ ?(.*)$")


@dataclass
class _Section:
    """One hunk as it is being read."""

    anchors: list[str] = field(default_factory=list)
    ops: list[tuple[str, str]] = field(default_factory=list)
    at_end: bool = False
    unmarked: str = ""
    """A line that begins with no mark: context, or a new line."""

    def add(self, path: str, line: str) -> None:
        if line.startswith("*** "):
            raise _refuse(
                f"In the section of {path or 'the patch'}, this line has no meaning: {line!r}"
            )
        if line and line[0] not in " +-":
            self.unmarked = self.unmarked or line
            self.ops.append((" ", line + "\n"))
        else:
            self.ops.append((line[:1] or " ", line[1:] + "\n"))

    def finish(self) -> Hunk:
        if self.unmarked and all(op == " " for op, _ in self.ops):
            raise _refuse(
                "Each line of a hunk begins with a space, `+` or `-`; this one does not: "
                f"{self.unmarked!r}"
            )
        # new lines that nothing says a place for go to the end, as Codex has taught models
        is_floating = not self.anchors and all(op == "+" for op, _ in self.ops)
        return hunk_from_ops(
            self.ops,
            anchors=tuple(self.anchors),
            at_end=self.at_end or is_floating,
            must_fit=bool(self.unmarked),
        )


def _refuse(text: str) -> PatchError:
    return PatchError(PatchCode.UNREADABLE, "the patch envelope is malformed", report=text)


def _cut_envelope(lines: list[str]) -> list[str]:
    bare = [line.strip() for line in lines]
    if _BEGIN not in bare and _END not in bare:
        return lines
    # nothing is lost where the beginning is not announced: each section has its header
    start = bare.index(_BEGIN) if _BEGIN in bare else -1
    ends = [index for index, line in enumerate(bare) if line == _END and index > start]
    if not ends:
        raise _refuse(f"The patch has no `{_END}` line: it was cut off. Send it again, whole.")
    return [line for line in lines[start + 1 : ends[-1]] if line.strip() not in {_BEGIN, _END}]


def read_envelope(text: str) -> list[FileEdit]:
    """Read each file's section of a V4A patch.

    Raises:
        PatchError: `patch.unreadable`.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    lines = _cut_envelope(lines)
    if lines and not lines[-1]:
        lines.pop()
    edits: list[FileEdit] = []
    index = 0
    while index < len(lines):
        # blanks in front are let pass here; in a hunk they make a line of the file
        header = _FILE.match(lines[index].lstrip())
        if header is None:
            if not lines[index].strip() or lines[index].startswith("```"):
                index += 1
                continue
            if edits or any(_FILE.match(line) for line in lines):
                raise _refuse(
                    f"{lines[index]!r} is no header: expected `*** Update File: PATH`, "
                    "`*** Add File: PATH` or `*** Delete File: PATH`."
                )
            header = None
            body, index = lines[index:], len(lines)
            edits.append(_read_body("", body))
            continue
        kind, path = header.group(1), header.group(2)
        if not path:
            raise _refuse(f"`{lines[index]}` names no file.")
        index += 1
        start = index
        while index < len(lines) and not _FILE.match(lines[index]):
            index += 1
        edits.append(_read_section(kind, path, lines[start:index]))
    return edits


def _read_section(kind: str, path: str, body: list[str]) -> FileEdit:
    if kind == "Delete":
        if any(line.strip() for line in body):
            raise _refuse(f"`*** Delete File: {path}` takes no lines.")
        return FileEdit(path, delete=True)
    if kind == "Add":
        return FileEdit(path, content=_read_added(path, body), must_be_new=True)
    moved = _MOVE.match(body[0]) if body else None
    if moved:
        return _read_body(path, body[1:], moved.group(1))
    return _read_body(path, body)


def _read_added(path: str, body: list[str]) -> str:
    while body and not body[-1].strip():
        body = body[:-1]
    wrong = next((line for line in body if not line.startswith("+")), None)
    if wrong is not None:
        raise _refuse(
            f"Each line of `*** Add File: {path}` must begin with `+`; this one does not: {wrong!r}"
        )
    return "".join(line[1:] + "\n" for line in body)


def _read_body(path: str, body: list[str], new_path: str | None = None) -> FileEdit:
    hunks: list[Hunk] = []
    section = _Section()
    for line in body:
        if line.startswith("@@"):
            if section.ops:
                hunks.append(section.finish())
                section = _Section()
            anchor = _read_anchor(line)
            if anchor.strip():
                section.anchors.append(anchor)
        elif line.rstrip() == _END_OF_FILE:
            section.at_end = True
            if section.ops:
                hunks.append(section.finish())
            section = _Section()
        elif not line.startswith("```"):
            section.add(path, line)
    if section.ops:
        hunks.append(section.finish())
    if not hunks and new_path is None:
        raise _refuse(f"`*** Update File: {path}` has no hunk.")
    return FileEdit(path, tuple(hunks), ordered=True, new_path=new_path)


def _read_anchor(line: str) -> str:
    anchor = line[2:]
    anchor = anchor.removeprefix(" ")
    numbers = _NUMBERS.match(anchor)
    if numbers:
        return numbers.group(1)
    if anchor.rstrip().endswith("@@"):
        anchor = anchor.rstrip()[:-2].rstrip()
    return "" if anchor.strip() == "..." else anchor
