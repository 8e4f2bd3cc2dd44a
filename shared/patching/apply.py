"""Applies an edit to a repository in memory: all of it, or nothing.

Every edit is matched against the files as the model was shown them; later edits of one answer see
the files that earlier ones created or moved.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.change import FileChange, PatchStatistics
from shared.patching.checks import check_changes, check_path, check_size
from shared.patching.diff import describe_changes
from shared.patching.errors import PatchCode, PatchError
from shared.patching.keep import find_fitting, join_kept
from shared.patching.paths import plain_path
from shared.patching.read import read_edits
from shared.patching.report import describe_fitting, join_failures
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat, FileEdit, Rung
from shared.patching.splice import adopt_lines, splice_hunks
from shared.patching.text import FileText, decode, encode, strip_ending
from shared.patching.tree import Tree


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
    kept: Sequence[FileEdit] = (),
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
        kept: what fitted of an earlier try (`PatchError.fitting`), to be applied with this one.

    Raises:
        PatchError: with the reason; see `shared.patching.errors`. What fitted is `fitting`.
    """
    rules = rules or PatchRules()
    check_size(edits, rules)
    tree = Tree(files)
    hunks: list[AppliedHunk] = []
    script = read_edits(edits, format)
    wanted = join_kept(kept, script.edits)
    fitting: list[FileEdit] = []
    failures: list[PatchError] = []
    for edit in wanted:
        try:
            hunks.extend(_apply_one(tree, edit, rules, symlinks, script.ending))
            fitting.append(edit)
        except PatchError as error:
            failures.append(error)
            fitting.extend(find_fitting(edit, error.failed_hunks))
    if failures:
        raise _fail(failures, fitting)
    _check_folders(tree)
    changes = tree.list_changes()
    if tip is not None and changes:
        from shared.patching.merge import merge_changes

        changes = merge_changes(changes, files, tip)
    before = _read_before(files if tip is None else tip, changes)
    check_changes(changes, before, rules)
    diff, statistics = describe_changes(changes, before)
    return AppliedPatch(changes, diff, statistics, tuple(hunks))


def _check_folders(tree: Tree) -> None:
    clash = tree.find_clash()
    if clash is not None:
        file, below = clash
        raise PatchError(
            PatchCode.FILE_EXISTS,
            f"{file} cannot be a file and the folder of {below}",
            path=file,
            report=f"{file!r} cannot be a file and the folder of {below!r}: choose another path.",
        )


def _fail(failures: Sequence[PatchError], fitting: Sequence[FileEdit]) -> PatchError:
    joined = join_failures(failures) if len(failures) > 1 else failures[0]
    joined.parts = tuple(failures) if len(failures) > 1 else ()
    joined.fitting = tuple(fitting)
    told = [joined.report, "Nothing was applied."]
    joined.report = "\n\n".join([*told, describe_fitting(fitting)] if fitting else told)
    return joined


def _apply_one(
    tree: Tree, edit: FileEdit, rules: PatchRules, symlinks: Collection[str], ending: str
) -> list[AppliedHunk]:
    path = tree.resolve(edit)
    if not path:
        raise PatchError(
            PatchCode.UNREADABLE,
            "the edit names no file",
            report="An edit does not say which file it is about. Say it.",
        )
    target = plain_path(edit.new_path) if edit.new_path else path
    for one in dict.fromkeys((path, target)):
        check_path(one, rules, symlinks)
    return _apply_file(tree, path, target, edit, ending)


def _read_before(files: Mapping[str, bytes], changes: Collection[FileChange]) -> dict[str, bytes]:
    paths = {change.previous_path or change.path for change in changes}
    return {path: files[path] for path in paths if path in files}


def _apply_file(
    tree: Tree, path: str, target: str, edit: FileEdit, ending: str
) -> list[AppliedHunk]:
    content = edit.content
    if content is None and not tree.exists(path):
        content = _created_content(edit)
    if content is not None:
        _write_whole(tree, path, edit, content, ending)
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
    new: bytes | None = None
    if edit.hunks:
        text = decode(tree.read(path), path)
        spliced = splice_hunks(path, text, edit.hunks, ordered=edit.ordered, ending=ending)
        rungs = spliced.rungs
        new = encode(spliced.text, text.encoding, path)
    if target != path:
        rungs = rungs or (Rung.WHOLE_FILE,)
        _move(tree, path, target, copy=edit.copy)
        path = target
    if new is not None:
        tree.write(path, new)
    return [AppliedHunk(path, rung) for rung in rungs]


def _created_content(edit: FileEdit) -> str | None:
    """Answer the content of a file that a plain diff creates: of its only hunk, `@@ -0,0 +1,n @@`.

    Such a diff may name the file on both sides, without a mark that it is new.
    """
    if len(edit.hunks) != 1 or edit.hunks[0].line != 0 or edit.hunks[0].old:
        return None
    return "".join(edit.hunks[0].new)


def _move(tree: Tree, path: str, target: str, *, copy: bool) -> None:
    if tree.exists(target):
        raise PatchError(PatchCode.FILE_EXISTS, f"there is a file {target} already", path=target)
    if copy:
        tree.write(target, tree.read(path))
    else:
        tree.move(path, target)


def _write_whole(tree: Tree, path: str, edit: FileEdit, content: str, ending: str) -> None:
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
    text = decode(tree.read(path) if known else b"", path)
    if not text.text and "\r" not in content:
        content = content.replace("\n", ending)
    new = adopt_lines(text, content)
    if edit.fenced:
        new = _end_as(text, new)
    tree.write(path, encode(new, text.encoding, path))


def _end_as(text: FileText, new: str) -> str:
    """End content that was cut out of Markdown as the file ended."""
    if text.ends_in_newline or not text.text:
        return new
    return strip_ending(new)


def _check_expected(tree: Tree, path: str, edit: FileEdit) -> None:
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
