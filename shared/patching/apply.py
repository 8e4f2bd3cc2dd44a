"""Applies an edit to a repository in memory: all of it, or nothing.

Every edit is matched against the files as the model was shown them; later edits of one answer see
the files that earlier ones created or moved.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shared.domain.change import ChangeKind, FileChange, PatchStatistics
from shared.patching.checks import check_changes, check_path, check_size
from shared.patching.diff import describe_changes
from shared.patching.errors import PatchCode, PatchError
from shared.patching.read import read_edits
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat, FileEdit, Rung
from shared.patching.splice import adopt_lines, splice_hunks
from shared.patching.text import FileText, decode, encode, strip_ending


@dataclass(frozen=True, slots=True)
class AppliedHunk:
    """How one hunk was found."""

    path: str
    rung: Rung


@dataclass(frozen=True, slots=True)
class AppliedPatch:
    """What an edit does, once it has been applied."""

    changes: tuple[FileChange, ...]
    """By path."""
    diff: str
    """Unified, in git's form."""
    statistics: PatchStatistics
    hunks: tuple[AppliedHunk, ...]


def apply_edits(
    files: Mapping[str, bytes],
    edits: str,
    *,
    format: EditFormat = EditFormat.AUTO,  # noqa: A002 (the word of the contract)
    rules: PatchRules | None = None,
    symlinks: Collection[str] = frozenset(),
    tip: Mapping[str, bytes] | None = None,
) -> AppliedPatch:
    """Apply an edit.

    Args:
        files: the repository; only what the edit touches is read.
        edits: as the model wrote it.
        format: in which it is written.
        rules: what is allowed; by default only what guards git itself.
        symlinks: paths of the repository that are symbolic links.
        tip: another version of the same files to carry the change to; `files` is then what the
            edit was written for, and what comes out is a change of `tip`.

    Raises:
        PatchError: with the reason; see `shared.patching.errors`.
    """
    rules = rules or PatchRules()
    check_size(edits, rules)
    tree = _Tree(files)
    hunks: list[AppliedHunk] = []
    for edit in read_edits(edits, format).edits:
        for path in filter(None, (edit.path, edit.new_path)):
            check_path(path, rules, symlinks)
        hunks.extend(_apply_file(tree, edit))
    changes = tree.list_changes()
    if tip is not None and changes:
        from shared.patching.merge import merge_changes

        changes = merge_changes(changes, files, tip)
    before = _read_before(files if tip is None else tip, changes)
    check_changes(changes, before, rules)
    diff, statistics = describe_changes(changes, before)
    return AppliedPatch(changes, diff, statistics, tuple(hunks))


