"""The HTTP side: who gets in, what is answered, and that nothing from outside breaks it."""

import base64
import copy
import json
import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST, Agent
from tests.stories.conftest import StartAgent
from tests.stories.test_edit import build_delivery

GUID = "11111111-2222-3333-4444-555555555555"
COMMAND = build_delivery(GUID, GUID, 1, "/edit /3 make all buttons red")


@pytest.mark.parametrize("secret", [None, "", "wrong", "story-secre", "st\u00f6ry"])
def test_whoever_does_not_know_the_secret_gets_401(agent: Agent, secret: str | None) -> None:
    headers = {}
    if secret is not None:
        token = base64.b64encode(f"x:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {token}"}
    answer = agent.deliver(COMMAND, secret=None, headers=headers)
    assert answer.status_code == 401
    assert agent.list_instances() == []


def test_both_secrets_open_the_door_while_one_is_rotated(start_agent: StartAgent) -> None:
    agent = start_agent(WEBHOOK_SECRET="new", WEBHOOK_SECRET_PREVIOUS="old")
    talk = build_delivery(GUID, GUID, 1, "thanks")
    codes = [agent.deliver(talk, secret=secret).status_code for secret in ("new", "old", "older")]
    assert codes == [200, 200, 401]


def test_without_a_secret_nobody_gets_in(start_agent: StartAgent) -> None:
    agent = start_agent(WEBHOOK_SECRET="")
    assert agent.deliver(COMMAND, secret="").status_code == 401


def test_a_body_over_two_megabytes_is_refused(agent: Agent) -> None:
    assert agent.deliver(b"x" * (2 * 1024 * 1024 + 1)).status_code == 413
    assert agent.deliver(b"x" * (2 * 1024 * 1024)).status_code == 200


def test_settings_that_cannot_be_used_make_azure_devops_send_again(
    start_agent: StartAgent,
) -> None:
    agent = start_agent(CODE_AGENT_MAX_VARIANTS="many")
    answer = agent.deliver(COMMAND)
    assert (answer.status_code, answer.json()["reason"]) == (503, "misconfigured")
    assert requests.get(f"{agent.host.url}/gateway/jobs", timeout=10).status_code == 503


def test_a_command_about_nothing_that_exists_ends_without_a_trace(agent: Agent) -> None:
    assert agent.deliver(COMMAND).status_code == 202
    agent.wait_idle()
    assert agent.list_instances()[0]["output"]["reason"] == "not_found"
    assert agent.list_jobs() == []


def test_the_portals_test_payload_is_acknowledged(agent: Agent) -> None:
    sample = build_delivery(GUID, GUID, 5, "This is my comment.")
    answer = agent.deliver(sample)
    assert (answer.status_code, answer.json()["reason"]) == (200, "no_command")


def make_hostile(count: int) -> list[bytes]:
    """Make deliveries that no honest sender sends; the same ones each time."""
    dice = random.Random(20261125)  # noqa: S311 - reproducible, no secret
    values: list[Any] = [
        None, True, -1, 0, 1e308, 10**30, "", "x" * 5000, "\u0000", "\ud83d", [], {}, [[]],
        {"href": "//evil/_apis/git/repositories/../../x"}, "'; DROP TABLE jobs; --",
        "/edit /3 make all buttons red", "../../etc/passwd", {"id": {"id": {}}}, GUID,
    ]  # fmt: skip
    whole = build_delivery(GUID, GUID, 1, "thanks, no command here")
    made: list[bytes] = []
    while len(made) < count:
        body = json.loads(json.dumps(whole))
        for _ in range(dice.randint(1, 4)):
            spoil(body, values, dice)
        if may_be_command(body):
            continue
        data = json.dumps(body).encode("utf-8", "surrogatepass")
        if dice.random() < 0.3:
            at = dice.randrange(len(data))
            data = data[:at] + bytes(dice.randbytes(dice.randint(0, 8))) + data[at + 3 :]
        made.append(data)
    return made


def may_be_command(body: dict[str, Any]) -> bool:
    """A payload without text, or with a command's, has to be looked at: it is right to start it."""
    resource = body.get("resource")
    comment = resource.get("comment") if isinstance(resource, dict) else None
    if not isinstance(comment, dict):
        comment = resource if isinstance(resource, dict) else {}
    content = comment.get("content")
    return not isinstance(content, str) or content.startswith("/")


