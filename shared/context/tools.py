"""Lets a model ask for more of a snapshot: list a folder, search for a text, read lines of a file.

Pure functions over the files, bounded in time and in what they answer. They follow the same rules
as the context: what is never shown is not listed, found or read. The model gives no patterns, only
plain text. A wrong call is answered with a sentence that says what is wrong.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.context.pack import show_path
from shared.context.visibility import may_show_path, read_text

MAX_LISTED: Final = 300
MAX_FOUND: Final = 60
MAX_FOUND_IN_FILE: Final = 10
MAX_LINES: Final = 500
MAX_ANSWER_CHARS: Final = 30_000
MAX_LINE_CHARS: Final = 300
"""Of a line in what a search found."""
MAX_SEARCHED_CHARS: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the models' interfaces describe it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """Strict JSON Schema: every property is required, no other is allowed."""


class ToolCallError(Exception):
    """The model called a tool wrongly; the message tells it how."""


class SnapshotTools:
    """Tools over the files of one snapshot."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._paths = sorted(path for path in files if may_show_path(path))
        self._shown = frozenset(self._paths)
        self._tools: Mapping[str, tuple[ToolSpec, Callable[[Mapping[str, Any]], str]]] = {
            spec.name: (spec, run)
            for spec, run in (
                (_LIST_FILES, self._list_files),
                (_SEARCH, self._search),
                (_READ_FILE, self._read_file),
            )
        }

    def specs(self) -> tuple[ToolSpec, ...]:
        """Describe the tools."""
        return tuple(spec for spec, _ in self._tools.values())

    def run(self, name: str, arguments: object) -> str:
        """Run a tool and answer its text, or a text that says what is wrong with the call.

        Never longer than MAX_ANSWER_CHARS. What reading the snapshot raises is not caught.

        Args:
            name: as the model wrote it.
            arguments: the model's JSON, decoded and not checked.
        """
        if name not in self._tools:
            return f"There is no such tool. There are: {', '.join(self._tools)}."
        if not isinstance(arguments, Mapping):
            return "The arguments must be an object."
        try:
            answer = self._tools[name][1](arguments)
        except ToolCallError as error:
            answer = str(error)
        if len(answer) > MAX_ANSWER_CHARS:
            return answer[: MAX_ANSWER_CHARS - 40].rpartition("\n")[0] + "\n… cut: ask for less."
        return answer

    def _list_files(self, arguments: Mapping[str, Any]) -> str:
        folder = _read_folder(arguments, "folder")
        within = [path for path in self._paths if path.startswith(folder)]
        if not within:
            raise ToolCallError("There is no such folder, or nothing in it that may be shown.")
        counts: dict[str, int] = {}
        for path in within:
            head, slash, _ = path[len(folder) :].partition("/")
            counts[folder + head + slash] = counts.get(folder + head + slash, 0) + 1
        lines = [
            f"{show_path(entry)} ({count} files)" if entry.endswith("/") else show_path(entry)
            for entry, count in counts.items()
        ]
        more = len(lines) - MAX_LISTED
        return "\n".join([*lines[:MAX_LISTED], *([f"… and {more} more"] if more > 0 else [])])

    def _search(self, arguments: Mapping[str, Any]) -> str:
        wanted = _read_text(arguments, "text").strip().lower()
        folder = _read_folder(arguments, "folder")
        if not 2 <= len(wanted) <= 200 or "\n" in wanted:
            raise ToolCallError("`text` must be 2 to 200 characters on one line.")
        found: list[str] = []
        searched = 0
        for path in self._paths:
            if not path.startswith(folder):
                continue
            if searched > MAX_SEARCHED_CHARS:
                found.append("… stopped: the repository is too large; name a folder.")
                break
            text = read_text(self._files, path)
            if text is None:
                continue
            searched += len(text)
            found.extend(_find_lines(path, text, wanted))
            if len(found) >= MAX_FOUND:
                found[MAX_FOUND:] = ["… stopped: there is more; name a folder or a longer text."]
                break
        return "\n".join(found) or "Nothing found."

    def _read_file(self, arguments: Mapping[str, Any]) -> str:
        path = _read_text(arguments, "path").strip().removeprefix("./").lstrip("/")
        first = _read_line(arguments, "first_line", 1)
        last = _read_line(arguments, "last_line", first + MAX_LINES - 1)
        text = read_text(self._files, path) if path in self._shown else None
        if text is None:
            raise ToolCallError(self._explain_missing(path))
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        if not lines:
            return "The file is empty."
        if not 1 <= first <= last or first > len(lines):
            raise ToolCallError(f"The file has the lines 1 to {len(lines)}.")
        last = min(last, first + MAX_LINES - 1, len(lines))
        shown: list[str] = []
        room = MAX_ANSWER_CHARS - 100
        for at in range(first, last + 1):
            line = f"{at:>5} {lines[at - 1]}"
            room -= len(line) + 1
            if room < 0:
                break
            shown.append(line)
        reached = first + len(shown) - 1
        if reached < len(lines):
            shown.append(f"… lines {reached + 1} to {len(lines)} follow")
        return "\n".join(shown)

    def _explain_missing(self, path: str) -> str:
        name = path.rpartition("/")[2].lower()
        alike = [one for one in self._paths if one.rpartition("/")[2].lower() == name and name]
        said = "There is no such file, or it may not be shown."
        return f"{said} Alike: {', '.join(map(show_path, alike[:5]))}" if alike else said


def _find_lines(path: str, text: str, wanted: str) -> Iterator[str]:
    if wanted not in text.lower():
        return
    count = 0
    for at, line in enumerate(text.split("\n"), 1):
        if wanted in line.lower():
            yield f"{show_path(path)}:{at}: {line.strip()[:MAX_LINE_CHARS]}"
            count += 1
            if count == MAX_FOUND_IN_FILE:
                yield f"{show_path(path)}: … more in this file"
                return


def _read_text(arguments: Mapping[str, Any], key: str) -> str:
    value = arguments.get(key)
    if not isinstance(value, str):
        raise ToolCallError(f"`{key}` must be a text.")
    return value


def _read_folder(arguments: Mapping[str, Any], key: str) -> str:
    """Read a folder as the beginning of the paths in it; the root is empty."""
    folder = _read_text(arguments, key).strip().removeprefix(".").strip("/")
    return f"{folder}/" if folder else ""


def _read_line(arguments: Mapping[str, Any], key: str, fallback: int) -> int:
    value = arguments.get(key)
    if value is None:
        return fallback
    if not isinstance(value, int) or isinstance(value, bool):
        raise ToolCallError(f"`{key}` must be a whole number or null.")
    return value


def _build_schema(**properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_FOLDER: Final = {"type": "string", "description": "Folder in the repository; empty for the root."}
_LIST_FILES: Final = ToolSpec(
    "list_files",
    "List the files and folders in a folder of the repository.",
    _build_schema(folder=_FOLDER),
)
_SEARCH: Final = ToolSpec(
    "search",
    "Find the lines that contain a text, whatever its case. Plain text, no patterns.",
    _build_schema(
        text={"type": "string", "description": "What a line must contain; 2 to 200 characters."},
        folder=_FOLDER,
    ),
)
_READ_FILE: Final = ToolSpec(
    "read_file",
    f"Read lines of a file, with their numbers; {MAX_LINES} at most at once.",
    _build_schema(
        path={"type": "string", "description": "Path of the file in the repository."},
        first_line={"type": ["integer", "null"], "description": "1 when null."},
        last_line={"type": ["integer", "null"], "description": "As many as fit when null."},
    ),
)
