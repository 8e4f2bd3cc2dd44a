"""The git side of a repository: reads trees, writes commits and refs, packs archives. Real objects.

Source for what a push may say: https://learn.microsoft.com/rest/api/azure/devops/git/pushes/create
"""

import base64
import binascii
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pygit2

from local.azure_devops.errors import (
    ServiceError,
    find_stale,
    miss_commit,
    miss_item,
    refuse_argument,
)

ZERO: Final = "0" * 40
FILE_MODE: Final = pygit2.enums.FileMode.BLOB


@dataclass(frozen=True, slots=True)
class Author:
    """Who commits."""

    name: str
    email: str


class GitStore:
    """One bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._repo: Any = pygit2.Repository(str(path))

    @classmethod
    def create(cls, path: Path) -> "GitStore":
        """Make an empty bare repository whose HEAD is `main`."""
        pygit2.init_repository(str(path), bare=True, initial_head="main")
        return cls(path)

    # Refs

    def list_refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Answer ref names with the ids they point to, in order."""
        found = {}
        for name in sorted(self._repo.listall_references()):
            if name.startswith(prefix):
                found[name] = str(self._repo.lookup_reference(name).target)
        return found

    def find_ref(self, name: str) -> str | None:
        """Answer the commit that a ref points to."""
        try:
            return str(self._repo.lookup_reference(name).target)
        except (KeyError, ValueError):
            return None

    def find_conflict(self, name: str) -> str | None:
        """Answer a ref that a new name cannot stand beside: `a` and `a/b` exclude each other."""
        for other in self._repo.listall_references():
            if other.startswith(f"{name}/") or name.startswith(f"{other}/"):
                return str(other)
        return None

    def set_ref(self, name: str, commit: str) -> None:
        """Create or move a ref."""
        self._repo.references.create(name, pygit2.Oid(hex=commit), force=True)

    def delete_ref(self, name: str) -> None:
        """Delete a ref."""
        self._repo.references.delete(name)

    # Reading

    def resolve(self, version: str, kind: str) -> str:
        """Answer the commit of a branch, tag or commit id.

        Raises:
            ServiceError: TF401175.
        """
        if kind == "commit":
            commit = self._find_commit(version)
            if commit is None:
                raise miss_commit(version)
            return str(commit.id)
        folder = "tags" if kind == "tag" else "heads"
        found = self.find_ref(f"refs/{folder}/{version}")
        if found is None:
            raise miss_commit(version)
        return found

    def has_commit(self, commit: str) -> bool:
        """Answer whether a commit is there."""
        return self._find_commit(commit) is not None

    def _find_commit(self, commit: str) -> Any:
        try:
            found = self._repo.get(pygit2.Oid(hex=commit))
        except ValueError:
            return None
        return found if isinstance(found, pygit2.Commit) else None

    def read_commit(self, commit: str) -> dict[str, Any]:
        """Answer a commit in the service's shape, without links."""
        found = self._find_commit(commit)
        if found is None:
            raise miss_commit(commit)
        return {
            "treeId": str(found.tree_id),
            "commitId": str(found.id),
            "author": _write_signature(found.author),
            "committer": _write_signature(found.committer),
            "comment": found.message,
            "parents": [str(parent) for parent in found.parent_ids],
        }

    def walk(self, commit: str) -> Iterator[str]:
        """Answer a commit and its ancestors, newest first."""
        for found in self._repo.walk(pygit2.Oid(hex=commit), pygit2.enums.SortMode.TIME):
            yield str(found.id)

    def find_merge_base(self, first: str, second: str) -> str:
        """Answer the common ancestor of two commits; empty when there is none."""
        base = self._repo.merge_base(pygit2.Oid(hex=first), pygit2.Oid(hex=second))
        return str(base) if base is not None else ""

    def read_file(self, commit: str, path: str) -> bytes:
        """Answer a file's bytes.

        Raises:
            ServiceError: TF401174.
        """
        entry = self._find_entry(commit, path)
        if entry is None or not isinstance(entry, pygit2.Blob):
            raise miss_item(path, commit)
        return bytes(entry.data)

    def read_item(self, commit: str, path: str) -> dict[str, Any]:
        """Answer what is known of a file or folder."""
        entry = self._find_entry(commit, path)
        if entry is None:
            raise miss_item(path, commit)
        return _write_item(commit, path, entry)

    def list_items(self, commit: str, path: str, *, deep: bool) -> list[dict[str, Any]]:
        """Answer a folder and what is in it."""
        root = self._find_entry(commit, path)
        if root is None:
            raise miss_item(path, commit)
        items = [_write_item(commit, path, root)]
        waiting = [(path.strip("/"), root)]
        while waiting:
            folder, tree = waiting.pop(0)
            if not isinstance(tree, pygit2.Tree):
                continue
            for entry in tree:
                inside = f"{folder}/{entry.name}".lstrip("/")
                items.append(_write_item(commit, f"/{inside}", entry))
                if deep and isinstance(entry, pygit2.Tree):
                    waiting.append((inside, entry))
        return items

    def _find_entry(self, commit: str, path: str) -> Any:
        found = self._find_commit(commit)
        if found is None:
            raise miss_commit(commit)
        inside = path.strip("/")
        if not inside:
            return found.tree
        try:
            return found.tree[inside]
        except KeyError:
            return None

    def write_zip(self, commit: str) -> bytes:
        """Pack the tree of a commit. Links keep their mode, as in `git archive`."""
        buffer = io.BytesIO()
        found = self._find_commit(commit)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            waiting = [("", found.tree)]
            while waiting:
                folder, tree = waiting.pop()
                for entry in tree:
                    path = f"{folder}{entry.name}"
                    if isinstance(entry, pygit2.Tree):
                        waiting.append((f"{path}/", entry))
                    elif isinstance(entry, pygit2.Blob):
                        info = zipfile.ZipInfo(path)
                        info.compress_type = zipfile.ZIP_DEFLATED
                        info.external_attr = int(entry.filemode) << 16
                        archive.writestr(info, entry.data)
        return buffer.getvalue()

    def list_changes(self, before: str | None, after: str) -> list[dict[str, Any]]:
        """Answer the files that differ between two commits; renames are found."""
        new = self._find_commit(after).tree
        if before:
            diff = self._find_commit(before).tree.diff_to_tree(new)
        else:
            diff = new.diff_to_tree(swap=True)
        diff.find_similar()
        return [_write_change(delta) for delta in diff.deltas]

    def write_diff(self, before: str, after: str) -> str:
        """Answer the unified diff between two commits."""
        diff = self._find_commit(before).tree.diff_to_tree(self._find_commit(after).tree)
        diff.find_similar()
        return diff.patch or ""

    # Writing

    def push(self, ref: str, old: str, commit: dict[str, Any], author: Author) -> str:
        """Put a commit on top of a ref that must be at `old`; answers its id.

        `old` of zeros creates the ref, on top of the commit's own `parents`; any other `old` with a
        new ref name branches off it.

        Raises:
            ServiceError: 409 for a stale ref, 400 for changes that do not fit.
        """
        current = self.find_ref(ref)
        if current is not None and current != old:
            raise find_stale(ref)
        if current is None and old == ZERO:
            parents = [str(parent) for parent in commit.get("parents") or []]
        else:
            parents = [old]
        if current is None and (clash := self.find_conflict(ref)):
            raise ServiceError(
                409,
                "GitReferenceNameConflictException",
                f"TF402455: The reference '{ref}' conflicts with '{clash}'.",
            )
        for parent in parents:
            if not self.has_commit(parent):
                raise miss_commit(parent)
        tree = self._write_tree(parents[0] if parents else None, commit.get("changes") or [])
        message = str(commit.get("comment") or "")
        new = self.commit(tree, parents, message, author)
        self.set_ref(ref, new)
        return new

    def commit(self, tree: str, parents: list[str], message: str, author: Author) -> str:
        """Write a commit object."""
        signature = pygit2.Signature(author.name, author.email, int(datetime.now(UTC).timestamp()))
        oids = [pygit2.Oid(hex=parent) for parent in parents]
        return str(
            self._repo.create_commit(
                None, signature, signature, message, pygit2.Oid(hex=tree), oids
            )
        )

    def merge(self, ours: str, theirs: str) -> str | None:
        """Merge two commits in memory; answers the tree, or None on conflict."""
        index = self._repo.merge_commits(pygit2.Oid(hex=ours), pygit2.Oid(hex=theirs))
        if index.conflicts is not None:
            return None
        return str(index.write_tree(self._repo))

    def _write_tree(self, base: str | None, changes: list[dict[str, Any]]) -> str:
        index = pygit2.Index()
        if base is not None:
            index.read_tree(self._find_commit(base).tree)
        if not changes:
            raise refuse_argument("A commit of a push needs at least one change.")
        for change in changes:
            _apply_change(self._repo, index, change)
        return str(index.write_tree(self._repo))


