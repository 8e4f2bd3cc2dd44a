"""Snapshots are downloaded once, read in place, and never trusted."""

import threading
import zipfile
from pathlib import Path

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from shared.ado.errors import AdoError, AdoNotFoundError
from shared.ado.session import AdoSession
from shared.ado.snapshots import Snapshot, SnapshotStore
from shared.domain.pull_request import RepositoryRef
from tests.integration.ado.conftest import Tip

MAX_BYTES = 10_000_000


def test_files_are_read_byte_by_byte_and_downloaded_once(
    azure_devops: RunningAzureDevOps,
    session: AdoSession,
    repository: RepositoryRef,
    tip: Tip,
    tmp_path: Path,
) -> None:
    store = SnapshotStore(tmp_path, MAX_BYTES)
    for _ in range(3):
        with store.open(session, repository, tip("main")) as snapshot:
            assert snapshot["docs/windows.txt"] == b"One line.\r\nAnother line.\r\n"
            assert "docs/\u00fcber uns.md" in snapshot
            assert "nothing" not in snapshot
            assert len(snapshot) == len(list(snapshot)) == 13
    assert azure_devops.organisation.calls.operations == ["get items"]


def test_many_at_once_download_it_once(
    azure_devops: RunningAzureDevOps,
    session: AdoSession,
    repository: RepositoryRef,
    tip: Tip,
    tmp_path: Path,
) -> None:
    store = SnapshotStore(tmp_path, MAX_BYTES)
    commit = tip("main")
    read: list[bytes] = []

    def work() -> None:
        with store.open(session, repository, commit) as snapshot:
            read.append(snapshot["README.md"])

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(read)) == 1
    assert len(read) == 8
    assert azure_devops.organisation.calls.operations == ["get items"]


def test_a_torn_archive_is_downloaded_again(
    session: AdoSession, repository: RepositoryRef, tip: Tip, tmp_path: Path
) -> None:
    store = SnapshotStore(tmp_path, MAX_BYTES)
    with store.open(session, repository, tip("main")):
        pass
    (path,) = tmp_path.glob("*.zip")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with store.open(session, repository, tip("main")) as snapshot:
        assert snapshot["README.md"].startswith(b"# Storefront")


def test_a_damaged_file_is_noticed_and_the_archive_thrown_away(
    session: AdoSession, repository: RepositoryRef, tip: Tip, tmp_path: Path
) -> None:
    store = SnapshotStore(tmp_path, MAX_BYTES)
    with store.open(session, repository, tip("main")) as snapshot:
        entry = snapshot._entries["css/site.css"]
    (path,) = tmp_path.glob("*.zip")
    data = bytearray(path.read_bytes())
    start = entry.header_offset + 30 + len(entry.filename) + 20
    data[start : start + 20] = b"x" * 20
    path.write_bytes(data)
    with (
        pytest.raises(AdoError, match=r"ado\.unavailable"),
        store.open(session, repository, tip("main")) as snapshot,
    ):
        assert snapshot["css/site.css"]
    assert not path.exists()


def test_limits_hold(
    session: AdoSession, repository: RepositoryRef, tip: Tip, tmp_path: Path
) -> None:
    with (
        pytest.raises(AdoError, match="snapshot_too_large"),
        SnapshotStore(tmp_path, 100).open(session, repository, tip("main")),
    ):
        pass
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []
    with (
        pytest.raises(AdoNotFoundError),
        SnapshotStore(tmp_path, MAX_BYTES).open(session, repository, "9" * 40),
    ):
        pass


def test_the_archives_used_longest_ago_go_first(
    session: AdoSession, repository: RepositoryRef, tip: Tip, tmp_path: Path
) -> None:
    with SnapshotStore(tmp_path, MAX_BYTES).open(session, repository, tip("main")):
        pass
    (first,) = tmp_path.glob("*.zip")
    room = int(first.stat().st_size * 1.5)
    with SnapshotStore(tmp_path, room).open(session, repository, tip(seed.TOPIC_BRANCH)):
        pass
    assert not first.exists()
    assert len(list(tmp_path.glob("*.zip"))) == 1


@pytest.mark.parametrize("name", ["../up", "a/../../b", "a//b", "a\\b", "./a"])
def test_an_archive_with_paths_that_climb_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "x")
    with zipfile.ZipFile(path) as archive, pytest.raises(AdoError, match="snapshot_refused"):
        Snapshot(archive)


def test_symbolic_links_are_known_and_names_are_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("file", "x")
        archive.writestr(link, "file")
    with zipfile.ZipFile(path) as archive:
        assert Snapshot(archive).symlinks == {"link"}
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("file", "y")
    with zipfile.ZipFile(path) as archive, pytest.raises(AdoError, match="snapshot_refused"):
        Snapshot(archive)


def test_a_bomb_is_refused_before_it_is_unpacked(
    session: AdoSession, repository: RepositoryRef, tmp_path: Path
) -> None:
    path = tmp_path / f"{repository.repository_id}-{'a' * 40}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 100_000_000)
    with (
        pytest.raises(AdoError, match="snapshot_refused"),
        SnapshotStore(tmp_path, MAX_BYTES).open(session, repository, "a" * 40),
    ):
        pass
