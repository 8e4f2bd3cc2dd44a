"""Reads commits of a local git repository, for the dry run: trees by `ls-tree`, blobs in one batch.

Nothing of the repository is run or followed: no hooks, no links, no submodules, no fetching.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from typing_extensions import override

MAX_BLOB_BYTES: Final = 64 * 1024 * 1024
"""A larger file is not there at all."""
_ENVIRONMENT: Final = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class CommitError(Exception):
    """A commit or blob cannot be read; the message says what git said."""


class CommitFiles(Mapping[str, bytes]):
    """The regular files of one commit, path to content, read when they are asked for."""

    def __init__(self, repository: "GitRepository", blob_ids: Mapping[str, str]) -> None:
        self._repository = repository
        self.blob_ids = blob_ids
        """Path to git's id of its content."""

    @override
    def __getitem__(self, path: str) -> bytes:
        return self._repository.read_blob(self.blob_ids[path])

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self.blob_ids)

    @override
    def __len__(self) -> int:
        return len(self.blob_ids)


class GitRepository:
    """A repository on disk. One process reads its blobs until the end of the `with` block."""

    def __init__(self, directory: Path) -> None:
        self._git = ("git", "-c", "safe.directory=*", "-C", str(directory))
        self._reader: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def open_commit(self, commit: str) -> CommitFiles:
        """List the files of a commit, whatever name git knows it by.

        Raises:
            CommitError: there is no such commit.
        """
        if not commit or not commit.isprintable():
            raise CommitError("not the name of a commit")
        tree = self._run("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")
        listed = self._run("ls-tree", "-r", "-l", "-z", "--full-tree", tree.decode().strip())
        return CommitFiles(self, dict(_read_tree(listed)))

    def read_blob(self, blob_id: str) -> bytes:
        """Read a blob.

        Raises:
            CommitError: it is not there, or the reader ended.
        """
        asking, answering = self._start()
        try:
            asking.write(blob_id.encode() + b"\n")
            asking.flush()
            header = answering.readline().split()
            size = int(header[2]) if len(header) == 3 else -1
            content = answering.read(size + 1)
        except (OSError, ValueError) as error:
            self._stop()
            raise CommitError(f"git does not answer: {error}") from error
        if size < 0 or len(content) != size + 1:
            self._stop()  # what it would say next belongs to no question
            raise CommitError(f"no blob {blob_id}")
        return content[:-1]

    def _run(self, *arguments: str) -> bytes:
        done = subprocess.run(  # noqa: S603  the arguments are ours, the commit is behind --end-of-options
            [*self._git, *arguments],
            capture_output=True,
            check=False,
            env={**os.environ, **_ENVIRONMENT},
        )
        if done.returncode != 0:
            raise CommitError(done.stderr.decode("utf-8", "replace").strip()[:300])
        return done.stdout

    def _start(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._reader is None:
            self._reader = subprocess.Popen(  # noqa: S603  fixed arguments
                [*self._git, "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_ENVIRONMENT},
            )
        asking, answering = self._reader.stdin, self._reader.stdout
        if asking is None or answering is None:
            raise CommitError("git has no pipes")
        return asking, answering

    def _stop(self) -> None:
        if self._reader is not None:
            self._reader.kill()
            self._reader.communicate()
            self._reader = None


def _read_tree(listed: bytes) -> Iterator[tuple[str, str]]:
    """Read `mode type id size<tab>path` entries; regular files only, and none too large."""
    for entry in listed.split(b"\0"):
        facts, _, path = entry.partition(b"\t")
        parts = facts.split()
        if len(parts) == 4 and parts[0].startswith(b"100") and int(parts[3]) <= MAX_BLOB_BYTES:
            yield path.decode("utf-8", "replace"), parts[2].decode()
