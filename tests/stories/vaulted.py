"""The app with its secrets in a vault, and the operator's command beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.azure_devops import seed
from local.azure_devops.running import RunningAzureDevOps
from local.key_vault.server import DEFAULT_CLIENT_ID, OPERATOR_CLIENT_ID, VaultStandIn
from tests.local.functions_host.hosting import REPOSITORY
from tests.stories.agent import SECRET, Agent


@dataclass
class Rotation:
    """How a command ended."""

    code: int
    report: dict[str, Any]
    output: str

    @property
    def steps(self) -> list[str]:
        return [step["step"] for step in self.report["steps"]]


@dataclass
class VaultedAgent:
    """The app, its Azure DevOps and its vault."""

    agent: Agent
    vault: VaultStandIn
    azure_devops: RunningAzureDevOps

    @classmethod
    def start(
        cls, vault: VaultStandIn, azure_devops: RunningAzureDevOps, folder: Path, **settings: str
    ) -> "VaultedAgent":
        vault.records.write("webhook-secret", SECRET).created -= 60
        vault.records.write("ado-pat", seed.CODE_AGENT.pat).created -= 60
        chosen = {
            "ADO_PAT": "",
            "WEBHOOK_SECRET": "",
            "CODE_AGENT_KEY_VAULT_URL": vault.url,
            "AZURE_CLIENT_ID": DEFAULT_CLIENT_ID,
            **settings,
        }
        return cls(Agent.start(azure_devops, folder, chosen), vault, azure_devops)

    def list_command(self, secret: str, *options: str) -> list[str]:
        return [sys.executable, "-m", "ops", "rotate", secret, "--json", *options]

    @property
    def environment(self) -> dict[str, str]:
        """The operator's."""
        return {
            **os.environ,
            "AZURE_DEVOPS_ORGANISATION_URL": self.azure_devops.organisation_url,
            "AZURE_DEVOPS_EXT_PAT": seed.ADMINISTRATOR.pat,
            "AZURE_CLIENT_ID": OPERATOR_CLIENT_ID,
            "CODE_AGENT_KEY_VAULT_URL": self.vault.url,
            "CODE_AGENT_PUBLIC_URL": self.agent.host.url,
        }

    def rotate(self, secret: str, *options: str, text: str = "", **environment: str) -> Rotation:
        """Run the operator's command to its end."""
        done = subprocess.run(
            self.list_command(secret, "--settle-s", "0", *options),
            cwd=REPOSITORY,
            env={**self.environment, **environment},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return Rotation(done.returncode, json.loads(done.stdout), done.stdout + done.stderr)

    def list_enabled(self, secret: str) -> list[str]:
        """The values that the vault still gives out, oldest first."""
        versions = self.vault.records.find(secret).versions
        return [version.value for version in versions if version.enabled]


def hold(agent: VaultedAgent) -> Iterator[VaultedAgent]:
    """Give an agent to a test, and stop it behind."""
    try:
        yield agent
    finally:
        agent.agent.host.kill()
