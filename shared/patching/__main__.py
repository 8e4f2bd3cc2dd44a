"""Tries edits without a repository: JSON lines in, JSON lines out.

In:   {"files": {path: text}, "edits": text, "format": "auto"}
      A file may be {"base64": …}. "base": {path: text} is what the edit was written for, where
      "files" has moved on since: the change is then merged into "files" as git merges.
Out:  {"files": {path: text, {"base64": …}, or null when deleted}, "diff",
       "hunks": [{"path", "rung"}], "statistics": {…}}
or    {"error": {"code", "message", "path", "report"}}

Formats: auto, structured, search_replace, unified_diff, v4a, whole_file.
"""

import argparse
import base64
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final, TextIO

from shared.domain.change import ChangeKind
from shared.patching.apply import AppliedPatch, apply_edits
from shared.patching.errors import PatchCode, PatchError
from shared.patching.read import name_format
from shared.patching.rules import PatchRules

RULES: Final = {"engine": PatchRules(), "job": PatchRules.default_for_jobs()}


def run_line(line: str | bytes, rules: PatchRules) -> dict[str, Any]:
    """Answer one line; whatever is in it, the answer is an object."""
    try:
        order = _read_order(line)
        files = _read_files(order.get("files"), "files")
        return _describe(_apply(order, files, rules), files)
    except PatchError as error:
        return {
            "error": {
                "code": str(error.code),
                "message": error.message,
                "path": error.path,
                "report": error.report,
            }
        }


def _apply(order: Mapping[str, Any], files: dict[str, bytes], rules: PatchRules) -> AppliedPatch:
    edits = order.get("edits")
    if not isinstance(edits, str):
        # the arguments of a tool call may come as the object that they are
        edits = json.dumps(edits)
    format_ = name_format(str(order.get("format") or "auto"))
    if order.get("base") is None:
        return apply_edits(files, edits, format=format_, rules=rules)
    base = _read_files(order["base"], "base")
    return apply_edits({**files, **base}, edits, format=format_, rules=rules, tip=files)


def _read_order(line: str | bytes) -> Mapping[str, Any]:
    try:
        order = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _refuse(f"the line is not JSON: {error}") from None
    if not isinstance(order, dict):
        raise _refuse("the line is no JSON object")
    return order


def _read_files(given: object, name: str) -> dict[str, bytes]:
    if not isinstance(given, dict):
        raise _refuse(f'"{name}" is no object of paths')
    if any(0xD800 <= ord(letter) < 0xE000 for path in given for letter in path):
        raise _refuse(f'a path of "{name}" holds half a character')
    return {path: _read_content(content, path) for path, content in given.items()}


def _read_content(content: object, path: str) -> bytes:
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass")
    if isinstance(content, dict) and isinstance(content.get("base64"), str):
        try:
            return base64.b64decode(content["base64"], validate=True)
        except ValueError:
            raise _refuse(f"the content of {path!r} is not base64") from None
    raise _refuse(f'the content of {path!r} is neither text nor {{"base64": …}}')


def _refuse(message: str) -> PatchError:
    return PatchError(PatchCode.UNREADABLE, message)


def _describe(patch: AppliedPatch, before: Mapping[str, bytes]) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for change in patch.changes:
        content = change.content
        if change.kind is ChangeKind.RENAME and change.previous_path is not None:
            files[change.previous_path] = None
            content = before[change.previous_path] if content is None else content
        files[change.path] = None if content is None else _write_content(content)
    return {
        "files": files,
        "diff": _escape(patch.diff),
        "hunks": [{"path": hunk.path, "rung": str(hunk.rung)} for hunk in patch.hunks],
        "statistics": asdict(patch.statistics),
    }


def _write_content(content: bytes) -> str | dict[str, str]:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _escape(text: str) -> str:
    """Show bytes that are no UTF-8 as what they are."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def run(lines: Iterable[str | bytes], out: TextIO, rules: PatchRules) -> None:
    """Answer every line that is not blank, each on a line of its own."""
    for line in lines:
        if line.strip():
            out.write(json.dumps(run_line(line, rules), ensure_ascii=True) + "\n")
            out.flush()


def main() -> int:
    """Read edits from standard input, one on a line."""
    parser = argparse.ArgumentParser(
        prog="python -m shared.patching",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rules",
        choices=list(RULES),
        default="engine",
        help="engine: only what guards git itself; job: what a job allows (default: engine)",
    )
    # bytes: a line that is no UTF-8 is no JSON, and ends nothing
    run(sys.stdin.buffer, sys.stdout, RULES[parser.parse_args().rules])
    return 0


if __name__ == "__main__":
    sys.exit(main())
