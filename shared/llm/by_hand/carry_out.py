"""Carries out instructions in a workspace, and says in plain words what was done.

A named thing that is not there is an error, never a reason to do something else. The words quote
nothing of the request or of a file: they end up in pull requests.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from shared.llm.by_hand.instructions import (
    CreateFile,
    DeleteFile,
    InsertLine,
    Instruction,
    MoveFile,
    Operand,
    Place,
    Remark,
    RemarkKind,
    RemoveText,
    RenameWord,
    Replace,
    Restyle,
    clean_path,
    looks_like_path,
)
from shared.llm.by_hand.remark import (
    find_syntax,
    insert_docstring,
    insert_note,
    list_spots,
    neutralise,
)
from shared.llm.by_hand.restyle import restyle
from shared.llm.by_hand.workspace import Workspace, split_words
from shared.llm.provider import ModelCode, RequestError

MAX_FILES: Final = 20
"""Files that a replacement without a named file touches."""
MAX_FILES_EVERYWHERE: Final = 50
"""The same, where all files were meant: the limit of a patch."""
MAX_CANDIDATES: Final = 12
"""Files that a note may go to."""
REQUEST_FILE: Final = "code-agent-request.md"
"""Created where no file can hold a note."""

_WORDINGS: Final = (
    "Requested: {}",
    "As requested: {}",
    "Change request: {}",
    "Wanted here and in similar places: {}",
    "Asked for in review: {}",
    "To be done with care for readers: {}",
    "Requested, to keep related code alike: {}",
    "Please keep this in mind: {}",
    "Why this note: somebody asked to {}",
    "Open request, adjust as needed: {}",
)
"""One for each variant, so that no two notes are alike."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a variant is besides its instructions."""

    intent: str
    variant: int
    strategy: str
    thread_path: str | None = None
    thread_line: int | None = None


def carry_out(
    instructions: Sequence[Instruction], workspace: Workspace, around: Circumstances
) -> list[str]:
    """Carry out instructions in order; answers a sentence for each.

    Raises:
        RequestError: one cannot be carried out; nothing of the workspace is of use then.
        ModelError: `model.out_of_time`.
    """
    return [_carry_out_one(instruction, workspace, around) for instruction in instructions]


def _carry_out_one(  # noqa: PLR0911 - one way for each instruction
    instruction: Instruction, workspace: Workspace, around: Circumstances
) -> str:
    match instruction:
        case Replace():
            return _replace(instruction, workspace, around)
        case InsertLine():
            return _insert_line(instruction, workspace, around)
        case CreateFile():
            return _create(instruction, workspace, around)
        case DeleteFile():
            path = workspace.find_file(instruction.file)
            workspace.delete(path)
            return f"Deleted {path}."
        case MoveFile():
            return _move(instruction, workspace)
        case RenameWord():
            return _rename(instruction, workspace, around)
        case RemoveText():
            return _remove_text(instruction, workspace)
        case Restyle():
            done = restyle(
                workspace,
                instruction.look,
                file=instruction.file,
                strategy=around.strategy,
                intent=around.intent,
            )
            return done or _restate(workspace, around, instruction.file)
        case Remark():
            return _remark(instruction, workspace, around)
        case _:
            assert_never(instruction)


# Replacing


def _replace(order: Replace, workspace: Workspace, around: Circumstances) -> str:
    path = workspace.find_file(order.file) if order.file else None
    for pattern in _build_patterns(order.old):
        if path is not None:
            found = [(path, "\n".join(workspace.read_named(path)))]
            found = [pair for pair in found if pattern.search(pair[1])]
        else:
            limit = MAX_FILES_EVERYWHERE if order.everywhere else MAX_FILES
            found = _take(workspace, pattern, order.old.text, limit)
        if found:
            return _substitute(workspace, pattern, found, order.new.text, "Replaced")
    if path is None and not order.old.is_quoted:
        return _restate(workspace, around, None)
    where = path or "any file of this branch"
    raise RequestError(ModelCode.TEXT_NOT_FOUND, f"The text to be replaced is not in {where}.")


