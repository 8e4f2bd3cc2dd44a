"""Slips on the operators' command line: one clear line, an exit code, no trace, no secret."""

import os
import subprocess
import sys

import pytest

from ops.__main__ import COMMANDS, main
from tests.local.functions_host.hosting import REPOSITORY

USAGE = [
    ("drained nonsense", "https://… expected"),
    ("drained http://app.example", "https://… expected"),
    ("drained https://x:hunter2@app.example", "https://… expected"),
    ("drained https://app.example:port", "https://… expected"),
    ("smoke ftp://app.example", "https://… expected"),
    ("drained https://app.example --every-s 0", "more than 0 expected"),
    ("smoke https://app.example --wait-s -1", "0 or more expected"),
    ("burn-rate an-id --watch-minutes inf", "a number expected"),
    ("doctor --deadline-s soon", "a number expected"),
    ("rotate webhook-secret --settle-s nan", "a number expected"),
    ("rotate webhook-secret --grace-s -1", "0 or more expected"),
    ("rotate ado-pat --expires-days -3", "more than 0 expected"),
    ("switch brake some", "1 to 1000 jobs expected"),
    ("switch clear everything", "one of mode, brake, providers expected"),
    ("incident --title T --severity P1 --impact I --started yesterday", "an instant such as"),
    ("incident --title T --severity P1 --impact I --next-update-min 0", "1 to 1440 expected"),
]


@pytest.mark.parametrize(("words", "says"), USAGE)
def test_wrong_usage_is_told_in_words(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words.split())
    told = capsys.readouterr().err
    assert says in told.splitlines()[-1]
    assert "hunter2" not in told


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert COMMANDS[name][1] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("CODE_AGENT_DATABASE_URL", "switch show"),
        ("CODE_AGENT_DATABASE_URL", "records migrate"),
        ("CODE_AGENT_DATABASE_URL", "rebuild --agent a --place Shop"),
        ("RESTORE_DATABASE_URL", "restore x.dump.cms --key k --certificate c"),
    ],
)
@pytest.mark.parametrize(
    "address", ["nonsense", "postgresql://u:hunter2@h:port/x", "mysql://u:hunter2@h/x"]
)
def test_an_address_that_is_none_is_a_wrong_setting(
    variable: str,
    words: str,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AZURE_DEVOPS_ORGANISATION_URL", "https://dev.azure.com/contoso")
    monkeypatch.setenv(variable, address)
    assert main(words.split()) == 2
    told = capsys.readouterr().err
    assert variable in told
    assert "hunter2" not in told


def test_whoever_has_not_signed_in_is_told_so_in_one_line() -> None:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
        "CODE_AGENT_PUBLIC_URL": "https://app.example",
        # one way to sign in that fails at once
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ops", "hooks", "check"],
        cwd=REPOSITORY,
        env=kept | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "AZURE_DEVOPS_EXT_PAT" in line


def test_a_step_that_there_is_not_is_named_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["records", "migration-sql", "--behind", "9999"]) == 2
    told = capsys.readouterr()
    assert "0001 to " in told.err
    assert told.out == ""