def spoil(node: Any, values: list[Any], dice: random.Random) -> None:
    """Replace one value somewhere in a JSON object."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = dice.choice(keys)
        if isinstance(node[key], dict | list) and dice.random() < 0.7:
            node = node[key]
            continue
        node[key] = copy.deepcopy(dice.choice(values))
        return


def test_two_thousand_hostile_deliveries_start_nothing_and_break_nothing(agent: Agent) -> None:
    session = requests.Session()
    session.auth = ("x", "story-secret")
    codes: dict[int, int] = {}
    for body in make_hostile(2000):
        code = session.post(agent.webhook_url, data=body, timeout=30).status_code
        codes[code] = codes.get(code, 0) + 1
    assert set(codes) == {200}, codes
    assert agent.list_instances() == []
    assert "Traceback" not in agent.host.log


def test_health_never_asks_anybody_and_readiness_asks_everybody(
    azure_devops: RunningAzureDevOps, start_agent: StartAgent
) -> None:
    agent = start_agent()
    url = f"{agent.host.url}/gateway"
    health = requests.get(f"{url}/health", timeout=10)
    assert health.status_code == 200
    assert health.json() | {"timestamp": ""} == {
        "status": "ok",
        "timestamp": "",
        "service": "gateway",
        "version": "0.1.0",
        "environment": "local",
        "dependencies": {"orchestrator": "unknown"},
    }
    assert azure_devops.organisation.calls.operations == []
    ready = requests.get(f"{url}/ready", timeout=10)
    assert ready.status_code == 200
    assert set(ready.json()["dependencies"].values()) == {"ok"}
    assert requests.get(f"{url}/health", timeout=10).json()["dependencies"] == {
        "orchestrator": "ok"
    }


def test_readiness_names_what_is_missing_and_health_stays_well(start_agent: StartAgent) -> None:
    agent = start_agent(ADO_PAT="wrong", WEBHOOK_SECRET="")
    ready = requests.get(f"{agent.host.url}/gateway/ready", timeout=20)
    assert ready.status_code == 503
    failed = {name for name, state in ready.json()["dependencies"].items() if state != "ok"}
    assert failed == {"vault", "azure_devops"}
    assert "wrong" not in ready.text
    assert requests.get(f"{agent.host.url}/gateway/health", timeout=10).status_code == 200


def test_details_and_measurements_are_for_whoever_has_the_key(start_agent: StartAgent) -> None:
    agent = start_agent(CODE_AGENT_PAGES="protected", PAGES_KEY="pages")
    url = f"{agent.host.url}/gateway"
    ready = requests.get(f"{url}/ready", timeout=10)
    assert (ready.status_code, ready.json()["dependencies"]) == (200, {})
    told = requests.get(f"{url}/ready", headers={"x-functions-key": "pages"}, timeout=10)
    assert set(told.json()["dependencies"].values()) == {"ok"}
    assert requests.get(f"{url}/metrics", timeout=10).status_code == 401
    wrong = requests.get(f"{url}/metrics", headers={"Authorization": "Bearer x"}, timeout=10)
    assert wrong.status_code == 401
    scraped = requests.get(f"{url}/metrics", headers={"Authorization": "Bearer pages"}, timeout=10)
    assert scraped.status_code == 200
    unseen = 'code_agent_http_requests_total{method="GET",route="/gateway/metrics"'
    assert f'{unseen},service="gateway",status_code="401"}} 2.0' in scraped.text.replace(
        'status_code="401",service="gateway"', 'service="gateway",status_code="401"'
    )


def test_probes_ask_once_in_ten_seconds(
    azure_devops: RunningAzureDevOps, start_agent: StartAgent
) -> None:
    agent = start_agent()
    url = f"{agent.host.url}/gateway/ready"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: requests.get(url, timeout=20).status_code, range(16)))
    assert answers == [200] * 16
    assert azure_devops.organisation.calls.operations == ["get connection data"]


def test_jobs_are_pages_for_browsers_and_json_for_scripts(agent: Agent) -> None:
    wish = "/edit /1 replace `Add to cart` with `<script>alert(1)</script>` in index.html"
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, wish)
    job = agent.wait_job(thread_id)
    url = f"{agent.host.url}/gateway/jobs"
    html = {"Accept": "text/html,application/xhtml+xml"}
    pages = [
        requests.get(address, headers=html, timeout=10)
        for address in (url, f"{url}/{job['id']}", f"{url}/{job['id']}/variants/1")
    ]
    for page in pages:
        assert page.status_code == 200
        assert page.headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in pages[2].text
    plain = requests.get(f"{url}/{job['id']}/variants/1", timeout=10).json()
    assert plain["diff"].startswith("diff --git a/index.html")
    assert requests.get(url, params={"status": "failed"}, timeout=10).json()["jobs"] == []
    listed = requests.get(url, params={"limit": 1}, timeout=10).json()
    assert [one["id"] for one in listed["jobs"]] == [job["id"]]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("jobs/edit-0", 404),
        ("jobs/edit-" + "0" * 32, 404),
        ("jobs/edit-" + "0" * 32 + "/variants/1", 404),
        ("jobs/..%2f..%2fetc", 404),
        ("jobs?limit=many", 400),
        ("jobs?status=odd", 400),
        ("jobs?before=yesterday", 400),
    ],
)
def test_what_is_not_there_is_said_so(agent: Agent, path: str, code: int) -> None:
    for accept in ("application/json", "text/html"):
        answer = requests.get(
            f"{agent.host.url}/gateway/{path}", headers={"Accept": accept}, timeout=10
        )
        assert answer.status_code == code


def test_the_nightly_timer_deletes_what_is_over(agent: Agent) -> None:
    thread_id = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, "/edit /1 buttons red")
    job = agent.wait_job(thread_id)
    with closing(sqlite3.connect(agent.host.folder / "app" / "code-agent.db")) as connection:
        connection.execute("UPDATE jobs SET created_at = '2020-01-01 00:00:00.000000'")
        connection.commit()
    answer = agent.host.call("POST", "/admin/functions/apply_retention", json={})
    assert answer.status_code == 202
    wait_until(lambda: agent.find_job(thread_id) is None)
    assert agent.read_rows("SELECT * FROM variants") == []
    assert agent.read_rows("SELECT DISTINCT job_id FROM effects") == [(job["id"],)]
