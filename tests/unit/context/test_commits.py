import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.context.commits import CommitError, GitRepository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/drawer.py").write_text("class Drawer: ...\n")
    (tmp_path / "src/paper.py").write_text("class Paper: ...\n")
    (tmp_path / "link.py").symlink_to("src/drawer.py")
    run_git(tmp_path, "init", "-q", "-b", "main")
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "commit", "-qm", "Begin")
    (tmp_path / "src/drawer.py").unlink()
    run_git(tmp_path, "commit", "-qam", "Go on")
    return tmp_path


def run_git(directory: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", str(directory), *identity, *arguments], check=True)


def ask(repository: Path, *orders: Any) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-m", "shared.context", "--repo", str(repository)],
        input="\n".join(o if isinstance(o, str) else json.dumps(o) for o in orders),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_commit_has_its_regular_files(repository: Path) -> None:
    with GitRepository(repository) as opened:
        files = opened.open_commit("HEAD~1")
        assert dict(files) == {
            "src/drawer.py": b"class Drawer: ...\n",
            "src/paper.py": b"class Paper: ...\n",
        }
        assert set(opened.open_commit("main")) == {"src/paper.py"}


@pytest.mark.parametrize("name", ["", "nowhere", "--help", "HEAD\n", "HEAD:src/paper.py", "\0"])
def test_what_is_no_commit_is_refused(repository: Path, name: str) -> None:
    with GitRepository(repository) as opened, pytest.raises(CommitError):
        opened.open_commit(name)


def test_a_blob_that_is_not_there_spoils_nothing(repository: Path) -> None:
    with GitRepository(repository) as opened:
        for missing in ("0" * 40, "not a blob"):
            with pytest.raises(CommitError):
                opened.read_blob(missing)
        assert opened.open_commit("HEAD")["src/paper.py"] == b"class Paper: ...\n"


def test_each_line_is_answered_whatever_stands_there(repository: Path) -> None:
    answers = ask(
        repository,
        {"commit": "HEAD~1", "request": "open the drawer"},
        "nonsense",
        {"commit": "nowhere", "request": "open the drawer"},
        {"commit": "HEAD"},
        {"commit": "HEAD", "request": {"text": "open the drawer \ud800 or the paper"}},
        "[" * 100_000,
    )
    assert answers[0] == {"ranking": ["src/drawer.py"]}
    assert answers[4] == {"ranking": ["src/paper.py"]}
    assert [list(answers[at]) for at in (1, 2, 3, 5)] == [["error"]] * 4
