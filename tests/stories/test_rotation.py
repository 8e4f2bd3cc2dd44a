"""Secrets are rotated by the operator's command while the app works; nothing is refused or lost."""

import json
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.key_vault.server import DEFAULT_CLIENT_ID, Faults, VaultStandIn
from tests.conftest import RecordFigure
from tests.local.functions_host.hosting import REPOSITORY, wait_until
from tests.stories.agent import PULL_REQUEST, SECRET
from tests.stories.vaulted import VaultedAgent, hold

NEW_PAT = "pat-agent-renewed-0007"
SENDERS = 4


@pytest.fixture
def vaulted(
    vault: VaultStandIn, azure_devops: RunningAzureDevOps, tmp_path: Path
) -> Iterator[VaultedAgent]:
    yield from hold(VaultedAgent.start(vault, azure_devops, tmp_path / "agent"))


def test_a_webhook_secret_rotated_under_load_refuses_no_delivery(
    vaulted: VaultedAgent, record_property: RecordFigure
) -> None:
    agent, records = vaulted.agent, vaulted.azure_devops.organisation.records
    hooks = [agent.subscribe(), agent.subscribe()]
    answers: Counter[int] = Counter()
    stopping = threading.Event()

    def deliver() -> None:
        """Send what a subscription would send at this moment, with the secret it has then."""
        number = 0
        while not stopping.is_set():
            known = records.get("subscription", hooks[number % 2]) or {}
            number += 1
            secret = known["consumerInputs"]["basicAuthPassword"]
            answers[agent.deliver({"eventType": "git.push"}, secret=secret).status_code] += 1

    threads = [threading.Thread(target=deliver) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    wait_until(lambda: answers.total() > 50)
    jamal = agent.person(seed.JAMAL)
    before = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red")
    done = [vaulted.rotate("webhook-secret", "--grace-s", "0.5") for _ in range(2)]
    after = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons blue")
    stopping.set()
    for thread in threads:
        thread.join()
    assert [one.code for one in done] == [0, 0], done[0].output + done[1].output
    assert set(answers) == {200}
    [current] = vaulted.list_enabled("webhook-secret")
    assert current != SECRET
    for hook in hooks:
        known = records.get("subscription", hook) or {}
        assert known["status"] == "enabled"
        assert known["consumerInputs"]["basicAuthPassword"] == current
    assert {agent.wait_job(one)["status"] for one in (before, after)} == {"success"}
    assert not [one for one in done if SECRET in one.output or current in one.output]
    record_property(
        "figure",
        f"webhook secret rotated twice under {answers.total()} deliveries by {SENDERS} threads: "
        f"{answers.total() - answers[200]} refused",
    )


def test_an_interrupted_rotation_goes_on_where_it_was(vaulted: VaultedAgent) -> None:
    agent = vaulted.agent
    agent.subscribe()
    command = vaulted.list_command("webhook-secret", "--settle-s", "600")
    running = subprocess.Popen(
        command, cwd=REPOSITORY, env=vaulted.environment, stdout=subprocess.PIPE
    )
    wait_until(lambda: len(vaulted.list_enabled("webhook-secret")) == 2)
    old, new = vaulted.list_enabled("webhook-secret")
    assert running.poll() is None
    assert [agent.deliver({}, secret=one).status_code for one in (old, new)] == [200, 200]
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=30)
    assert running.returncode == 130
    assert json.loads(output)["outcome"] == "interrupted"
    again = vaulted.rotate("webhook-secret", "--grace-s", "0")
    assert again.code == 0, again.output
    assert "written" not in again.steps
    assert vaulted.list_enabled("webhook-secret") == [new]
    wait_until(lambda: agent.deliver({}, secret=new).status_code == 200)


def test_a_dry_run_says_what_would_be_done_and_does_nothing(vaulted: VaultedAgent) -> None:
    hook = vaulted.agent.subscribe()
    planned = vaulted.rotate("webhook-secret", "--dry-run")
    assert (planned.code, planned.report["outcome"]) == (0, "planned")
    assert planned.steps == ["found", "write", "change", "retire"]
    assert f"would be  changed: subscription {hook}" in planned.output
    assert vaulted.list_enabled("webhook-secret") == [SECRET]


def test_a_rotation_that_cannot_end_well_does_not_begin(vaulted: VaultedAgent) -> None:
    assert vaulted.rotate("webhook-secret").code == 3  # no subscription
    vaulted.agent.subscribe()
    assert vaulted.rotate("webhook-secret", AZURE_DEVOPS_EXT_PAT="wrong").code == 1
    assert vaulted.rotate("webhook-secret", AZURE_CLIENT_ID="").code == 3  # no role
    vaulted.vault.faults = Faults(away=True)
    assert vaulted.rotate("webhook-secret").code == 3
    assert vaulted.list_enabled("webhook-secret") == [SECRET]


def test_without_the_right_to_write_nothing_changes(vaulted: VaultedAgent) -> None:
    hook = vaulted.agent.subscribe()
    stopped = vaulted.rotate("webhook-secret", AZURE_CLIENT_ID=DEFAULT_CLIENT_ID)
    assert stopped.code == 1
    assert "403" in stopped.output
    assert vaulted.list_enabled("webhook-secret") == [SECRET]
    known = vaulted.azure_devops.organisation.records.get("subscription", hook) or {}
    assert known["consumerInputs"]["basicAuthPassword"] == SECRET


def test_a_new_token_is_tried_written_and_used_and_the_old_one_retired(
    vaulted: VaultedAgent, tmp_path: Path
) -> None:
    agent = vaulted.agent
    agent.subscribe()
    jamal = agent.person(seed.JAMAL)
    first = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons red")
    assert agent.wait_job(first)["status"] == "success"
    token = tmp_path / "token"
    token.write_text(f"{NEW_PAT}\n", "utf-8")
    replace_token(vaulted, NEW_PAT)
    done = vaulted.rotate("ado-pat", "--file", str(token))
    assert done.code == 0, done.output
    assert {"is", "may", "written", "accepted", "retired", "done"} <= set(done.steps)
    assert vaulted.list_enabled("ado-pat") == [NEW_PAT]
    assert vaulted.vault.records.find("ado-pat").versions[-1].expires is not None
    second = jamal.write_comment(PULL_REQUEST, "/edit /1 make all buttons blue")
    assert agent.wait_job(second)["status"] == "success"
    again = vaulted.rotate("ado-pat", "--file", str(token))
    assert again.code == 0
    assert "written" not in again.steps
    assert NEW_PAT not in done.output + again.output


def test_a_token_that_would_not_do_is_not_written(vaulted: VaultedAgent) -> None:
    nobodys, others, without_rights = "nobodys", seed.JAMAL.pat, seed.STRANGER.pat
    for token in (nobodys, "", "two words", others, without_rights):
        refused = vaulted.rotate("ado-pat", text=token)
        assert (refused.code, refused.report["outcome"]) == (3, "refused"), token
    assert vaulted.list_enabled("ado-pat") == [seed.CODE_AGENT.pat]


def replace_token(vaulted: VaultedAgent, token: str) -> None:
    """Give the agent another token; the one it has is good no longer."""
    records = vaulted.azure_devops.organisation.records
    user = records.get("user", seed.CODE_AGENT.id) or {}
    records.put("user", seed.CODE_AGENT.id, {**user, "pat": token})
