"""Service hooks are installed once, looked after, and taken away, by the operator's command."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from ops.__main__ import main
from tests.local.functions_host.hosting import wait_until
from tests.loopback import QuietHandler, serve_on_loopback

SECRET = "hook-secret-of-the-test"
PROJECT = ("--project", seed.PROJECT)


@dataclass
class App:
    """What answers the deliveries."""

    url: str = ""
    code: int = 200
    heard: list[str] = field(default_factory=list)
    """`Authorization` of each delivery."""


@pytest.fixture
def app() -> Iterator[App]:
    known = App()

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - the base class looks for this name
            self.rfile.read(int(self.headers["Content-Length"]))
            known.heard.append(self.headers.get("Authorization", ""))
            self.send_response(known.code)
            self.end_headers()

    with serve_on_loopback(Handler) as url:
        known.url = url
        yield known


Ops = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ops(
    azure_devops: RunningAzureDevOps,
    app: App,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ops:
    """Run the command as an operator; answers exit code and report, which never hold the secret."""
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", azure_devops.organisation_url)
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", seed.ADMINISTRATOR.pat)
    monkeypatch.setenv("CODE_AGENT_PUBLIC_URL", app.url)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code = main(["hooks", *words, "--json"])
        told = capsys.readouterr()
        assert SECRET not in told.out + told.err
        report: dict[str, Any] = json.loads(told.out)
        return code, report

    return run


def list_steps(report: dict[str, Any]) -> list[str]:
    return [step["step"] for step in report["steps"]]


def list_stored(azure_devops: RunningAzureDevOps) -> list[dict[str, Any]]:
    return azure_devops.organisation.records.all("subscription")


@pytest.mark.parametrize("scope", [(), PROJECT, (*PROJECT, "--project", seed.HARD_PROJECT)])
def test_a_second_install_changes_nothing(
    azure_devops: RunningAzureDevOps, ops: Ops, scope: tuple[str, ...]
) -> None:
    assert ops("check", *scope)[0] == 1
    planned = ops("install", "--dry-run", *scope)
    assert (planned[0], planned[1]["outcome"]) == (0, "planned")
    assert list_stored(azure_devops) == []
    code, report = ops("install", *scope)
    assert (code, set(list_steps(report))) == (0, {"created"})
    stored = list_stored(azure_devops)
    assert len(stored) == max(1, len(scope) // 2)
    assert {one["consumerInputs"]["basicAuthPassword"] for one in stored} == {SECRET}
    azure_devops.organisation.calls.clear()
    code, report = ops("install", *scope)
    assert (code, set(list_steps(report))) == (0, {"unchanged"})
    assert list_stored(azure_devops) == stored
    done = set(azure_devops.organisation.calls.operations)
    assert done <= {"list subscriptions", "get project"}
    assert ops("check", *scope)[0] == 0


def test_what_somebody_changed_is_put_right_and_its_secret_kept(
    azure_devops: RunningAzureDevOps, ops: Ops
) -> None:
    ops("install", *PROJECT)
    [known] = list_stored(azure_devops)
    inputs = {**known["consumerInputs"], "resourceDetailsToSend": "minimal"}
    changed = {**known, "resourceVersion": "1.0", "consumerInputs": inputs}
    azure_devops.organisation.records.put("subscription", known["id"], changed)
    code, report = ops("check", *PROJECT)
    assert code == 1
    assert report["subscriptions"][0]["differences"] == ["resourceDetailsToSend", "resourceVersion"]
    assert list_steps(ops("install", *PROJECT)[1]) == ["updated"]
    assert list_stored(azure_devops) == [known]


def test_a_hook_on_probation_is_told_of_with_its_failures_and_enabled_again(
    azure_devops: RunningAzureDevOps, app: App, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "yesterdays")
    ops("install", *PROJECT)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    app.code = 410
    jamal = Person(azure_devops.organisation_url, seed.JAMAL.pat)
    jamal.write_comment(seed.PULL_REQUEST_ID, "hello")
    wait_until(lambda: list_stored(azure_devops)[0]["status"] == "disabledBySystem")
    code, report = ops("check")
    assert code == 1
    [told] = report["subscriptions"]
    assert told["status"] == "disabledBySystem"
    assert told["scope"] == f"project {seed.PROJECT}"
    assert "410" in told["reason"]
    assert [one["reason"] for one in told["failures"]] == ["Gone (410)"]
    assert list_steps(ops("repair", "--dry-run")[1]) == ["repaired"]
    assert ops("check")[0] == 1
    app.code = 200
    code, report = ops("repair")
    assert (code, list_steps(report)) == (0, ["repaired"])
    assert ops("check")[0] == 0
    [known] = list_stored(azure_devops)
    assert (known["status"], known["consumerInputs"]["basicAuthPassword"]) == ("enabled", SECRET)
    before = len(app.heard)
    jamal.write_comment(seed.PULL_REQUEST_ID, "hello again")
    wait_until(lambda: len(app.heard) > before)
    assert app.heard[-1] != app.heard[0]
    assert list_steps(ops("repair")[1]) == ["unchanged"]


def test_nobody_elses_subscription_is_removed(
    azure_devops: RunningAzureDevOps, app: App, ops: Ops
) -> None:
    admin = Person(azure_devops.organisation_url, seed.ADMINISTRATOR.pat)
    others = admin.subscribe(f"{app.url}/somebody/else", "x")
    ops("install", *PROJECT)
    ops("install")
    assert list_steps(ops("remove", "--dry-run")[1]) == ["removed", "removed"]
    assert len(list_stored(azure_devops)) == 3
    code, report = ops("remove", *PROJECT)
    assert (code, len(report["steps"])) == (0, 1)
    ops("remove")
    assert [one["id"] for one in list_stored(azure_devops)] == [others]
    assert ops("remove") == (0, {**report, "steps": [], "outcome": "done"})


@pytest.mark.parametrize(
    ("words", "environment", "code"),
    [
        (("install", "--project", "No such"), {}, 3),
        (("repair",), {}, 3),
        (("install",), {"AZURE_DEVOPS_EXT_PAT": "wrong"}, 1),
        (("check",), {"CODE_AGENT_PUBLIC_URL": ""}, 2),
        (("install",), {"WEBHOOK_SECRET": ""}, 2),
        (("install", "--webhook-url", "http://app.example/gateway/webhook/ado"), {}, 2),
        (("check",), {"AZURE_DEVOPS_ORGANISATION_URL": "http://elsewhere.example/x"}, 2),
    ],
)
def test_what_cannot_be_done_changes_nothing_and_says_why(
    azure_devops: RunningAzureDevOps,
    ops: Ops,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    environment: dict[str, str],
    code: int,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ended, report = ops(*words)
    assert ended == code, report
    assert report["message"]
    assert list_stored(azure_devops) == []
