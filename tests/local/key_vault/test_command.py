"""`python -m local key-vault` as a process: what it prints leads the SDKs there."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from local.key_vault.server import DEFAULT_CLIENT_ID
from shared.secrets.azure_vault import AzureVault, open_identity
from tests.local.functions_host.hosting import REPOSITORY, wait_until


def test_the_command_serves_the_secrets_of_a_file_until_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, secrets = tmp_path / "ready", tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"ado-pat": "planted"}), "utf-8")
    command = [sys.executable, "-m", "local", "key-vault", "--port", "0", "--identity-port", "0"]
    command += ["--data", str(tmp_path), "--secrets", str(secrets), "--ready-file", str(ready)]
    running = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        wait_until(ready.exists)
        variables = json.loads(ready.read_text("ascii"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        vault = AzureVault(
            variables["CODE_AGENT_KEY_VAULT_URL"], lambda: open_identity(DEFAULT_CLIENT_ID)
        )
        assert [one.value for one in vault.fetch("ado-pat", with_previous=False)] == ["planted"]
        vault.close()
        key = tmp_path / "vault-key.pem"
        assert key.stat().st_mode & 0o077 == 0
        control = variables["IDENTITY_ENDPOINT"].replace("/msi/token", "/_standin/faults")
        assert requests.get(control, timeout=5).json()["away"] is False
    finally:
        running.send_signal(signal.SIGTERM)
        output, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    assert variables["CODE_AGENT_KEY_VAULT_URL"] in output
    assert "planted" not in output
