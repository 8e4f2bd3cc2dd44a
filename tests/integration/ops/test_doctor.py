"""A healthy world is all green, and each fault turns its own line red and no other."""

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from local.key_vault.server import DEFAULT_CLIENT_ID, VaultStandIn
from local.model.script import Fault, ScriptedReply
from local.model.server import ModelStandIn
from ops.__main__ import main
from shared.doctor.report import Check, State, examine
from shared.doctor.rounds import examine_app
from shared.domain.comment_ref import CommentRef
from shared.domain.states import JobStatus
from shared.domain.switches import SetSwitch, SwitchName
from shared.jobs.world import World
from shared.settings import read_settings
from shared.store import jobs, switches
from tests.integration.store.rows import a_job
from tests.stories.test_models import choose_settings

SECRET = "hook-secret-of-the-test"


@dataclass
class Patient:
    """An app with everything that it can need, as somebody keeps it well."""

    azure_devops: RunningAzureDevOps
    vault: VaultStandIn
    model: ModelStandIn
    settings: dict[str, str]
    clock_off: timedelta = timedelta(0)
    hub: Callable[[], str] = lambda: "it answers"

    def open_world(self) -> World:
        settings = read_settings(os.environ | self.settings)
        return World(settings, lambda: datetime.now(UTC) + self.clock_off)

    def list_red(self) -> dict[str, str]:
        """What fails, with what it says."""
        world = self.open_world()
        try:
            found = examine_app(world, self.hub, asks_models=True)
        finally:
            world.secrets.close()
            for model in world.__dict__.get("models", ()):
                model.close()
        assert all(one.do for one in found if one.state is State.FAILED)
        told = json.dumps([one.to_plain() for one in found])
        assert not [one for one in (SECRET, self.model.key, seed.CODE_AGENT.pat) if one in told]
        return {one.name: one.says for one in found if one.state is State.FAILED}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        person = Person(self.azure_devops.organisation_url, seed.ADMINISTRATOR.pat)
        return person.call(method, path, body)

    def change_hook(self, **fields: Any) -> None:
        records = self.azure_devops.organisation.records
        hook = records.all("subscription")[0]
        records.put("subscription", hook["id"], hook | fields)

    def turn(self, name: SwitchName, value: Any) -> None:
        world = self.open_world()
        with world.database.transaction() as connection:
            switches.turn(connection, SetSwitch(name, value, "", datetime.now(UTC)), by="somebody")
        world.database.dispose()

    @property
    def database(self) -> Path:
        return Path(self.settings["CODE_AGENT_DATA_DIR"]) / "code-agent.db"


@pytest.fixture
def patient(
    azure_devops: RunningAzureDevOps, vault: VaultStandIn, model: ModelStandIn, tmp_path: Path
) -> Patient:
    later = {"attributes": {"exp": int((datetime.now(UTC) + timedelta(days=60)).timestamp())}}
    for name, value in (
        ("webhook-secret", SECRET),
        ("ado-pat", seed.CODE_AGENT.pat),
        ("canary-pat", seed.JAMAL.pat),
        ("anthropic-api-key", model.key),
        ("openai-api-key", model.key),
    ):
        vault.records.write(name, value, later)
    model.brain = lambda _: ScriptedReply(text="OK")
    repository = Person(azure_devops.organisation_url, seed.JAMAL.pat).call_repository("GET", "")
    place = repository["project"]["id"], repository["id"]
    made = Patient(
        azure_devops,
        vault,
        model,
        choose_settings(
            model,
            AZURE_DEVOPS_ORGANISATION_URL=azure_devops.organisation_url,
            AZURE_CLIENT_ID=DEFAULT_CLIENT_ID,
            CODE_AGENT_KEY_VAULT_URL=vault.url,
            CODE_AGENT_PROVIDER="anthropic,openai",
            CODE_AGENT_DATA_DIR=str(tmp_path / "app"),
            CODE_AGENT_SNAPSHOT_MAX_BYTES="1000000",
            CODE_AGENT_CANARY_PULL_REQUEST=f"{'/'.join(place)}/{seed.PULL_REQUEST_ID}",
            CODE_AGENT_ENVIRONMENT="production",
            APPLICATIONINSIGHTS_CONNECTION_STRING="InstrumentationKey=x",
        ),
    )
    world = made.open_world()
    ref = CommentRef(world.settings.organisation, *place, seed.PULL_REQUEST_ID, 5, 1)
    now = datetime.now(UTC)
    with world.database.transaction() as connection:
        jobs.insert_job(
            connection,
            a_job(
                id=ref.instance_id,
                comment=ref,
                status=JobStatus.SUCCESS,
                actor_id="canary",
                created_at=now,
                updated_at=now,
            ),
        )
    world.database.dispose()
    made.call(
        "POST",
        "_apis/hooks/subscriptions",
        {
            "publisherId": "tfs",
            "eventType": "ms.vss-code.git-pullrequest-comment-event",
            "resourceVersion": "2.0",
            "consumerId": "webHooks",
            "consumerActionId": "httpRequest",
            "publisherInputs": {},
            "consumerInputs": {"url": "http://127.0.0.1:9/gateway/webhook/ado"},
        },
    )
    return made


def break_credential(patient: Patient) -> None:
    patient.vault.records.write("ado-pat", "no longer good")


def break_rights(patient: Patient) -> None:
    records = patient.azure_devops.organisation.records
    for repository in records.all("repository"):
        granted = dict.fromkeys(repository["permissions"], 2)  # Read
        records.put("repository", repository["id"], repository | {"permissions": granted})


