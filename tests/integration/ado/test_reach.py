"""What the client can reach and do: the organisation, and no more than the agent is for."""

import ast
from collections.abc import Iterator

import pytest

from local.azure_devops.running import RunningAzureDevOps
from shared.ado import leftovers, pull_requests, pushes
from shared.ado.credentials import PatCredential
from shared.ado.errors import AdoError
from shared.ado.session import AdoSession
from shared.domain.errors import PolicyError
from shared.domain.pull_request import RepositoryRef
from tests.agent_operations import AGENT_OPERATIONS
from tests.local.functions_host.hosting import REPOSITORY
from tests.loopback import QuietHandler, serve_on_loopback

CANARY_MODULE = "leftovers.py"
WRITES = {
    ("create push", "POST"),
    ("create pull request", "POST"),
    ("create status", "POST"),
    ("create comment", "POST"),
    ("update comment", "PATCH"),
    ("update thread", "PATCH"),
}
"""Every call that changes something; none completes, approves, un-drafts, deletes or forces."""
CANARY_WRITES = {
    ("create thread", "POST"),
    ("delete comment", "DELETE"),
    ("update pull request", "PATCH"),
    ("update refs", "POST"),
}
"""What the canary does besides, in a module of its own, which nothing else imports."""


@pytest.mark.parametrize("branch", ["main", "refs/heads/main", "agent/x", "../agents/x", ""])
def test_no_branch_outside_of_our_folder_is_pushed_or_opened(
    azure_devops: RunningAzureDevOps, session: AdoSession, repository: RepositoryRef, branch: str
) -> None:
    azure_devops.organisation.calls.clear()
    with pytest.raises(PolicyError):
        pushes.push_branch(
            session, repository, branch=branch, base_commit="0" * 40, changes=[], message="m"
        )
    with pytest.raises(PolicyError):
        pull_requests.open_draft_pull_request(
            session, repository, source_branch=branch, target_branch="x", title="t", description=""
        )
    with pytest.raises(PolicyError):
        leftovers.remove_branches(session, repository, branch)
    assert azure_devops.organisation.calls.operations == []


def list_calls(pattern: str = "*.py") -> set[tuple[str, str]]:
    """List operation and method of every call in the source of the client, but the canary's."""
    found: set[tuple[str, str]] = set()
    for path in (REPOSITORY / "shared" / "ado").glob(pattern):
        if path.name == "session.py" or (path.name == CANARY_MODULE and pattern == "*.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) >= 2:
                values = [arg.value for arg in node.args[:3] if isinstance(arg, ast.Constant)]
                words = [value for value in values if isinstance(value, str)]
                if len(words) >= 2 and words[1] in ("GET", "POST", "PATCH", "PUT", "DELETE"):
                    found.add((words[0], words[1]))
    return found


def test_the_client_can_do_nothing_but_what_the_agent_is_for() -> None:
    calls = list_calls()
    assert {call for call in calls if call[1] != "GET"} - READING_POSTS == WRITES
    assert {operation for operation, _ in WRITES} <= AGENT_OPERATIONS


def test_the_canary_alone_cleans_up() -> None:
    calls = list_calls(CANARY_MODULE)
    assert {call for call in calls if call[1] != "GET"} == CANARY_WRITES
    importing = [
        path.name
        for path in (REPOSITORY / "shared").rglob("*.py")
        if "shared.ado.leftovers" in path.read_text("utf-8")
    ]
    assert importing == ["run_canary.py"]


READING_POSTS = {("look up subjects", "POST"), ("get file diffs", "POST")}
"""What many subjects are, and where many files differ, is asked for with a POST."""


def test_the_source_of_the_client_knows_no_word_for_what_it_must_not_do() -> None:
    source = "\n".join(
        path.read_text("utf-8") for path in (REPOSITORY / "shared").rglob("*.py")
    ).lower()
    for word in (
        "completionoptions",
        "autocompletesetby",
        "bypasspolicy",
        '"vote"',
        '"isdraft": false',
        "refs/heads/main",
        '"reviewers"',
    ):
        assert word not in source


class Canary(QuietHandler):
    """Another host, which notes whoever calls it."""

    callers: list[str]

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        self.callers.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"authenticatedUser": {"id": "x"}}')

    do_POST = do_GET  # noqa: N815 - as above


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    callers: list[str] = []
    handler = type("NotingCanary", (Canary,), {"callers": callers})
    with serve_on_loopback(handler) as url:
        yield url, callers


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
def test_no_redirect_is_followed_and_no_credential_leaves(
    canary: tuple[str, list[str]], status: int, content_type: str
) -> None:
    url, callers = canary

    class Redirecting(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
            self.send_response(status)
            self.send_header("Location", f"{url}/steal")
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815 - as above

    with serve_on_loopback(Redirecting) as organisation:
        session = AdoSession(f"{organisation}/contoso", PatCredential(lambda: "pat"))
        with pytest.raises(AdoError):
            session.call("get something", "GET", "_apis/x")
        with pytest.raises(AdoError):
            session.call("post something", "POST", "_apis/x", body={})
        with (
            pytest.raises(AdoError),
            session.download("get archive", "_apis/x", query={}, accept="application/zip"),
        ):
            pass
        session.close()
    assert callers == []


def test_no_other_base_than_the_organisations_is_called(
    canary: tuple[str, list[str]], session: AdoSession
) -> None:
    url, callers = canary
    with pytest.raises(ValueError, match="only the configured organisation"):
        session.call("get something", "GET", "x", base_url=url)
    assert callers == []
