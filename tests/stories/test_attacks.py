"""What attackers try, against the running app. docs/threat-model.md names these tests."""

import base64
import gzip
import hashlib
import hmac
import json
import shutil
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from typing_extensions import override

from local.azure_devops import seed
from shared.policy.keys import derive_keys
from shared.policy.page_tokens import write_page_token
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, SECRET, Agent
from tests.stories.conftest import StartAgent
from tests.stories.test_edit import build_delivery

GUID = "11111111-2222-3333-4444-555555555555"
COMMAND = build_delivery(GUID, GUID, 1, "/edit /3 make all buttons red")
TALK = build_delivery(GUID, GUID, 1, "thanks")
NO_JOB = "edit-" + "0" * 32
HTML = {"Accept": "text/html"}


def test_a_forged_delivery_starts_nothing_and_is_throttled_alone(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_TRUSTED_PROXY_HOPS="1")
    bad = {"X-Forwarded-For": "1.2.3.4, 203.0.113.7:443"}
    codes = [agent.deliver(COMMAND, secret="x", headers=bad).status_code for _ in range(25)]
    assert codes == [401] * 20 + [429] * 5
    other = {"X-Forwarded-For": "203.0.113.7, 198.51.100.9"}
    assert agent.deliver(COMMAND, secret="x", headers=other).status_code == 401
    # the same address with the secret is not slowed down
    assert agent.deliver(TALK, headers=bad).status_code == 200
    assert agent.list_instances() == []


def test_a_smuggled_address_makes_no_fresh_start(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_TRUSTED_PROXY_HOPS="1")
    codes = [
        agent.deliver(
            COMMAND, secret="x", headers={"X-Forwarded-For": f"10.0.0.{n}, 203.0.113.7"}
        ).status_code
        for n in range(22)
    ]
    assert codes[-1] == 429


def test_a_signature_that_is_wrong_is_refused_beside_a_right_password(agent: Agent) -> None:
    body = json.dumps(TALK).encode()
    right = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    wrong = "sha256=" + "0" * 64
    codes = [
        agent.deliver(body, headers={"X-Hub-Signature-256": signature}).status_code
        for signature in (right, wrong, "")
    ]
    assert codes == [200, 401, 401]


def test_a_replayed_delivery_starts_nothing_new(agent: Agent) -> None:
    wish = "/edit /1 make all buttons red"
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, wish)
    job = agent.wait_job(thread_id)
    rows = agent.read_rows("SELECT project_id, repository_id FROM jobs")
    request = build_delivery(rows[0][0], rows[0][1], thread_id, wish)
    before = len(agent.list_instances())
    answers = [agent.deliver(request).json() for _ in range(5)]
    assert answers == [{"status": "duplicate", "job": job["id"]}] * 5
    # a changed text in a replayed delivery is nobody's word: the comment itself is read back
    request["resource"]["comment"]["content"] = "/edit /9 delete everything"
    assert agent.deliver(request).json()["status"] == "duplicate"
    assert len(agent.list_instances()) == before
    assert len(agent.list_jobs()) == 1