class _Tree:
    """A repository with changes on top."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._written: dict[str, bytes] = {}
        self._gone: set[str] = set()
        self._moved: dict[str, str] = {}
        """New path to the path that a file had at the base."""

    def exists(self, path: str) -> bool:
        return path in self._written or path in self._moved or self._is_untouched(path)

    def read(self, path: str) -> bytes:
        if path in self._written:
            return self._written[path]
        return self._files[self._moved.get(path, path)]

    def write(self, path: str, content: bytes) -> None:
        self._written[path] = content
        self._gone.discard(path)

    def delete(self, path: str) -> None:
        self._written.pop(path, None)
        origin = self._moved.pop(path, path)
        if origin in self._files:
            self._gone.add(origin)

    def move(self, path: str, target: str) -> None:
        origin = self._moved.pop(path, path)
        content = self._written.pop(path, None)
        if origin in self._files:
            self._gone.add(origin)
            self._moved[target] = origin
        if content is not None:
            self._written[target] = content

    def _is_untouched(self, path: str) -> bool:
        return path in self._files and path not in self._gone

    def list_changes(self) -> tuple[FileChange, ...]:
        changes: list[FileChange] = []
        for path in sorted({*self._written, *self._moved}):
            origin = self._moved.get(path)
            content = self._written.get(path)
            if origin is not None and origin != path:
                same = content is None or content == self._files[origin]
                changes.append(
                    FileChange(path, ChangeKind.RENAME, None if same else content, origin)
                )
            elif content is not None and path not in self._files:
                changes.append(FileChange(path, ChangeKind.ADD, content))
            elif content is not None and content != self._files[path]:
                changes.append(FileChange(path, ChangeKind.EDIT, content))
        taken = {change.previous_path or change.path for change in changes}
        changes.extend(
            FileChange(path, ChangeKind.DELETE)
            for path in self._gone - taken - {*self._written, *self._moved.values()}
        )
        return tuple(sorted(changes, key=lambda change: change.path))


def _read_before(files: Mapping[str, bytes], changes: Collection[FileChange]) -> dict[str, bytes]:
    paths = {change.previous_path or change.path for change in changes}
    return {path: files[path] for path in paths if path in files}


def _apply_file(tree: _Tree, edit: FileEdit) -> list[AppliedHunk]:
    path = _resolve(tree, edit)
    if edit.content is not None:
        _write_whole(tree, path, edit, edit.content)
        return [AppliedHunk(path, Rung.WHOLE_FILE)]
    if not tree.exists(path):
        raise PatchError(
            PatchCode.FILE_NOT_FOUND,
            f"there is no file {path}",
            path=path,
            report=f"There is no file {path!r}. Use the path of a file that you were shown, or "
            "create it.",
        )
    if edit.delete:
        _check_expected(tree, path, edit)
        tree.delete(path)
        return [AppliedHunk(path, Rung.WHOLE_FILE)]
    rungs: tuple[Rung, ...] = ()
    if edit.hunks:
        text = decode(tree.read(path), path)
        spliced = splice_hunks(path, text, edit.hunks, ordered=edit.ordered)
        rungs = spliced.rungs
        new = encode(spliced.text, text.encoding, path)
    else:
        new = None
    if edit.new_path is not None and edit.new_path != path:
        rungs = rungs or (Rung.WHOLE_FILE,)
        path = _move(tree, path, edit)
    if new is not None:
        tree.write(path, new)
    return [AppliedHunk(path, rung) for rung in rungs]


def _resolve(tree: _Tree, edit: FileEdit) -> str:
    """Answer the path that is meant: a plain diff may call the file by two names."""
    if not tree.exists(edit.path) and edit.other_path and tree.exists(edit.other_path):
        return edit.other_path
    return edit.path


def _move(tree: _Tree, path: str, edit: FileEdit) -> str:
    target = edit.new_path or path
    if tree.exists(target):
        raise PatchError(PatchCode.FILE_EXISTS, f"there is a file {target} already", path=target)
    if edit.copy:
        tree.write(target, tree.read(path))
    else:
        tree.move(path, target)
    return target


def _write_whole(tree: _Tree, path: str, edit: FileEdit, content: str) -> None:
    if not path:
        raise PatchError(
            PatchCode.UNREADABLE, "the edit names no file", report="Say which file it is about."
        )
    known = tree.exists(path)
    if known and edit.may_append:
        text = decode(tree.read(path), path)
        joined = text.text if text.ends_in_newline else text.text + text.ending
        tree.write(path, encode(joined + adopt_lines(text, content), text.encoding, path))
        return
    if known and edit.must_be_new:
        raise PatchError(
            PatchCode.FILE_EXISTS,
            f"there is a file {path} already",
            path=path,
            report=f"There is a file {path!r} already: edit it, or choose another path.",
        )
    if not known:
        tree.write(path, encode(content, "utf-8", path))
        return
    text = decode(tree.read(path), path)
    new = adopt_lines(text, content)
    if edit.fenced:
        new = _end_as(text, new)
    tree.write(path, encode(new, text.encoding, path))


def _end_as(text: FileText, new: str) -> str:
    """End content that was cut out of Markdown as the file ended."""
    if text.ends_in_newline or not text.text:
        return new
    return strip_ending(new)


def _check_expected(tree: _Tree, path: str, edit: FileEdit) -> None:
    """A diff that deletes a file quotes it: another file than the quoted one is not deleted."""
    if edit.expected is None:
        return
    text = decode(tree.read(path), path)
    if [strip_ending(line).rstrip() for line in edit.expected] != [
        line.rstrip() for line in text.bare
    ]:
        raise PatchError(
            PatchCode.CONTEXT_NOT_FOUND,
            f"{path} is not the file that the edit deletes",
            path=path,
            report=f"The lines of {path} that are to be deleted are not those of the file.",
        )
