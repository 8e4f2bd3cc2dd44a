"""Repositories at a commit, as the service packs them: downloaded once, read from the archive.

A commit never changes, so an archive on disk is good for ever; the least recently used ones go when
there are too many. Nothing is unpacked, and nothing in an archive is trusted.
Source: https://learn.microsoft.com/rest/api/azure/devops/git/items/get (`$format=zip`)
"""

import contextlib
import os
import stat
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from typing_extensions import override

from shared.ado.errors import AdoError
from shared.ado.pull_requests import build_repository_path
from shared.ado.session import AdoSession
from shared.domain.pull_request import RepositoryRef

MAX_FILES: Final = 200_000
MAX_UNPACKED_RATIO: Final = 200
"""How much larger than its archive a repository may be; text packs some ten to one."""
MIN_UNPACKED_BYTES: Final = 64 * 1024 * 1024
"""Whatever the ratio: this much is harmless."""


class Snapshot(Mapping[str, bytes]):
    """The files of a repository at one commit, path to content, read when they are asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._entries: dict[str, zipfile.ZipInfo] = {}
        symlinks: set[str] = set()
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            path = _check_path(entry.filename)
            if path in self._entries:
                raise AdoError("ado.snapshot_refused", operation="read snapshot")
            self._entries[path] = entry
            if stat.S_ISLNK(entry.external_attr >> 16):
                symlinks.add(path)
        self.symlinks = frozenset(symlinks)
        """Paths that are symbolic links, as far as the archive says so."""

    @override
    def __getitem__(self, path: str) -> bytes:
        entry = self._entries[path]
        with self._lock, self._archive.open(entry) as source:
            # never more than the entry itself declared, which `_check_size` has added up
            content = source.read(entry.file_size + 1)
        if len(content) > entry.file_size:
            raise AdoError("ado.snapshot_refused", operation="read snapshot")
        return content

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    @override
    def __len__(self) -> int:
        return len(self._entries)

    @override
    def __contains__(self, path: object) -> bool:
        return path in self._entries


class SnapshotStore:
    """Archives on local disk, shared by the threads and processes of one machine."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def open(
        self, session: AdoSession, repository: RepositoryRef, commit: str
    ) -> Iterator[Snapshot]:
        """Open the repository at a commit, downloading it when it is not there.

        Raises:
            AdoError: `ado.snapshot_too_large`, `ado.snapshot_refused`, or what the download meets.
        """
        path = self._directory / f"{repository.repository_id}-{commit}.zip"
        with self._lock:  # two variants that need the same archive download it once
            if not _is_whole(path):
                self._download(session, repository, commit, path)
            os.utime(path)
        with zipfile.ZipFile(path) as archive:
            _check_size(archive, path.stat().st_size)
            try:
                yield Snapshot(archive)
            except (zipfile.BadZipFile, zlib.error) as error:
                path.unlink(missing_ok=True)  # damaged: the next attempt downloads it again
                raise AdoError("ado.unavailable", operation="read snapshot") from error

    def _download(
        self, session: AdoSession, repository: RepositoryRef, commit: str, path: Path
    ) -> None:
        query = {
            "path": "/",
            "scopePath": "/",
            "$format": "zip",
            "download": "true",
            "versionDescriptor.version": commit,
            "versionDescriptor.versionType": "commit",
        }
        self._directory.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._directory, suffix=".part")
        partial = Path(name)
        try:
            with os.fdopen(handle, "wb") as target:
                url = build_repository_path(repository, "items")
                with session.download(
                    "get snapshot", url, query=query, accept="application/zip"
                ) as pieces:
                    size = 0
                    for piece in pieces:
                        size += len(piece)
                        if size > self._max_bytes:
                            raise AdoError("ado.snapshot_too_large", operation="get snapshot")
                        target.write(piece)
            if not _is_whole(partial):
                raise AdoError("ado.unavailable", operation="get snapshot")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        self._prune(keep=path)

    def _prune(self, *, keep: Path) -> None:
        """Remove the archives that were used longest ago until the rest fits."""
        aged: list[tuple[float, int, Path]] = []
        for path in self._directory.glob("*.zip"):
            with contextlib.suppress(FileNotFoundError):  # another process was quicker
                known = path.stat()
                aged.append((known.st_mtime, known.st_size, path))
        total = sum(size for _, size, _ in aged)
        for _, size, path in sorted(aged):
            if total <= self._max_bytes:
                break
            if path != keep:
                path.unlink(missing_ok=True)
                total -= size


def _is_whole(path: Path) -> bool:
    """Answer whether an archive is there with its directory, which stands at its end."""
    try:
        with zipfile.ZipFile(path):
            return True
    except (OSError, zipfile.BadZipFile):
        return False


def _check_path(name: str) -> str:
    path = name.lstrip("/")
    if "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise AdoError("ado.snapshot_refused", operation="read snapshot")
    return path


def _check_size(archive: zipfile.ZipFile, packed_bytes: int) -> None:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_FILES:
        raise AdoError("ado.snapshot_too_large", operation="read snapshot")
    if unpacked > max(MIN_UNPACKED_BYTES, MAX_UNPACKED_RATIO * packed_bytes):
        raise AdoError("ado.snapshot_refused", operation="read snapshot")
