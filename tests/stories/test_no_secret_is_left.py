"""Every secret is planted, everything goes right and wrong once; then all that is left is read."""

import base64
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.key_vault.server import Faults, VaultStandIn
from local.model.server import ModelStandIn
from shared.secrets.source import ALL_NAMES
from shared.settings import read_settings
from tests.local.functions_host.hosting import wait_until
from tests.stories.agent import PULL_REQUEST
from tests.stories.test_rotation import replace_token
from tests.stories.vaulted import VaultedAgent, hold

PLANTED = {name: f"planted-{name}-5f3a9c27" for name in ALL_NAMES}
WISH = "/edit /1 make all buttons red"


@pytest.fixture
def vaulted(
    vault: VaultStandIn, azure_devops: RunningAzureDevOps, model: ModelStandIn, tmp_path: Path
) -> Iterator[VaultedAgent]:
    settings = {
        "CODE_AGENT_DATABASE_URL": "keyvault:database-url",
        "CODE_AGENT_PROVIDER": "anthropic,openai,azure-openai,openai-compatible",
        "CODE_AGENT_ANTHROPIC_URL": model.base_url,
        "CODE_AGENT_OPENAI_URL": f"{model.base_url}/v1",
        "CODE_AGENT_AZURE_OPENAI_URL": model.base_url,
        "CODE_AGENT_AZURE_OPENAI_MODEL": "gpt",
        "CODE_AGENT_AZURE_OPENAI_AUTHENTICATION": "key",
        "CODE_AGENT_COMPATIBLE_URL": f"{model.base_url}/v1",
        "CODE_AGENT_COMPATIBLE_MODEL": "any",
        "CODE_AGENT_SECRET_TTL_S": "1",
    }
    for name in ALL_NAMES:
        vault.records.write(name, PLANTED[name])
    place = tmp_path / "database"
    place.mkdir()
    vault.records.write("database-url", f"sqlite:///{place / PLANTED['database-url']}")
    started = VaultedAgent.start(vault, azure_devops, tmp_path / "agent", **settings)
    vault.records.write("webhook-secret", PLANTED["webhook-secret"])
    vault.records.write("ado-pat", PLANTED["ado-pat"])
    replace_token(started, PLANTED["ado-pat"])
    yield from hold(started)


def test_no_secret_is_left_anywhere(
    vaulted: VaultedAgent, model: ModelStandIn, tmp_path: Path
) -> None:
    agent = vaulted.agent
    hook = PLANTED["webhook-secret"]
    agent.subscribe(inputs={"basicAuthPassword": hook})
    thread = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, WISH)
    assert agent.wait_job(thread)["status"] == "failed"  # no model accepts its planted key
    assert {call.wire for call in model.calls.calls} == {"anthropic", "openai", "azure"}
    assert agent.deliver({}, secret=f"not-{hook}").status_code == 401
    replace_token(vaulted, "another")
    refused = agent.person(seed.JAMAL).write_comment(PULL_REQUEST, WISH)
    wait_until(lambda: "ado.unauthenticated" in agent.host.log)
    vaulted.vault.faults = Faults(away=True)
    wait_until(lambda: "is served from memory" in agent.host.log)
    agent.wait_idle()
    left = dict(list_left(vaulted, thread, refused))
    left.update(list_files(tmp_path / "agent"))
    left.update(list_files(tmp_path / "database"))
    left.update(list_artifacts(tmp_path / "database" / PLANTED["database-url"]))
    assert len(left["log"]) > 1000
    assert sum(len(text) for text in left.values()) > 50_000
    found = [
        (place, name)
        for place, text in left.items()
        for name, value in PLANTED.items()
        if any(form in text for form in list_forms(value))
    ]
    assert found == []


def list_left(vaulted: VaultedAgent, *threads: int) -> Iterator[tuple[str, bytes]]:
    agent = vaulted.agent
    yield "log", agent.host.log.encode()
    for path in ("health", "ready", "jobs", *(f"jobs/{job['id']}" for job in agent.list_jobs())):
        for kind in ("application/json", "text/html"):
            url = f"{agent.host.url}/gateway/{path}"
            yield (
                f"{path} as {kind}",
                requests.get(url, headers={"Accept": kind}, timeout=30).content,
            )
    for one in agent.list_instances():
        shown = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true"}
        yield (
            f"history of {one['name']}",
            repr(agent.read_instance(one["instanceId"], **shown)).encode(),
        )
    for thread in threads:
        yield f"comments of {thread}", "\n".join(agent.own_comments(thread)).encode()
    records = vaulted.azure_devops.organisation.records
    for kind in ("pull_request", "status", "thread"):
        yield kind, repr(records.all(kind)).encode()
    yield "settings", repr(read_settings(dict(agent.host.environment))).encode()


def list_artifacts(path: Path) -> Iterator[tuple[str, bytes]]:
    """What the records hold compressed."""
    with closing(sqlite3.connect(path)) as connection:
        for key, data in connection.execute("SELECT digest, data FROM artifacts"):
            yield f"artifact {key}", zlib.decompress(data)


def list_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Everything on disk: task hub, records, log, snapshots."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder.parent)), path.read_bytes()


def list_forms(value: str) -> list[bytes]:
    """A secret as it may be written down."""
    pairs = [value, f":{value}", f"x:{value}", f"code-agent:{value}"]
    coded = [base64.b64encode(pair.encode()).rstrip(b"=") for pair in pairs]
    return [value.encode(), quote(value, safe="").encode(), value[:-2].encode(), *coded]
