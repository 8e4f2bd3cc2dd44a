"""Slips on the operators' command line: one clear line, an exit code, no trace, no secret."""

import contextlib
import io
import os
import re
import subprocess
import sys
from functools import cache

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


@cache
def read_help(*words: str) -> str:
    """Read the help of a command or of one of its actions; empty when there is none."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        try:
            main([*words, "--help"])
        except SystemExit as ended:
            return told.getvalue() if ended.code == 0 else ""
    return ""


def list_documented() -> list[tuple[str, str]]:
    """List the commands that the documents show, each with where it stands."""
    paths = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    found = []
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            spans = re.findall(r"`([^`]+)`", line) or ([line] if line.startswith("    ") else [])
            for span in spans:
                for command in span.split("python -m ops ")[1:]:
                    shown = re.split(r"[;#|]| && ", command)[0].strip()
                    found.append((path.name, shown))
    return found


def has_actions(name: str) -> bool:
    """Answer whether a command is followed by the name of an action."""
    return re.search(r"\{[\w,-]+\}\s+\.\.\.", read_help(name)) is not None


def test_every_command_that_the_documents_show_is_there_with_its_options() -> None:
    documented = list_documented()
    wrong = []
    for path, shown in documented:
        name, action, *_ = [*re.findall(r"[\w…-]+", shown), "", ""]
        if name in ("", "…"):
            continue
        is_named = re.match(r"\w", action) is not None and has_actions(name)
        known = read_help(name, action) if is_named else read_help(name)
        options = re.findall(r"--[a-z][a-z-]*", shown)
        if name not in COMMANDS or not known or any(one not in known for one in options):
            wrong.append((path, shown))
    assert wrong == []
    assert len(documented) > 80