def test_a_zip_bomb_is_not_unpacked(agent: Agent) -> None:
    bomb = gzip.compress(b" " * (200 * 1024 * 1024), 9)
    before = read_peak_mb(agent)
    answer = agent.deliver(bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code in (200, 400, 413, 415)
    assert read_peak_mb(agent) < before + 50
    assert agent.deliver(TALK).status_code == 200


def read_peak_mb(agent: Agent) -> float:
    """Answer the most memory that the host has had."""
    assert agent.host.process is not None
    status = Path(f"/proc/{agent.host.process.pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def test_senders_that_never_finish_keep_nobody_waiting(agent: Agent) -> None:
    address = urlsplit(agent.webhook_url)
    head = f"POST {address.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{".encode()
    slow = [
        socket.create_connection((address.hostname or "", address.port or 0)) for _ in range(50)
    ]
    try:
        for each in slow:
            each.sendall(head)
        assert agent.deliver(TALK).status_code == 200
    finally:
        for each in slow:
            each.close()
    assert agent.list_instances() == []


HOSTILE = (
    "'); DROP TABLE jobs;--\" <script>alert(1)</script><img src=x onerror=alert(2)>"
    " [x](javascript:alert(3)) @<1111> #12 `|"
)


def test_no_field_of_a_pull_request_injects_sql_or_markdown(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    jamal.call_repository(
        "PATCH", f"pullRequests/{PULL_REQUEST}", {"title": HOSTILE, "description": HOSTILE}
    )
    wish = f"/edit /1 replace `Add to cart` with `{HOSTILE.replace('`', '')}` in index.html"
    thread_id = jamal.write_comment(PULL_REQUEST, wish)
    job = agent.wait_job(thread_id)
    assert job["pull_request_title"] == HOSTILE
    assert agent.read_rows("SELECT count(*) FROM jobs") == [(1,)]
    for said in agent.own_comments(thread_id):
        shown = said.partition("-->")[2]
        assert "<script>" not in shown
        assert "<img" not in shown
        assert "](javascript:" not in shown
        assert "@<" not in shown


class Scripts(HTMLParser):
    """Collects what a browser would run: scripts without the nonce, handlers, script addresses."""

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self._nonce = nonce
        self.found: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "style") and values.get("nonce") != self._nonce:
            self.found.append(tag)
        if tag in ("iframe", "object", "embed", "img", "link", "base", "form", "svg"):
            self.found.append(tag)
        for name, value in attrs:
            target = (value or "").strip().lower()
            if name.startswith("on") or (name in ("href", "src") and not is_harmless(target)):
                self.found.append(f"{tag} {name}={value}")


def is_harmless(target: str) -> bool:
    return target.startswith(("http://127.0.0.1", "../", "edit-", "jobs/", "jobs?", "#"))


def plant_hostile_job(agent: Agent) -> str:
    """Run a job whose request, branch, titles, file names and diff all hold scripts."""
    jamal = agent.person(seed.JAMAL)
    jamal.call_repository("PATCH", f"pullRequests/{PULL_REQUEST}", {"title": HOSTILE})
    script = "</pre></span><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    wish = f"/edit /1 replace `Add to cart` with `{script}` in index.html"
    job_id = str(agent.wait_job(jamal.write_comment(PULL_REQUEST, wish))["id"])
    planted = agent.host.folder / "app" / "code-agent.db"
    with closing(sqlite3.connect(planted)) as connection, connection:
        connection.execute("UPDATE jobs SET source_ref = ?", (f"refs/heads/{script}",))
        connection.execute(
            "UPDATE variants SET branch = ?, note = ?, llm_provider = ?", (script,) * 3
        )
        connection.execute("UPDATE jobs SET repository_name = ?, project_name = ?", (script,) * 2)
    return job_id


def list_pages(agent: Agent, job_id: str) -> list[str]:
    base = f"{agent.host.url}/gateway/jobs"
    return [base, f"{base}/{job_id}", f"{base}/{job_id}/variants/1"]


def test_no_text_from_outside_becomes_markup_of_a_page(agent: Agent) -> None:
    for url in list_pages(agent, plant_hostile_job(agent)):
        page = requests.get(url, headers=HTML, timeout=10)
        assert page.status_code == 200
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        nonce = policy.partition("'nonce-")[2].partition("'")[0]
        scripts = Scripts(nonce)
        scripts.feed(page.text)
        assert scripts.found == []


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the parser's test covers the same")
def test_a_real_browser_runs_nothing_from_outside(agent: Agent, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    url = list_pages(agent, plant_hostile_job(agent))[2]
    shown = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", url),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "<title>Variant 1" in shown
    assert "owned</title>" not in shown
    assert "&lt;script&gt;document.title" in shown
    assert "<img" not in shown


def test_no_get_changes_anything(agent: Agent) -> None:
    job_id = plant_hostile_job(agent)
    before = agent.read_rows("SELECT id, status, updated_at FROM jobs")
    for url in list_pages(agent, job_id):
        for query in ("?action=cancel", "?_method=DELETE", ""):
            requests.get(url + query, timeout=10)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert requests.request(method, url, timeout=10).status_code in (404, 405)
    assert agent.read_rows("SELECT id, status, updated_at FROM jobs") == before


def test_pages_open_to_the_key_the_link_and_the_signed_in_alone(start_agent: StartAgent) -> None:
    agent = start_agent(
        CODE_AGENT_PAGES="protected",
        CODE_AGENT_PAGES_EASY_AUTH="true",
        PAGES_KEY="operators-key",
        CODE_AGENT_LIMIT_USER_JOBS="0",
    )
    base = f"{agent.host.url}/gateway/jobs"
    key = derive_keys([SECRET]).links[0]
    future, past = time.time() + 3600, time.time() - 1

    def get(path: str = "", **headers: str) -> int:
        return requests.get(f"{base}{path}", headers=headers, timeout=10).status_code

    def token(job_id: str, expires_s: float) -> str:
        at = datetime.fromtimestamp(expires_s, UTC)
        return write_page_token(job_id, key=key, expires_at=at)

    assert get() == 401
    assert get(**{"x-functions-key": "operators-key"}) == 200
    assert get(**{"x-functions-key": "operators-kez"}) == 401
    assert get("?code=operators-key") == 401  # a key in an address ends up in logs
    assert get(**{"x-ms-client-principal": "e30="}) == 200
    good = f"?token={token(NO_JOB, future)}"
    assert get(f"/{NO_JOB}{good}") == 404  # let in; there is no such job
    assert get(f"/{NO_JOB}/variants/1{good}") == 404
    assert get(good) == 401  # one job's link does not open the list
    assert get(f"/{NO_JOB[:-1]}1{good}") == 401
    assert get(f"/{NO_JOB}?token={token(NO_JOB, past)}") == 401


def test_a_principal_that_a_client_writes_itself_opens_nothing(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_PAGES="protected")
    principal = base64.b64encode(b'{"auth_typ":"aad"}').decode()
    answer = requests.get(
        f"{agent.host.url}/gateway/jobs",
        headers={"x-ms-client-principal": principal, "x-functions-key": ""},
        timeout=10,
    )
    assert answer.status_code == 401


def test_a_comments_link_opens_its_job_for_whoever_follows_it(start_agent: StartAgent) -> None:
    agent = start_agent(
        CODE_AGENT_PAGES="protected", CODE_AGENT_PUBLIC_URL="https://agent.example", PAGES_KEY="k"
    )
    agent.subscribe()
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "/edit /1 buttons red")
    said = wait_until(
        lambda: next((c for c in agent.own_comments(thread_id) if "kind=final" in c), None)
    )
    link = said.partition("](https://agent.example")[2].partition(")")[0]
    page = requests.get(f"{agent.host.url}{link}", headers=HTML, timeout=10)
    assert page.status_code == 200
    onward = page.text.partition('<td><a href="')[2].partition('"')[0]
    job_url = f"{agent.host.url}/gateway/jobs/"
    assert requests.get(job_url + onward, headers=HTML, timeout=10).status_code == 200
    assert '<a href="../jobs">' not in page.text


def test_two_bots_that_answer_each_other_come_to_an_end(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_LIMIT_USER_ANSWERS="3")
    agent.subscribe()
    other = agent.person(seed.STRANGER)
    thread_id = other.write_comment(PULL_REQUEST, "/help")
    path = f"pullRequests/{PULL_REQUEST}/threads/{thread_id}/comments"
    for count in (1, 2, 3):
        agent.wait_answer(thread_id, count)
        other.call_repository("POST", path, {"content": "/help"})
    ended = "SELECT 1 FROM rate_limits WHERE scope LIKE 'answers/%'"
    assert agent.read_rows(ended) == [(1,)]
    wait_until(lambda: len(agent.list_instances()) == 4)
    agent.wait_idle()
    assert len(agent.own_comments(thread_id)) == 3


def test_our_own_words_in_anothers_mouth_command_nothing(agent: Agent) -> None:
    jamal = agent.person(seed.JAMAL)
    thread_id = jamal.write_comment(PULL_REQUEST, "/help")
    said = agent.wait_answer(thread_id)
    path = f"pullRequests/{PULL_REQUEST}/threads/{thread_id}/comments"
    for echo in (said, f"{said}\n/help", "> /edit /3 make all buttons red"):
        jamal.call_repository("POST", path, {"content": echo})
    deliveries = agent.azure_devops.organisation.records
    wait_until(lambda: all(n["status"] == "completed" for n in deliveries.all("notification")))
    agent.wait_idle()
    assert agent.list_jobs() == []
    assert agent.own_comments(thread_id) == [said]


def test_a_patch_that_adds_a_credential_is_refused_and_nobody_is_shown_it(agent: Agent) -> None:
    token = "sk_live_" + "a1B2c3D4" * 3
    wish = f"/edit /1 replace `Add to cart` with `{token}` in index.html"
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, wish)
    job = agent.wait_job(thread_id)
    assert job["variants"][0]["error_code"] == "patch.secret_introduced"
    assert agent.person(seed.JAMAL).list_branches("agents/") == []
    assert agent.read_rows("SELECT kind FROM security_events") == [("secret_refused",)]
    assert token not in json.dumps(agent.own_comments(thread_id))
    for url in list_pages(agent, job["id"]):
        for accept in ("text/html", "application/json"):
            assert token not in requests.get(url, headers={"Accept": accept}, timeout=10).text
    assert token not in agent.host.log
