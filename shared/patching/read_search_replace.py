"""Reads SEARCH/REPLACE blocks in the dialects that models have learned.

    path/to/file.py
    <<<<<<< SEARCH          or   ------- SEARCH
    :start_line:12               optional, with an optional ------- below
    lines that are there
    =======
    lines to put in their place
    >>>>>>> REPLACE         or   +++++++ REPLACE

An empty SEARCH creates the file, or appends to it (in the dash dialect: replaces its content).

Source: https://aider.chat/docs/more/edit-formats.html
"""

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import unescape

from shared.patching.errors import PatchCode, PatchError
from shared.patching.paths import find_path_above
from shared.patching.script import FileEdit, Hunk

HEAD = r"^[ \t]*(?:<{3,12} ?(?:SEARCH|ORIGINAL)|-{5,12} SEARCH)>?[ \t\r]*$"
ESCAPED_HEAD = r"^[ \t]*(?:&lt;){3,12} ?(?:SEARCH|ORIGINAL)[ \t\r]*$"
"""A head in text that was escaped for HTML, all of it."""
_HEAD = re.compile(HEAD)
_ESCAPED_HEAD = re.compile(ESCAPED_HEAD, re.MULTILINE)
_DASH_HEAD = re.compile(r"^[ \t]*-{5,12} ")
_DIVIDER = re.compile(r"^[ \t]*={3,12}[ \t\r]*$")
_TAIL = re.compile(r"^[ \t]*(?:>{3,12}|\+{5,12}) ?(?:REPLACE|UPDATED)>?[ \t\r]*$")
_START_LINE = re.compile(r"^:start_line:\s*\[?(\d+)\]?\s*$")
_END_LINE = re.compile(r"^:end_line:\s*\[?(\d+)\]?\s*$")
_HINT = re.compile(r"^\s*:(?:start|end)_line:")
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |\r?$)")
_RULE = re.compile(r"^-{7}\s*$")
_ESCAPED = re.compile(r"^\\(?=<{5}|={5}|>{5}|-{5}|\+{5}|:start_line:|:end_line:)")
_NUMBERED = re.compile(r"^\s*(\d+)\s*\|[ ]?(.*)$")


@dataclass
class _Block:
    """One block as it is being read."""

    path: str
    number: int
    dashed: bool
    search: list[str] = field(default_factory=list)
    replace: list[str] = field(default_factory=list)
    line: int | None = None


def read_search_replace(text: str) -> list[FileEdit]:
    """Read each block; blocks of one file in a row become one file edit.

    Raises:
        PatchError: `patch.unreadable`.
    """
    if "&lt;" in text and _ESCAPED_HEAD.search(text):
        text = unescape(text, {"&quot;": '"', "&#39;": "'"})
    lines = text.split("\n")
    blocks: list[_Block] = []
    at = 0
    while at < len(lines):
        if not _HEAD.match(lines[at]):
            at += 1
            continue
        path = find_path_above(lines, at) or (blocks[-1].path if blocks else "")
        block = _Block(path, len(blocks) + 1, bool(_DASH_HEAD.match(lines[at])))
        at = _read_block(lines, at + 1, block)
        blocks.append(block)
    if not blocks:
        raise PatchError(
            PatchCode.UNREADABLE,
            "no SEARCH/REPLACE block was found",
            report="No block was found. A block begins with `<<<<<<< SEARCH`, has `=======` in its "
            "middle and ends with `>>>>>>> REPLACE`, each alone on its line.",
        )
    return _gather(blocks)


def _read_block(lines: list[str], at: int, block: _Block) -> int:
    """Read one block's lines and return where the next may begin."""
    if at > 1 and _DIVIDER.match(lines[at - 2]):
        raise _refuse(block, "has a `=======` line above it.")
    at = _read_hints(lines, at, block)
    end = at
    while end < len(lines) and not _is_mark(lines[end]):
        end += 1
    if end == len(lines) or not _TAIL.match(lines[end]):
        raise _refuse(block, "has no `>>>>>>> REPLACE` line: it was cut off, or not closed.")
    divider = _find_divider(lines, at, end, block)
    if any(line.startswith(("<", ">")) and _CONFLICT.match(line) for line in lines[at:end]):
        raise _refuse(
            block,
            "holds a conflict marker. Write a line of that kind that belongs to the file with a "
            r"backslash in front: `\<<<<<<<`, `\>>>>>>>`.",
        )
    if any("_line:" in line and _HINT.match(line) for line in lines[divider:end]):
        raise _refuse(
            block,
            "has `:start_line:` or `:end_line:` among the lines to write; it goes above the lines "
            r"to find. If it belongs to the file, write `\:start_line:`.",
        )
    block.search = list(map(_unescape, lines[at:divider]))
    block.replace = list(map(_unescape, lines[divider + 1 : end]))
    _strip_numbers(block)
    return end + 1