def _take(
    workspace: Workspace, pattern: re.Pattern[str], hint: str, limit: int
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for pair in workspace.search(pattern, hint):
        found.append(pair)
        if len(found) == limit:
            break
    return found


def _build_patterns(old: Operand, *, as_word: bool = False) -> list[re.Pattern[str]]:
    """Build what to look for, strictest first: a quoted text is literal, a bare one whole words."""
    if not old.text.strip():
        raise RequestError(ModelCode.INTENT_NOT_UNDERSTOOD, "The text to be replaced is empty.")
    literal = re.escape(old.text)
    word = rf"(?<!\w){literal}(?!\w)" if re.match(r"\w", old.text) else literal
    if as_word:
        return [re.compile(word)]
    if old.is_quoted:
        return [re.compile(literal)]
    return [re.compile(word), re.compile(literal), re.compile(word, re.IGNORECASE)]


def _substitute(
    workspace: Workspace,
    pattern: re.Pattern[str],
    found: Sequence[tuple[str, str]],
    new: str,
    verb: str,
) -> str:
    total = 0
    for path, text in found:
        changed, count = pattern.subn(lambda _: new, text)
        total += count
        workspace.write_text(path, changed)
    occurrences = "1 occurrence" if total == 1 else f"{total} occurrences"
    return f"{verb} {occurrences} of a text in {_name_files([path for path, _ in found])}."


def _name_files(paths: Sequence[str]) -> str:
    some = ", ".join(paths[:3])
    return some if len(paths) <= 3 else f"{some} and {len(paths) - 3} more files"


def _rename(order: RenameWord, workspace: Workspace, around: Circumstances) -> str:
    old, new = clean_path(order.old.text), clean_path(order.new.text)
    if order.file is None and (workspace.exists(old) or looks_like_path(old)):
        return _move(MoveFile(old, new, keeps_folder=True), workspace)
    pattern = _build_patterns(order.old, as_word=True)[0]
    if order.file is not None:
        replace = Replace(order.old, order.new, order.file)
        return _replace(replace, workspace, around)
    found = _take(workspace, pattern, order.old.text, MAX_FILES_EVERYWHERE)
    if not found:
        raise RequestError(
            ModelCode.TEXT_NOT_FOUND, "What is to be renamed is in no file of this branch."
        )
    return _substitute(workspace, pattern, found, order.new.text, "Renamed")


def _move(order: MoveFile, workspace: Workspace) -> str:
    path = workspace.find_file(order.file)
    folder, _, name = path.rpartition("/")
    target = order.target
    if target.endswith("/") or workspace.has_folder(target):
        target = f"{target.rstrip('/')}/{name}"
    elif order.keeps_folder and "/" not in target and folder:
        target = f"{folder}/{target}"
    if target == path:
        raise RequestError(ModelCode.NOTHING_TO_CHANGE, f"{path} is called so already.")
    workspace.move(path, target)
    return f"Moved {path} to {target}."


def _remove_text(order: RemoveText, workspace: Workspace) -> str:
    pattern = _build_patterns(Operand(order.text.text, is_quoted=True))[0]
    if order.file:
        path = workspace.find_file(order.file)
        found = [(path, "\n".join(workspace.read_named(path)))]
        found = [pair for pair in found if pattern.search(pair[1])]
    else:
        found = _take(workspace, pattern, order.text.text, MAX_FILES)
    if not found:
        where = order.file or "any file of this branch"
        raise RequestError(ModelCode.TEXT_NOT_FOUND, f"The text to be removed is not in {where}.")
    for path, text in found:
        if "\n" in order.text.text:
            workspace.write_text(path, pattern.sub("", text))
            continue
        kept: list[str] = []
        for line in text.split("\n"):
            without = "" if order.whole_lines and pattern.search(line) else pattern.sub("", line)
            if without == line or without.strip():
                kept.append(without if without == line else without.rstrip())
        workspace.write_lines(path, kept)
    return f"Removed a text from {_name_files([path for path, _ in found])}."


# Inserting and creating


def _insert_line(order: InsertLine, workspace: Workspace, around: Circumstances) -> str:
    path = _choose_file(order, workspace, around)
    lines = workspace.read_named(path)
    new = [workspace.fit_to_encoding(path, line) for line in order.text.split("\n")]
    row = len(lines) if order.place is Place.END else 0
    if order.anchor is not None:
        row = _find_row(order.anchor, lines, path)
        indent = lines[row][: len(lines[row]) - len(lines[row].lstrip())]
        new = [line if not line or line[0].isspace() else indent + line for line in new]
        if order.place is Place.AFTER:
            row += 1
    workspace.write_lines(path, [*lines[:row], *new, *lines[row:]])
    return f"Added {'a line' if len(new) == 1 else f'{len(new)} lines'} to {path}."


def _choose_file(order: InsertLine, workspace: Workspace, around: Circumstances) -> str:
    if order.file is not None:
        return workspace.find_file(order.file)
    if isinstance(order.anchor, Operand):
        pattern = re.compile(re.escape(order.anchor.text))
        found = _take(workspace, pattern, order.anchor.text, 1)
        if not found:
            raise RequestError(
                ModelCode.TEXT_NOT_FOUND, "The line to go by is in no file of this branch."
            )
        return found[0][0]
    candidates = _list_note_files(workspace, around)
    if not candidates:
        raise RequestError(ModelCode.FILE_NOT_FOUND, "Say which file the line goes into.")
    return candidates[(around.variant - 1) % len(candidates)]


def _find_row(anchor: Operand | int, lines: Sequence[str], path: str) -> int:
    if isinstance(anchor, int):
        if 1 <= anchor <= len(lines):
            return anchor - 1
        raise RequestError(ModelCode.TEXT_NOT_FOUND, f"{path} has {len(lines)} lines.")
    wanted = anchor.text.strip()
    for rows in (
        [row for row, line in enumerate(lines) if line.strip() == wanted],
        [row for row, line in enumerate(lines) if wanted in line],
    ):
        if len(rows) == 1:
            return rows[0]
        if rows:
            raise RequestError(
                ModelCode.TEXT_AMBIGUOUS,
                f"The line to go by is {len(rows)} times in {path}. Give its number.",
            )
    raise RequestError(ModelCode.TEXT_NOT_FOUND, f"The line to go by is not in {path}.")


def _create(order: CreateFile, workspace: Workspace, around: Circumstances) -> str:
    content = order.content
    if content is None:
        content = _write_skeleton(order.file, around)
    workspace.create(order.file, content if content.endswith("\n") else content + "\n")
    return f"Created {order.file}."


def _write_skeleton(path: str, around: Circumstances) -> str:
    name = path.rpartition("/")[2]
    syntax = find_syntax(path)
    if syntax is None:
        return "{}" if name.lower().endswith(".json") else ""
    note = _WORDINGS[(around.variant - 1) % len(_WORDINGS)].format(neutralise(around.intent))
    if name.lower().endswith((".md", ".markdown")):
        return f"# {neutralise(name.rpartition('.')[0])}\n\n{note}"
    if name.lower().endswith(".php"):
        return f"<?php\n{syntax.write(note)}"
    return syntax.write(note)


# Notes


def _restate(workspace: Workspace, around: Circumstances, file: str | None) -> str:
    return _remark(Remark(RemarkKind.RESTATEMENT, around.intent, file), workspace, around)


def _remark(order: Remark, workspace: Workspace, around: Circumstances) -> str:
    note = neutralise(order.text)
    if order.kind is RemarkKind.RESTATEMENT:
        note = _WORDINGS[(around.variant - 1) % len(_WORDINGS)].format(note)
    elif order.kind is RemarkKind.TODO:
        note = f"TODO: {note}"
    if order.file is not None:
        named = workspace.find_file(order.file)
        workspace.read_named(named)
        files = [named]
    else:
        files = _list_note_files(workspace, around)
    if order.kind is RemarkKind.DOCSTRING:
        for path in files:
            if path.endswith((".py", ".pyi")) and (
                documented := insert_docstring(
                    workspace.read_named(path), note, order.text, around.variant - 1
                )
            ):
                workspace.write_lines(path, documented)
                return f"Added a docstring to {path}."
    places = _list_places(workspace, around, files)
    if not places and order.file is not None:
        raise RequestError(
            ModelCode.INTENT_NOT_UNDERSTOOD, f"{order.file} is of a kind that has no comments."
        )
    if not places:
        workspace.create(REQUEST_FILE, f"# Request\n\n{note}\n")
        return f"Wrote the request down in {REQUEST_FILE}."
    path, lines = places[(around.variant - 1) % len(places)]
    fitted = workspace.fit_to_encoding(path, note)
    workspace.write_lines(path, [line.replace(_SLOT, fitted) for line in lines])
    return f"Added a note to {path}."


_SLOT: Final = "\ue000\ue001\ue000"
"""Stands for the note while places are being listed; no file has it."""


def _list_places(
    workspace: Workspace, around: Circumstances, files: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """List where a note can go: diagonally through the files and the spots of each, best first."""
    table: list[list[tuple[str, list[str]]]] = []
    for path in files:
        lines = workspace.read_lines(path)
        if lines is None or any(_SLOT in line for line in lines):
            continue
        near = around.thread_line if path == around.thread_path else None
        spots = list_spots(path, lines, around.intent, near)
        inserted = [insert_note(path, lines, spot, _SLOT) for spot in spots]
        row = [(path, result) for result in inserted if result is not None]
        if row:
            table.append(row)
        if len(table) == MAX_CANDIDATES:
            break
    found: list[tuple[str, list[str]]] = []
    for diagonal in range(len(table) + max((len(row) for row in table), default=0)):
        found.extend(
            row[diagonal - index]
            for index, row in enumerate(table)
            if 0 <= diagonal - index < len(row)
        )
    return found


def _list_note_files(workspace: Workspace, around: Circumstances) -> list[str]:
    """List the files that a note can go to, the best match for the request first."""
    words = split_words(around.intent)
    files = [path for path in workspace.list_own_files() if find_syntax(path)]
    preferred = workspace.count_preferred(files)
    ranked, rest = files[:preferred], files[preferred:]
    rest.sort(key=lambda path: -len(words & split_words(path)))
    thread = [around.thread_path] if around.thread_path in files else []
    ordered = dict.fromkeys((*thread, *ranked, *rest))
    return [
        path for path in list(ordered)[: 4 * MAX_CANDIDATES] if path and workspace.is_small(path)
    ]
