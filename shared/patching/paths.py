"""Paths as models write them: found above a block, cleaned of Markdown, judged for safety."""

import re
from collections.abc import Sequence

_FENCE = re.compile(
    r"^\s*(?:`{3,}|~{3,}|<(?:source|code|pre|codeblock|sourcecode)>)[ \t]*(.*?)[ \t]*$"
)
"""Of Markdown, or a tag that Aider uses where the text holds fences itself."""
_BULLET = re.compile(r"^(?:[-*+]|\d+[.)])[ \t]+")
_TICKED = re.compile(r"`([^`\s]+)`")
_TAGGED = re.compile(r"<(?:path|file|filename|file_path)>\s*(.*?)\s*</")
_LABEL = re.compile(r"^(?:file(?:name|path)?|path)\s*:\s*", re.IGNORECASE)
_SPACED_NAME = re.compile(r"^[^\s<>|*?\"]+(?: [^\s<>|*?\"]+){0,4}\.\w{1,8}$")
MAX_LINES_ABOVE = 3


def clean_path(line: str) -> str:
    """Cut a path out of the line that announces it; empty where the line announces none."""
    tagged = _TAGGED.search(line)
    if tagged:
        return tagged.group(1)
    name = line.strip().lstrip("#").strip().rstrip(":").strip()
    if _BULLET.match(name):
        name = _BULLET.sub("", name)
        if not re.search(r"[./]", name):
            return ""  # an item of a list of other things
    name = name.strip("*").strip().rstrip(":")
    ticked = _TICKED.findall(name)
    if len(ticked) == 1 and _looks_like_a_path(ticked[0]):
        return str(ticked[0])
    name = _LABEL.sub("", name.strip("`").strip())
    if len(name) > 2 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1]
    if not name or name in {"...", "…"} or name.startswith(("<", "```")):
        return ""
    if " " in name or "\t" in name:
        return name if _SPACED_NAME.match(name) and ("/" in name or name.count(" ") < 2) else ""
    return name if _looks_like_a_path(name) else ""


def _looks_like_a_path(name: str) -> bool:
    return bool(re.search(r"[\w\])]", name)) and not name.endswith((",", ";", "(", "://"))


def find_path_above(lines: Sequence[str], at: int) -> str:
    """Find the path that is announced in the lines just above a block, nearest first."""
    looked = 0
    while at > 0 and looked < MAX_LINES_ABOVE:
        at -= 1
        line = lines[at]
        fence = _FENCE.match(line)
        if fence:
            info = fence.group(1)
            for word in reversed(re.split(r"[\s:=]+", info)):
                word = word.strip("\"'{}")  # noqa: PLW2901 (the cleaned word takes its place)
                if "/" in word or ("." in word and not word.startswith(".")):
                    return word
            looked += 1
            continue
        if not line.strip():
            continue
        return clean_path(line)
    return ""


def plain_path(path: str) -> str:
    """Write a path as git does: with forward slashes, and without `./` in front."""
    plain = path.replace("\\", "/")
    while plain.startswith("./"):
        plain = plain[2:].lstrip("/")
    return plain


def refuse_reason(path: str) -> str | None:
    """Say why a path may not be written by any edit, or None."""
    parts = path.replace("\\", "/").split("/")
    reason = None
    if not path or path.strip() != path:
        reason = "is empty or begins or ends with a blank"
    elif path.startswith(("/", "\\", "~")) or re.match(r"^[A-Za-z]:", path):
        reason = "is absolute"
    elif any(part in {"", ".", ".."} for part in parts):
        reason = "is not a plain path inside the repository"
    elif (not path.isascii() or "git" in path.lower()) and any(map(_is_git, parts)):
        reason = "lies in .git"
    elif not path.isprintable() and any(ord(char) < 32 or ord(char) == 127 for char in path):
        reason = "holds a control character"
    return reason


def _is_git(part: str) -> bool:
    """Tell `.git` and what Windows and macOS take for it.

    Source: https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreprotectNTFS
    """
    plain = re.sub("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]", "", part)
    plain = plain.split(":", 1)[0].rstrip(". ").lower()
    return plain == ".git" or bool(re.fullmatch(r"git~\d", plain))