def _is_mark(line: str) -> bool:
    """Tell whether a line ends a block, or begins another one."""
    if not line.lstrip(" \t").startswith((">", "+", "<", "-")):
        return False
    is_head = len(line.strip()) > len("<<< SEARCH>") and _HEAD.match(line)
    return bool(is_head or _TAIL.match(line))


def _find_divider(lines: list[str], at: int, end: int, block: _Block) -> int:
    """Find the line between what to find and what to write; of several, the one of seven."""
    dividers = [i for i in range(at, end) if "===" in lines[i] and _DIVIDER.match(lines[i])]
    if len(dividers) > 1:
        dividers = [i for i in dividers if lines[i].rstrip() == "======="] or dividers
    if not dividers:
        raise _refuse(block, "has no `=======` line between what to find and what to write.")
    if len(dividers) > 1:
        raise _refuse(
            block,
            "has more than one `=======` line. Write a line of that kind that belongs to the file "
            r"as `\=======`.",
        )
    return dividers[0]


def _refuse(block: _Block, what: str) -> PatchError:
    where = f" ({block.path})" if block.path else ""
    return PatchError(
        PatchCode.UNREADABLE,
        f"SEARCH/REPLACE block {block.number}{where} is malformed",
        path=block.path or None,
        report=f"SEARCH/REPLACE block {block.number}{where} {what}",
    )


def _read_hints(lines: list[str], at: int, block: _Block) -> int:
    hinted = False
    while at < len(lines):
        line = lines[at]
        start = _START_LINE.match(line)
        if start:
            block.line = int(start.group(1)) or None
        elif not _END_LINE.match(line) and not (hinted and _RULE.match(line)):
            break
        hinted = True
        at += 1
        if _RULE.match(line):
            break
    if not hinted and at < len(lines) and _RULE.match(lines[at]) and not block.dashed:
        return at + 1
    return at


def _unescape(line: str) -> str:
    return _ESCAPED.sub("", line) if line.startswith("\\") else line


def _strip_numbers(block: _Block) -> None:
    """Cut `12 | ` off lines that were copied with their numbers, counting up without a gap."""
    if not block.search or not _NUMBERED.match(block.search[0]):
        return
    matches = [match for line in block.search if (match := _NUMBERED.match(line))]
    if len(matches) != len(block.search):
        return
    numbers = [int(match.group(1)) for match in matches]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return
    replaced = [_NUMBERED.match(line) for line in block.replace]
    block.search = [match.group(2) for match in matches]
    if None not in replaced:
        block.replace = [match.group(2) for match in replaced if match]
    block.line = block.line or numbers[0]


def _gather(blocks: list[_Block]) -> list[FileEdit]:
    edits: list[FileEdit] = []
    for block in blocks:
        if not any(line.strip() for line in block.search) and len(block.search) <= 1:
            edits.append(_read_empty_search(block))
            continue
        hunk = Hunk(
            tuple(line + "\n" for line in block.search),
            tuple(line + "\n" for line in block.replace),
            line=block.line,
            line_is_sure=block.line is not None,
            inline=("\n".join(block.search), "\n".join(block.replace)),
        )
        if edits and edits[-1].path == block.path and edits[-1].content is None:
            edits[-1] = FileEdit(block.path, (*edits[-1].hunks, hunk))
        else:
            edits.append(FileEdit(block.path, (hunk,)))
    return edits


def _read_empty_search(block: _Block) -> FileEdit:
    content = "".join(line + "\n" for line in block.replace)
    if block.line is not None and content:
        hunk = Hunk(
            (), tuple(line + "\n" for line in block.replace), line=block.line, line_is_sure=True
        )
        return FileEdit(block.path, (hunk,))
    return FileEdit(block.path, content=content, may_append=not block.dashed)
