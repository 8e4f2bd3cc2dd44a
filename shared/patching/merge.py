"""Carries a patch from the text that the model was shown to what the branch holds by now.

A three-way merge by libgit2, which merges as git does; in memory. A conflict refuses the patch.
Source: https://libgit2.org/libgit2/#HEAD/group/merge
"""

from collections.abc import Mapping

import pygit2

from shared.domain.change import ChangeKind, FileChange
from shared.patching.errors import PatchCode, PatchError
from shared.patching.text import is_binary


def merge_changes(
    changes: tuple[FileChange, ...], base: Mapping[str, bytes], tip: Mapping[str, bytes]
) -> tuple[FileChange, ...]:
    """Merge what a patch does to the base into another version of the same files.

    Args:
        changes: what the patch does to `base`.
        base: the files as the model was shown them.
        tip: the files as they are by now.

    Returns:
        What remains to be done to `tip`; less than asked for where it is so already.

    Raises:
        PatchError: `patch.conflict`, `patch.nothing_changed`.
    """
    merged = tuple(
        change for change in (_merge_change(one, base, tip) for one in changes) if change
    )
    if not merged:
        raise PatchError(
            PatchCode.NOTHING_CHANGED, "the branch holds everything that the edit asks for already"
        )
    return merged


def _merge_change(
    change: FileChange, base: Mapping[str, bytes], tip: Mapping[str, bytes]
) -> FileChange | None:
    old_path = change.previous_path or change.path
    known, now = base.get(old_path), tip.get(old_path)
    taken = tip.get(change.path)
    match change.kind:
        case ChangeKind.ADD:
            if taken is not None and taken != change.content:
                raise _conflict(change.path, "was created in the meantime")
            return change if taken is None else None
        case ChangeKind.DELETE:
            if now is not None and now != known:
                raise _conflict(change.path, "was changed in the meantime")
            return change if now is not None else None
        case ChangeKind.RENAME if taken is not None:
            raise _conflict(change.path, "was created in the meantime")
    if known is None or now is None:
        raise _conflict(old_path, "is gone")
    if change.content is None:
        return change
    content = merge_text(old_path, known, now, change.content)
    if content == now and change.kind is ChangeKind.EDIT:
        return None
    return FileChange(change.path, change.kind, content, change.previous_path)


def merge_text(path: str, base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """Merge two versions of a text file that have a third in common.

    Raises:
        PatchError: `patch.conflict`.
    """
    if ours in (base, theirs):
        return theirs
    if theirs == base:
        return ours
    sides = (base, ours, theirs)
    if any(is_binary(side) for side in sides):
        raise _conflict(path, "is binary and was changed in the meantime")
    is_wide = not all(_is_utf_8(side) for side in sides)
    if is_wide:  # the binding answers text: bytes travel as characters of the same numbers
        sides = (_widen(base), _widen(ours), _widen(theirs))
    repository = pygit2.Repository()
    objects = pygit2.Odb()
    objects.add_backend(_Objects(), 1)
    repository.set_odb(objects)
    known, own, new = (
        pygit2.IndexEntry("file", repository.create_blob(side), pygit2.enums.FileMode.BLOB)
        for side in sides
    )
    result = repository.merge_file_from_index(known, own, new)
    if not result.automergeable:
        raise _conflict(path, "was changed in the same lines in the meantime")
    merged: str = result.contents
    return merged.encode("latin-1" if is_wide else "utf-8")


def _conflict(path: str, what: str) -> PatchError:
    return PatchError(
        PatchCode.CONFLICT,
        f"{path} {what}",
        path=path,
        report=f"{path} {what}, since the version that you were shown.",
    )


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _widen(content: bytes) -> bytes:
    return content.decode("latin-1").encode()


class _Objects(pygit2.OdbBackend):
    """Git objects in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[str, tuple[int, bytes]] = {}

    def exists_cb(self, oid: pygit2.Oid) -> bool:
        return str(oid) in self._objects

    def read_cb(self, oid: pygit2.Oid) -> tuple[int, bytes]:
        return self._objects[str(oid)]

    def read_header_cb(self, oid: pygit2.Oid) -> tuple[int, int]:
        kind, data = self._objects[str(oid)]
        return kind, len(data)

    def write_cb(self, oid: pygit2.Oid, data: bytes, kind: int) -> None:
        self._objects[str(oid)] = (kind, data)

    def refresh_cb(self) -> None:
        """Nothing to look for: what was written is there."""
