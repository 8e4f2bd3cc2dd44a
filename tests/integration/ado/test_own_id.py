"""Who we are: from the header of any answer, or by asking once where there is none."""

import json
import logging
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from shared.ado.credentials import PatCredential
from shared.ado.errors import AdoNotFoundError
from shared.ado.identities import find_own_id
from shared.ado.pull_requests import fetch_pull_request
from shared.ado.session import AdoSession
from shared.ado.threads import fetch_thread, post_reply
from shared.domain.pull_request import RepositoryRef
from tests.loopback import QuietHandler, serve_on_loopback

ASKED = "33333333-aaaa-bbbb-cccc-333333333333"
TOLD = "11111111-AAAA-bbbb-cccc-222222222222"


def test_an_answer_says_who_we_are_as_our_comments_do(
    azure_devops: RunningAzureDevOps, session: AdoSession, repository: RepositoryRef
) -> None:
    path = f"{repository.project_id}/_apis/git/repositories/{repository.repository_id}"
    body = {"comments": [{"content": "hello"}], "status": 1}
    made = json.loads(
        session.call("create thread", "POST", f"{path}/pullRequests/1/threads", body=body)
    )
    post_reply(session, repository, 1, made["id"], "hi", parent_id=1)
    assert find_own_id(session) == seed.CODE_AGENT.id
    thread = fetch_thread(session, repository, 1, made["id"])
    assert {comment.author.id for comment in thread.comments} == {find_own_id(session)}
    assert "get connection data" not in azure_devops.organisation.calls.operations


def test_before_any_answer_it_is_asked_for(
    azure_devops: RunningAzureDevOps, session: AdoSession
) -> None:
    assert {find_own_id(session) for _ in range(3)} == {seed.CODE_AGENT.id}
    assert azure_devops.organisation.calls.operations == ["get connection data"]


def test_a_refusal_does_not_say_who_we_are(session: AdoSession, repository: RepositoryRef) -> None:
    with pytest.raises(AdoNotFoundError):
        fetch_pull_request(session, repository, 99)
    assert session.own_id is None


@pytest.mark.parametrize(
    ("header", "expected", "questions"),
    [
        (f"{TOLD}:agent@contoso.example", TOLD.lower(), 0),
        (f"{TOLD}:", TOLD.lower(), 0),
        (None, ASKED, 1),
        ("", ASKED, 1),
        ("aad.QUJD:Code Agent", ASKED, 1),
        (f"aad.{TOLD}:Code Agent", ASKED, 1),
        (TOLD, ASKED, 1),
        (f"{TOLD}0:agent@contoso.example", ASKED, 1),
        ("00000000-0000-0000-0000-000000000000:", ASKED, 1),
    ],
)
def test_what_is_no_id_in_the_header_is_asked_for_once(
    caplog: pytest.LogCaptureFixture, header: str | None, expected: str, questions: int
) -> None:
    caplog.set_level(logging.DEBUG)
    asked: list[str] = []

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 - the base class looks for this name
            asked.append(self.path.partition("?")[0])
            answer: Any = {"authenticatedUser": {"id": ASKED}, "id": 1}
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            if header is not None:
                self.send_header("X-VSS-UserData", header)
            self.end_headers()
            self.wfile.write(data)

    with serve_on_loopback(Handler) as url:
        session = AdoSession(f"{url}/contoso", PatCredential(lambda: "x"))
        fetch_thread(session, RepositoryRef("contoso", "p", "r"), 1, 1)
        assert {find_own_id(session) for _ in range(2)} == {expected}
        session.close()
    assert asked.count("/contoso/_apis/connectionData") == questions
    assert "agent@contoso.example" not in caplog.text + repr(vars(session))
