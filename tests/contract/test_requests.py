"""Our requests have the documented shape, and we read the documented answers.

`data/rest.json` holds, for each call, an example request and answer as in Microsoft's OpenAPI files
(values shortened); for `get file diffs`, the fields that these name. A loopback server answers with
the example, and keeps what it was asked.
Source: https://learn.microsoft.com/rest/api/azure/devops/git
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.ado import diffs, pull_requests, pushes, statuses, threads
from shared.ado.credentials import PatCredential
from shared.ado.session import AdoSession
from shared.domain.change import ChangeKind, FileChange
from shared.domain.pull_request import RepositoryRef, StatusNote, StatusState, ThreadStatus
from tests.loopback import QuietHandler, serve_on_loopback

DATA: dict[str, Any] = json.loads(
    Path(__file__).with_name("data").joinpath("rest.json").read_text("utf-8")
)
REPOSITORY = RepositoryRef(
    "fabrikam", "a7573007-bbb3-4341-b726-0c4148a07853", "278d5cd2-584d-4b63-824a-2ba458937249"
)


class Recorder:
    """Answers with an example and keeps what it was asked."""

    def __init__(self) -> None:
        self.example: dict[str, Any] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.url = ""
        """Where it listens, once it is served."""

    def build_handler(self) -> type[QuietHandler]:
        recorder = self

        class Handler(QuietHandler):
            def answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                recorder.asked.append((self.command, self.path, body))
                data = json.dumps(recorder.example["answer"]).encode("utf-8-sig")
                self.send_response(int(recorder.example.get("status", 200)))
                self.send_header("Content-Type", "application/json; charset=utf-8; api-version=7.1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the base class looks for these names

        return Handler


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    with serve_on_loopback(made.build_handler()) as url:
        made.url = url
        yield made


@pytest.fixture
def session(recorder: Recorder) -> Iterator[AdoSession]:
    made = AdoSession(f"{recorder.url}/fabrikam", PatCredential(lambda: "x"))
    yield made
    made.close()


def push(session: AdoSession) -> Any:
    changes = [
        FileChange("tasks.md", ChangeKind.ADD, b"# Tasks\n"),
        FileChange("activetasks.md", ChangeKind.RENAME, None, "old.md"),
        FileChange("gone.md", ChangeKind.DELETE),
    ]
    return pushes.push_branch(
        session,
        REPOSITORY,
        branch="agents/live/v1",
        base_commit="5" * 40,
        changes=changes,
        message="Add",
    )


def open_draft(session: AdoSession) -> Any:
    return pull_requests.open_draft_pull_request(
        session,
        REPOSITORY,
        source_branch="agents/my_work/v1",
        target_branch="new_feature",
        title="t",
        description="d",
    )


def post_status(session: AdoSession) -> Any:
    note = StatusNote("g", "n", StatusState.SUCCEEDED, "d", "http://x")
    return statuses.set_status(session, REPOSITORY, 1, note)


def fetch_lines(session: AdoSession) -> Any:
    path = "MyWebSite/Views/Home/_Home.cshtml"
    changes = diffs.Changes("1" * 40, "2" * 40, (diffs.ChangedFile(path, path, "edit"),))
    return diffs.fetch_changed_lines(session, REPOSITORY, changes, [path])


CALLS: dict[str, tuple[Callable[[AdoSession], Any], Any]] = {
    "create push": (push, "3" * 40),
    "create pull request": (open_draft, 22),
    "get pull request": (
        lambda session: pull_requests.fetch_pull_request(session, REPOSITORY, 22).source_ref,
        "refs/heads/npaulk/my_work",
    ),
    "create comment": (
        lambda session: threads.post_reply(session, REPOSITORY, 22, 148, "c", parent_id=1),
        2,
    ),
    "update thread": (
        lambda session: threads.set_thread_status(
            session, REPOSITORY, 22, 148, ThreadStatus.CLOSED
        ),
        None,
    ),
    "get thread": (
        lambda session: threads.fetch_thread(session, REPOSITORY, 22, 148).comments[0].content,
        "Should we add a comment about what this value means?",
    ),
    "create status": (post_status, 1),
    "get file diffs": (fetch_lines, {"MyWebSite/Views/Home/_Home.cshtml": [(12, 13)]}),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_made_and_answered_as_documented(
    recorder: Recorder, session: AdoSession, name: str
) -> None:
    recorder.example = DATA[name]
    call, expected = CALLS[name]
    assert call(session) == expected
    ((method, path, body),) = recorder.asked
    example = DATA[name]["request"]
    assert method == example["method"]
    assert path.partition("?")[0] == example["path"]
    assert "api-version=7.1" in path
    assert find_undocumented(body, example.get("body")) == set()


def find_undocumented(ours: Any, documented: Any, path: str = "") -> set[str]:
    """List what we send and the example does not know, or knows of another kind."""
    if isinstance(ours, dict) and isinstance(documented, dict):
        found: set[str] = set()
        for key, value in ours.items():
            inside = f"{path}.{key}"
            found |= (
                find_undocumented(value, documented[key], inside) if key in documented else {inside}
            )
        return found
    if isinstance(ours, list) and isinstance(documented, list):
        return {
            fault
            for at, value in enumerate(ours)
            for fault in find_undocumented(
                value, documented[min(at, len(documented) - 1)], f"{path}[{at}]"
            )
        }
    return set() if isinstance(ours, type(documented)) else {path}
