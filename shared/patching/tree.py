"""A repository in memory with the changes of an edit on top, and the file that an edit means."""

from collections.abc import Mapping

from shared.domain.change import ChangeKind, FileChange
from shared.patching.paths import plain_path
from shared.patching.script import FileEdit


class Tree:
    """A repository with changes on top; nothing is written to the repository itself."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._written: dict[str, bytes] = {}
        self._gone: set[str] = set()
        self._moved: dict[str, str] = {}
        """New path to the path that a file had at the base."""

    def resolve(self, edit: FileEdit) -> str:
        """Answer the path of the file that an edit means; the path as it was written otherwise.

        A file that is there just so comes first, then one by another name that the edit gives. An
        edit that names no file means the only one there is; one that changes lines may leave out
        leading folders where just one file ends in what it says.
        """
        names = [edit.path, *edit.other_paths]
        names.extend([plain_path(name) for name in names])
        for name in names:
            if self.exists(name):
                return name
        if not edit.path:
            return next(iter(self._files)) if len(self._files) == 1 and not edit.fenced else ""
        plain = plain_path(edit.path)
        if edit.hunks:
            tails = [path for path in self._files if path.endswith("/" + plain)]
            if len(tails) == 1 and self.exists(tails[0]):
                return tails[0]
        return plain

    def exists(self, path: str) -> bool:
        """Tell whether there is a file by now."""
        return path in self._written or path in self._moved or self._is_untouched(path)

    def read(self, path: str) -> bytes:
        """Answer what a file holds by now."""
        if path in self._written:
            return self._written[path]
        return self._files[self._moved.get(path, path)]

    def write(self, path: str, content: bytes) -> None:
        """Create a file or replace its content."""
        self._written[path] = content
        self._gone.discard(path)

    def delete(self, path: str) -> None:
        """Delete a file."""
        self._written.pop(path, None)
        origin = self._moved.pop(path, path)
        if origin in self._files:
            self._gone.add(origin)

    def move(self, path: str, target: str) -> None:
        """Move a file to a path where none is."""
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
        """List what is different from the repository, by path: one change for each.

        A file that takes the path of another one, or whose own path another one takes, is no
        renamed one: the service refuses to rename onto a path that is there.
        """
        changes = [
            change
            for path in {*self._written, *self._moved}
            if (change := self._compare(path)) is not None
        ]
        moved = {change.previous_path for change in changes}
        changes.extend(
            FileChange(path, ChangeKind.DELETE)
            for path in self._gone - moved
            if not self.exists(path)
        )
        return tuple(sorted(changes, key=lambda change: change.path))

    def find_clash(self) -> tuple[str, str] | None:
        """Find a file and one that would lie below it, as in a folder; None where there is none."""
        new = [path for path in {*self._written, *self._moved} if path not in self._files]
        for path in new:
            above = path.rpartition("/")[0]
            while above:
                if self.exists(above):
                    return above, path
                above = above.rpartition("/")[0]
        folders = tuple(f"{path}/" for path in new)
        below = (path for path in self._files if path.startswith(folders) and self.exists(path))
        found = next(below, None)
        return None if found is None else (next(p for p in new if found.startswith(f"{p}/")), found)

    def _compare(self, path: str) -> FileChange | None:
        """Tell what has become of a path that was written or moved to; None for nothing."""
        content, origin = self.read(path), self._moved.get(path)
        if path in self._files:
            is_same = content == self._files[path]
            return None if is_same else FileChange(path, ChangeKind.EDIT, content)
        if origin is None or self.exists(origin):
            return FileChange(path, ChangeKind.ADD, content)
        is_same = content == self._files[origin]
        return FileChange(path, ChangeKind.RENAME, None if is_same else content, origin)
