"""Reads structured edits: the arguments of a tool call, and our default.

`EDIT_TOOL_SCHEMA` is the strict JSON schema that a provider is given. What is read is a little more
than what it allows, because not every provider enforces schemas.
"""

import json
import re
from typing import Any

from shared.patching.errors import PatchCode, PatchError
from shared.patching.script import FileEdit, Hunk


def _entry(action: str, about: str, **fields: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "action": {"type": "string", "enum": [action], "description": about},
        "path": {"type": "string", "description": "Path in the repository, with forward slashes."},
    }
    for name, description in fields.items():
        properties[name] = {"type": "string", "description": description}
    if action == "replace":
        properties["every_occurrence"] = {
            "type": "boolean",
            "description": "True to replace each occurrence; false where there must be just one.",
        }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


EDIT_TOOL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "edits": {
            "type": "array",
            "description": "Every edit of the change, in order. All are applied, or none.",
            "items": {
                "anyOf": [
                    _entry(
                        "replace",
                        "Replace lines of a file.",
                        search="Whole consecutive lines as they stand in the file, with their "
                        "indentation; enough of them to occur once.",
                        replace="The lines to put in their place; empty to delete them.",
                    ),
                    _entry("create", "Create a file.", content="The whole content."),
                    _entry("overwrite", "Write a whole file anew.", content="The whole content."),
                    _entry("delete", "Delete a file."),
                    _entry("rename", "Move a file.", new_path="Where it goes."),
                ]
            },
        }
    },
    "required": ["edits"],
    "additionalProperties": False,
}
"""Arguments of the tool that the model calls; strict: no property is optional."""

_SEARCH_NAMES = ("search", "old_string", "old_str", "old_text", "oldText", "old", "find")
_REPLACE_NAMES = ("replace", "new_string", "new_str", "new_text", "newText", "new", "replacement")
_PATH_NAMES = ("path", "file_path", "filename", "file", "filePath")
_LIST_NAMES = ("edits", "changes", "files", "operations", "blocks")
_FENCED = re.compile(r"^\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*$", re.DOTALL)


def _refuse(report: str, path: str | None = None) -> PatchError:
    return PatchError(
        PatchCode.UNREADABLE, "the structured edit is malformed", path=path, report=report
    )


def read_structured(text: str) -> list[FileEdit]:
    """Read the arguments of the edit tool.

    Raises:
        PatchError: `patch.unreadable`.
    """
    fenced = _FENCED.match(text)
    try:
        value = json.loads(fenced.group(1) if fenced else text)
    except (ValueError, RecursionError) as error:
        raise _refuse(f"The edit is not valid JSON: {error}") from None
    edits: list[FileEdit] = []
    for entry in _list_entries(value):
        edit = _read_entry(entry)
        last = edits[-1] if edits else None
        if last and edit.hunks and last.hunks and last.path == edit.path and not edit.new_path:
            edits[-1] = FileEdit(edit.path, last.hunks + edit.hunks)
        else:
            edits.append(edit)
    return edits


def _list_entries(value: object) -> list[dict[str, Any]]:
    shared_path: object = None
    if isinstance(value, dict):
        shared_path = _pick(value, _PATH_NAMES)
        listed = next(
            (value[name] for name in _LIST_NAMES if isinstance(value.get(name), list)), None
        )
        if listed is not None:
            value = listed
        elif shared_path is not None:
            value, shared_path = [value], None
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _refuse("Expected an object with `edits`, a list of objects.")
    if shared_path is None:
        return value
    return [
        entry if _pick(entry, _PATH_NAMES) else {**entry, "path": shared_path} for entry in value
    ]


def _pick(entry: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _pick_text(entry: dict[str, Any], names: tuple[str, ...], path: str) -> str:
    value = _pick(entry, names)
    if not isinstance(value, str):
        raise _refuse(f"The edit of {path!r} lacks `{names[0]}`, a string.", path)
    return value


def _read_entry(entry: dict[str, Any]) -> FileEdit:
    path = _pick(entry, _PATH_NAMES)
    if not isinstance(path, str):
        raise _refuse("An edit lacks `path`, a string.")
    action = _pick(entry, ("action", "op", "type", "kind", "operation"))
    if not isinstance(action, str):
        action = _guess_action(entry)
    match action.lower():
        case "replace" | "edit" | "update" | "str_replace" | "modify":
            if _pick(entry, _SEARCH_NAMES) is None and isinstance(entry.get("content"), str):
                return FileEdit(path, content=entry["content"])
            return FileEdit(path, (_read_replacement(entry, path),))
        case "create" | "add":
            content = _pick_text(entry, ("content", "file_text", "text"), path)
            return FileEdit(path, content=content, must_be_new=True)
        case "overwrite" | "write":
            return FileEdit(path, content=_pick_text(entry, ("content", "file_text", "text"), path))
        case "delete" | "remove":
            return FileEdit(path, delete=True)
        case "rename" | "move":
            return FileEdit(path, new_path=_pick_text(entry, ("new_path", "to", "target"), path))
        case _:
            raise _refuse(
                f"Unknown action {action!r}: use replace, create, overwrite, delete or rename.",
                path,
            )


def _guess_action(entry: dict[str, Any]) -> str:
    if _pick(entry, _SEARCH_NAMES) is not None:
        return "replace"
    if entry.get("delete") is True:
        return "delete"
    if entry.get("new_path") is not None:
        return "rename"
    return "overwrite"


def _read_replacement(entry: dict[str, Any], path: str) -> Hunk:
    search = _pick_text(entry, _SEARCH_NAMES, path)
    replace = _pick_text(entry, _REPLACE_NAMES, path)
    line = entry.get("line")
    if not search:
        raise _refuse(
            f"The edit of {path!r} has an empty `search`: say which lines to replace.", path
        )
    everywhere = any(entry.get(key) is True for key in ("every_occurrence", "replace_all"))
    return Hunk(
        _whole_lines(search),
        _whole_lines(replace),
        line=line if isinstance(line, int) and line > 0 else None,
        everywhere=everywhere,
        inline=(search, replace),
    )


def _whole_lines(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return tuple(line + "\n" for line in lines)
