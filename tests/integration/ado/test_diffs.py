"""Which files a pull request changes, and which of their lines, over the stand-in."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.git_store import Author
from local.azure_devops.running import RunningAzureDevOps
from shared.ado.credentials import PatCredential
from shared.ado.diffs import (
    FILES_PER_CALL,
    ChangedFile,
    Changes,
    fetch_changed_lines,
    fetch_changes,
)
from shared.ado.errors import AdoError, AdoNotFoundError
from shared.ado.session import AdoSession
from shared.domain.pull_request import RepositoryRef
from tests.integration.ado.conftest import Tip
from tests.local.azure_devops.client import ZERO, change
from tests.loopback import QuietHandler, serve_on_loopback

LINES = [f"line {number}" for number in range(1, 41)]

Commit = Callable[..., str]


@pytest.fixture
def commit(azure_devops: RunningAzureDevOps, repository: RepositoryRef, tip: Tip) -> Commit:
    """Put a commit of changes onto a branch, which begins at `start` when it is new."""
    store = azure_devops.organisation.open_store(repository.repository_id)

    def push(branch: str, *changes: dict[str, Any], start: str = ZERO) -> str:
        author = Author("Jamal", "jamal@example.com")
        body = {"comment": "c", "changes": list(changes)}
        return store.push(f"refs/heads/{branch}", tip(branch) or start, body, author)

    return push


def write(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def test_changed_files_are_those_since_the_branch_began(
    session: AdoSession, repository: RepositoryRef, tip: Tip, commit: Commit
) -> None:
    began = tip("main")
    commit("main", change("edit", "/README.md", "moved on"))
    found = fetch_changes(
        session, repository, base_commit=tip("main"), head_commit=tip(seed.TOPIC_BRANCH)
    )
    assert {file.path for file in found.files} == {"checkout.html", "css/checkout.css"}
    assert found.common_commit == began
    nothing = fetch_changes(session, repository, base_commit="", head_commit=tip("main"))
    assert nothing == Changes("", tip("main"), ())
    assert fetch_changed_lines(session, repository, nothing, ["README.md"]) == {}


def test_lines_are_those_of_edited_files_as_the_head_numbers_them(
    azure_devops: RunningAzureDevOps,
    session: AdoSession,
    repository: RepositoryRef,
    tip: Tip,
    commit: Commit,
) -> None:
    commit(
        "main",
        *(change("add", f"/{name}", write(LINES)) for name in ("a.txt", "b.txt", "same.txt")),
        change("add", "/gone.txt", "x\n"),
        change("add", "/blob.xyz", "a\0b\n"),
        change("add", "/emptied.txt", write(LINES)),
    )
    edited = [*LINES[:4], "five", "new", *LINES[5:20], *LINES[23:38], "39", "40", "41"]
    head = commit(
        "topic",
        change("edit", "/a.txt", write(edited)),
        change("rename", "/c.txt", sourceServerItem="/b.txt"),
        change("edit", "/c.txt", write([*LINES[:9], "ten", *LINES[10:]])),
        change("rename", "/moved.txt", sourceServerItem="/same.txt"),
        change("delete", "/gone.txt"),
        change("edit", "/blob.xyz", "a\0c\n"),
        change("edit", "/emptied.txt", ""),
        change("add", "/added.txt", "new\n"),
        start=tip("main"),
    )
    commit("main", change("edit", "/a.txt", write(["elsewhere", *LINES[1:]])))
    changes = fetch_changes(session, repository, base_commit=tip("main"), head_commit=head)
    paths = [file.path for file in changes.files]
    assert {"added.txt", "gone.txt", "moved.txt", "c.txt"} <= set(paths)
    azure_devops.organisation.calls.clear()
    assert fetch_changed_lines(session, repository, changes, [*paths, "not/there"]) == {
        "a.txt": [(5, 6), (22, 21), (37, 39)],
        "c.txt": [(10, 10)],
        "emptied.txt": [(1, 0)],
    }
    assert azure_devops.organisation.calls.operations == ["get file diffs"]
    assert azure_devops.organisation.calls.writes == 0


def test_one_call_asks_about_the_first_that_fit(
    azure_devops: RunningAzureDevOps,
    session: AdoSession,
    repository: RepositoryRef,
    tip: Tip,
    commit: Commit,
) -> None:
    names = [f"f{number:02}.txt" for number in range(FILES_PER_CALL + 3)]
    commit("main", *(change("add", f"/{name}", "old\n") for name in names))
    edits = [change("edit", f"/{name}", "new\n") for name in names]
    head = commit("topic", *edits, start=tip("main"))
    changes = fetch_changes(session, repository, base_commit=tip("main"), head_commit=head)
    found = fetch_changed_lines(session, repository, changes, reversed(names))
    assert sorted(found) == names[3:]
    assert azure_devops.organisation.calls.operations.count("get file diffs") == 1


def test_a_file_that_is_not_there_spoils_the_call(
    session: AdoSession, repository: RepositoryRef, tip: Tip
) -> None:
    lost = ChangedFile("README.md", "old/README.md", "edit, rename")
    changes = Changes(tip("main"), tip("main"), (lost,))
    with pytest.raises(AdoNotFoundError):
        fetch_changed_lines(session, repository, changes, ["README.md"])


def answer_diffs(value: Any, *files: ChangedFile) -> dict[str, Any]:
    """Ask a service that answers whatever it is told to."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - the base class looks for this name
            self.rfile.read(int(self.headers["Content-Length"]))
            data = json.dumps({"value": value}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    changes = Changes("a" * 40, "b" * 40, files)
    with serve_on_loopback(Handler) as url:
        session = AdoSession(f"{url}/contoso", PatCredential(lambda: "x"))
        try:
            return dict(
                fetch_changed_lines(
                    session,
                    RepositoryRef("contoso", "p", "r"),
                    changes,
                    [file.path for file in files],
                )
            )
        finally:
            session.close()


def block(kind: Any, start: int, count: Any) -> dict[str, Any]:
    return {"changeType": kind, "modifiedLineNumberStart": start, "modifiedLinesCount": count}


def test_no_answer_leads_out_of_what_was_asked() -> None:
    file = ChangedFile("a.txt", "a.txt", "edit")
    blocks = [
        block("none", 1, 10**9),
        block(0, 1, 50),
        block(3, 20, 2),
        block("Add", 8, 3),
        block("edit", 9, 5),
        block("edit", -5, -7),
        block("edit", 10**12, 10**12),
        {"changeType": None},
        {},
    ]
    found = answer_diffs(
        [
            {"path": "/a.txt", "lineDiffBlocks": blocks},
            {"path": "/other.txt", "lineDiffBlocks": [block("add", 1, 1)]},
            {"originalPath": "/gone.txt"},
            {"path": "/a.bin", "lineDiffBlocks": None},
        ],
        file,
    )
    assert found == {"a.txt": [(1, 0), (8, 13), (20, 21), (10**7, 2 * 10**7 - 1)]}
    for wrong in (None, "x", [1], [{"path": 1}], [{"lineDiffBlocks": [block("add", 1, 0.5)]}]):
        with pytest.raises(AdoError, match=r"ado\.unexpected_answer"):
            answer_diffs(wrong, file)