def _apply_change(repo: Any, index: Any, change: dict[str, Any]) -> None:
    path = _check_path(str((change.get("item") or {}).get("path") or ""))
    kinds = {part.strip() for part in str(change.get("changeType", "")).split(",")}
    exists = path in index
    if kinds == {"add"}:
        if exists:
            raise refuse_argument(f"The path '/{path}' specified in the add operation exists.")
        if any(entry.path.startswith(f"{path}/") for entry in index):
            raise refuse_argument(f"The path '/{path}' is a folder.")
        _write_blob(repo, index, path, FILE_MODE, change)
    elif kinds == {"edit"}:
        _require(path, exists)
        _write_blob(repo, index, path, index[path].mode, change)
    elif kinds == {"delete"}:
        _require(path, exists)
        index.remove(path)
    elif kinds == {"rename"}:
        source = _check_path(str(change.get("sourceServerItem") or ""))
        _require(source, source in index)
        if exists:
            raise refuse_argument(f"The path '/{path}' specified in the rename exists.")
        entry = index[source]
        index.remove(source)
        index.add(pygit2.IndexEntry(path, entry.id, entry.mode))
    else:
        raise refuse_argument(f"The change type {change.get('changeType')!r} is not supported.")


def _require(path: str, exists: bool) -> None:  # noqa: FBT001 - reads as "require the path"
    if not exists:
        raise refuse_argument(f"TF401174: The item '/{path}' could not be found.")