def exaggerate_rights(patient: Patient) -> None:
    records = patient.azure_devops.organisation.records
    for repository in records.all("repository"):
        granted = dict.fromkeys(repository["permissions"], 2 | 4 | 8 | 16 | 16_384)  # Force push
        records.put("repository", repository["id"], repository | {"permissions": granted})


def break_quota(patient: Patient) -> None:
    kinds = (FaultKind.DELAYED_200,)
    patient.azure_devops.organisation.faults = Faults(rate=1.0, kinds=kinds, retry_after_s=30)


def break_tables(patient: Patient) -> None:
    with sqlite3.connect(patient.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0005'")
    connection.close()


def break_canary(patient: Patient) -> None:
    with sqlite3.connect(patient.database) as connection:
        connection.execute("UPDATE jobs SET status = 'failed'")
    connection.close()


def break_hub(patient: Patient) -> None:
    def fail() -> str:
        raise ConnectionError

    patient.hub = fail


def break_model(patient: Patient) -> None:
    refused = ScriptedReply(fault=Fault(status=401))
    patient.model.brain = lambda said: (
        refused if said.wire == "openai" else ScriptedReply(text="OK")
    )


def break_expiry(patient: Patient) -> None:
    soon = int((datetime.now(UTC) + timedelta(days=3)).timestamp())
    patient.vault.records.write("webhook-secret", SECRET, {"attributes": {"exp": soon}})


FAULTS: dict[str, Callable[[Patient], Any]] = {
    "ado_credential": break_credential,
    "ado_rights": break_rights,
    "hook": lambda patient: patient.change_hook(status="onProbation"),
    "ado_quota": break_quota,
    "clock": lambda patient: setattr(patient, "clock_off", timedelta(minutes=10)),
    "secrets": lambda patient: patient.vault.records.delete("webhook-secret"),
    "secret_expiry": break_expiry,
    "database": lambda patient: shutil.rmtree(patient.database.parent),
    "migrations": break_tables,
    "switches": lambda patient: patient.turn(SwitchName.MODE, "paused"),
    "disk": lambda patient: patient.settings.update(CODE_AGENT_SNAPSHOT_MAX_BYTES=str(10**11)),
    "telemetry": lambda patient: patient.settings.update(APPLICATIONINSIGHTS_CONNECTION_STRING=""),
    "canary": break_canary,
    "task_hub": break_hub,
    "model_openai": break_model,
}


def test_a_healthy_world_is_all_green_and_every_check_has_a_fault(patient: Patient) -> None:
    world = patient.open_world()
    found = examine_app(world, patient.hub, asks_models=True)
    world.secrets.close()
    for model in world.models:
        model.close()  # type: ignore[attr-defined]  # of the wrapper
    assert {one.name: (one.state, one.says) for one in found if one.state is not State.OK} == {}
    assert {one.name for one in found} == {*FAULTS, "model_anthropic"}


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_turns_its_own_line_red(patient: Patient, name: str) -> None:
    FAULTS[name](patient)
    assert list(patient.list_red()) == [name]


def test_rights_that_nobody_needs_are_an_ailment(patient: Patient) -> None:
    exaggerate_rights(patient)
    assert list(patient.list_red()) == ["ado_rights"]
    assert "may force push in 2 repositories" in patient.list_red()["ado_rights"]


def test_records_that_cannot_be_delivered_are_an_ailment(patient: Patient) -> None:
    waiting = Path(patient.settings["CODE_AGENT_DATA_DIR"]) / "telemetry" / "of-a-process"
    waiting.mkdir(parents=True)
    (waiting / "records.blob").write_text("{}")
    assert patient.list_red() == {}, "what has just been written is on its way"
    long_ago = datetime.now(UTC).timestamp() - 1200
    os.utime(waiting / "records.blob", (long_ago, long_ago))
    assert list(patient.list_red()) == ["telemetry"]


def test_records_in_postgres_are_looked_at_too(patient: Patient, postgres_url: str) -> None:
    patient.settings["CODE_AGENT_DATABASE_URL"] = postgres_url
    assert list(patient.list_red()) == ["migrations"]
    patient.open_world().database.dispose()
    assert list(patient.list_red()) == ["canary"]  # it has not sung into these


def test_a_check_that_hangs_is_given_up() -> None:
    release = threading.Event()

    def hang() -> str:
        release.wait(30)
        return "late"

    found = examine(
        [Check("slow", hang, "Wait."), Check("quick", lambda: "fine", "")], {}, deadline_s=0.05
    )
    release.set()
    assert [(one.name, one.state) for one in found] == [
        ("slow", State.FAILED),
        ("quick", State.OK),
    ]
    assert found[0].says == "no answer within 0.05 s"


def test_the_command_says_what_to_do_and_ends_accordingly(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, value in patient.settings.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", seed.ADMINISTRATOR.pat)
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["well"] is True
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert states["task_hub"] == "skipped"
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", "no longer good")
    monkeypatch.setenv("CODE_AGENT_PUBLIC_URL", "http://127.0.0.1:9")
    assert main(["doctor", "--json"]) == 1
    checks = {one["name"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["hook"]["says"] == "the operator's own token is not accepted"
    assert checks["task_hub"]["says"].startswith("the app does not answer")
    monkeypatch.setenv("AZURE_DEVOPS_EXT_PAT", seed.ADMINISTRATOR.pat)
    patient.change_hook(status="disabledBySystem")
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "failed   hook" in told
    assert "-> python -m ops hooks check" in told
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "nonsense")
    assert main(["doctor"]) == 2
