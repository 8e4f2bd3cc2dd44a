"""Takes a diff out of the Markdown that it is written in: fences, and indentation of all of it."""

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([\w+.-]*)[ \t]*$")
_INDENTED = re.compile(r"^([ \t]+)(?:diff --git |--- \S|@@ )")


def dedent(lines: list[str]) -> list[str]:
    """Cut off the indentation of a diff that stands indented as a whole, as `patch` does."""
    if any(line.startswith(("diff --git ", "--- ", "@@")) for line in lines):
        return lines
    first = next((match for line in lines if (match := _INDENTED.match(line))), None)
    if first is None:
        return lines
    return [line.removeprefix(first.group(1)) for line in lines]


def unfence(lines: list[str]) -> list[str]:
    """Take what stands inside Markdown fences, if any fence holds a diff.

    A fence below the first line of a diff is a line of the file that it changes.
    """
    marked = (at for at, line in enumerate(lines) if "```" in line or "~~~" in line)
    first = next((at for at in marked if _FENCE.match(lines[at])), None)
    if first is None or any(
        line.startswith(("@@", "diff --git ", "+++ ")) for line in lines[:first]
    ):
        return lines
    kept: list[str] = []
    fence = ""
    block: list[str] = []
    for line in lines:
        match = _FENCE.match(line)
        if not fence:
            if match:
                fence, block = match.group(1), []
            continue
        if match and match.group(1)[0] == fence[0] and not match.group(2):
            if any(part.startswith(("@@", "--- ", "+++ ", "diff --git ")) for part in block):
                kept.extend(block)
            fence = ""
            continue
        block.append(line)
    if fence and any(part.startswith(("@@", "--- ")) for part in block):
        kept.extend(block)
    return kept or lines