def _write_blob(repo: Any, index: Any, path: str, mode: Any, change: dict[str, Any]) -> None:
    new = change.get("newContent")
    if not isinstance(new, dict) or not isinstance(new.get("content"), str):
        raise refuse_argument(f"The change of '/{path}' has no newContent.")
    content_type = str(new.get("contentType", "rawtext")).lower()
    if content_type == "base64encoded":
        try:
            data = base64.b64decode(new["content"], validate=True)
        except (binascii.Error, ValueError):
            raise refuse_argument(f"The content of '/{path}' is not base64.") from None
    elif content_type == "rawtext":
        data = new["content"].encode("utf-8", "surrogatepass")
    else:
        raise refuse_argument(f"The content type {content_type!r} is not known.")
    index.add(pygit2.IndexEntry(path, repo.create_blob(data), mode))


def _check_path(path: str) -> str:
    inside = path.lstrip("/")
    parts = inside.split("/")
    if not inside or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise refuse_argument(f"The path '{path}' is not valid.")
    return inside


def _write_signature(signature: Any) -> dict[str, str]:
    moment = datetime.fromtimestamp(signature.time, UTC)
    return {
        "name": signature.name,
        "email": signature.email,
        "date": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _write_item(commit: str, path: str, entry: Any) -> dict[str, Any]:
    is_folder = isinstance(entry, pygit2.Tree)
    item: dict[str, Any] = {
        "objectId": str(entry.id),
        "gitObjectType": "tree" if is_folder else "blob",
        "commitId": commit,
        "path": "/" + path.strip("/"),
    }
    if is_folder:
        item["isFolder"] = True
    return item


_DELTAS: Final = {"A": "add", "M": "edit", "D": "delete", "R": "rename", "T": "edit"}


def _write_change(delta: Any) -> dict[str, Any]:
    kind = _DELTAS.get(delta.status_char(), "edit")
    old, new = delta.old_file, delta.new_file
    file = old if kind == "delete" else new
    change: dict[str, Any] = {
        "item": {
            "objectId": str(new.id),
            "originalObjectId": str(old.id),
            "gitObjectType": "blob",
            "path": f"/{file.path}",
        },
        "changeType": kind,
    }
    if kind == "rename":
        change["sourceServerItem"] = f"/{old.path}"
        if str(old.id) != str(new.id):
            change["changeType"] = "edit, rename"
    return change
