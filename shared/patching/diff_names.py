"""Reads the names of files in the headers of a diff, as git and others write them."""

import re

_ESCAPE = re.compile(r'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPES = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_REVISION = re.compile(r" +\((?:revision \d+|working copy|nonexistent)\)$")


def unquote(path: str) -> str:
    """Undo git's C-style quoting of unusual paths."""
    path = path.strip()
    if len(path) < 2 or not (path.startswith('"') and path.endswith('"')):
        return path

    def undo(match: re.Match[str]) -> str:
        code = match.group(1)
        return chr(int(code, 8)) if len(code) == 3 else _ESCAPES.get(code, code)

    raw = _ESCAPE.sub(undo, path[1:-1])
    try:
        return raw.encode("latin-1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return raw


def read_header_name(rest: str) -> str:
    """Read the name behind `---` or `+++`, without date or revision."""
    rest = rest.removesuffix("\r")
    if rest.lstrip().startswith('"'):
        end = rest.rfind('"')
        return unquote(rest[: end + 1])
    path = rest.split("\t", 1)[0].strip()
    path = _REVISION.sub("", path)
    return re.sub(r" +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.*$", "", path)


def split_git_names(rest: str) -> tuple[str, str] | None:
    """Split `a/x b/y`; where the names are equal, spaces in them do no harm."""
    rest = rest.strip()
    if rest.startswith('"'):
        match = re.match(r'^("(?:[^"\\]|\\.)*") (.*)$', rest)
        return (unquote(match.group(1)), unquote(match.group(2))) if match else None
    half = len(rest) // 2
    if len(rest) % 2 and rest[half] == " " and rest[:half][2:] == rest[half + 1 :][2:]:
        return rest[:half], rest[half + 1 :]
    parts = rest.split(" ")
    if len(parts) == 2:
        return parts[0], unquote(parts[1])
    match = re.match(r"^(a/.*?) (\"?b/.*)$", rest)
    return (match.group(1), unquote(match.group(2))) if match else None
