"""Starts an Azure DevOps and the app on its host as processes, and joins them by a hook.

The app's telemetry is collected by this process.
"""

import contextlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.app_insights.running import run_in_thread
from local.app_insights.server import InsightsOptions
from local.azure_devops import seed
from local.demo.person import Person

REPOSITORY: Final = Path(__file__).resolve().parents[2]
START_LIMIT_S: Final = 60.0
BRAIN: Final = "local.demo.brain:think"
TELEMETRY_FOLDER: Final = "app-insights"
"""Within the folder of a world: what the app has told."""


class StartError(Exception):
    """A process did not come up; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the two servers listen on loopback; 0 takes a free port."""

    azure_devops: int = 0
    host: int = 0


@dataclass(frozen=True, slots=True)
class Demo:
    """A running world."""

    folder: Path
    organisation_url: str
    stand_in_url: str
    gateway_url: str
    secret: str
    admin: Person
    jamal: Person
    subscription_id: str
    model_url: str = ""
    """Of the scripted model server, where one runs."""


@contextlib.contextmanager
def run_world(
    folder: Path,
    *,
    ports: Ports,
    settings: Mapping[str, str],
    play_model: Callable[[str], Mapping[str, str]] | None = None,
    brain: str = BRAIN,
    verbose: bool = False,
) -> Iterator[Demo]:
    """Run everything until the block is left.

    Args:
        folder: for data, state and logs; used again, everything is where it was.
        ports: of the two servers.
        settings: of the app, besides those that join the two.
        play_model: have a model server play the model; answers the settings for its address.
        brain: what decides the model server's answers, as `module:function`.
        verbose: let the host talk on standard error.

    Raises:
        StartError: a server did not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        azure_devops = stack.enter_context(
            _run_server(
                folder,
                "azure-devops",
                ["--port", str(ports.azure_devops), "--data", str(folder / "azure-devops")],
                {},
            )
        )
        model = ""
        if play_model is not None:
            arguments = ["--port", "0", "--brain", brain]
            model = stack.enter_context(_run_server(folder, "model", arguments, {}))
            settings = {**settings, **play_model(model)}
        insights = stack.enter_context(
            run_in_thread(InsightsOptions(folder=folder / TELEMETRY_FOLDER))
        )
        organisation_url = f"{azure_devops}/{seed.ORGANISATION}"
        secret = _keep_secret(folder)
        environment = {
            "AZURE_DEVOPS_ORGANISATION_URL": organisation_url,
            "ADO_PAT": seed.CODE_AGENT.pat,
            "WEBHOOK_SECRET": secret,
            "CODE_AGENT_DATA_DIR": str(folder / "app"),
            "CODE_AGENT_ALLOWED_GROUPS": f"[{seed.PROJECT}]\\Contributors",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "",
            "CODE_AGENT_PUBLIC_URL": f"http://127.0.0.1:{ports.host}" if ports.host else "",
            **settings,
        }
        arguments = ["--port", str(ports.host), "--state", str(folder / "host.sqlite3")]
        host = stack.enter_context(
            _run_server(folder, "host", arguments, environment, verbose=verbose)
        )
        admin = Person(organisation_url, seed.ADMINISTRATOR.pat)
        yield Demo(
            folder=folder,
            organisation_url=organisation_url,
            stand_in_url=azure_devops,
            gateway_url=f"{host}/gateway",
            secret=secret,
            admin=admin,
            jamal=Person(organisation_url, seed.JAMAL.pat),
            subscription_id=admin.subscribe(f"{host}/gateway/webhook/ado", secret),
            model_url=model,
        )


@contextlib.contextmanager
def _run_server(
    folder: Path,
    name: str,
    arguments: list[str],
    environment: Mapping[str, str],
    *,
    verbose: bool = False,
) -> Iterator[str]:
    ready = folder / f"{name}.url"
    ready.unlink(missing_ok=True)
    log_path = folder / f"{name}.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", name, *arguments, "--ready-file", str(ready)],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=None if verbose else log,
            stderr=None if verbose else log,
        )
    try:
        yield _wait_for_url(process, ready, log_path, name)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_url(process: subprocess.Popen[bytes], ready: Path, log_path: Path, name: str) -> str:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if ready.exists() and (url := ready.read_text("ascii").strip()):
            return url
        if process.poll() is not None:
            break
        time.sleep(0.02)
    said = log_path.read_text("utf-8", "replace")[-2000:].strip()
    raise StartError(f"{name} did not start:\n{said}")


def _keep_secret(folder: Path) -> str:
    """Answer the webhook secret of this folder; made once, readable by its owner only."""
    path = folder / "webhook-secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="ascii")
    return path.read_text("ascii")
