"""The pipelines name only what is there: templates, targets, commands, parameters, variables."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.__main__ import COMMANDS, build_parser
from tests.bicep.evaluate import Evaluator
from tests.bicep.templates import MAIN, PARAMETERS, read_template
from tests.local.functions_host.hosting import REPOSITORY

MAIN_PIPELINE = REPOSITORY / "azure-pipelines.yml"
FILES = [MAIN_PIPELINE, *sorted((REPOSITORY / "ops" / "pipelines").glob("*.yml"))]
SIDES = REPOSITORY / "ops" / "sides.sh"
SECRETS = {"databaseUrl", "webhookSecret", "operatorPat"}
GIVEN = re.compile(r"(Build|Pipeline|System)\.")
"""Variables that Azure Pipelines sets."""


@cache
def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Walk through every mapping of a document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def list_scripts(path: Path) -> list[str]:
    """List the shell scripts of a file."""
    steps = [one for one in walk(read(path)) if "script" in one or "inputs" in one]
    scripts = [one.get("script") or one["inputs"].get("inlineScript") for one in steps]
    return [script for script in scripts if script]


def list_lines(path: Path) -> list[str]:
    """List the command lines of a file, each on one line."""
    joined = [script.replace("\\\n", " ") for script in list_scripts(path)]
    return [line.strip() for script in joined for line in script.splitlines()]


def list_stages(path: Path) -> list[dict[str, Any]]:
    return [one for one in walk(read(path)) if "stage" in one and "jobs" in one]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_template_is_there_and_gets_the_parameters_that_it_takes(path: Path) -> None:
    for one in walk(read(path)):
        if "template" not in one:
            continue
        target = path.parent / one["template"]
        assert target.exists(), target
        declared = {each["name"] for each in read(target).get("parameters", [])}
        assert set(one.get("parameters", {})) == declared, one["template"]


def test_no_template_lies_unused() -> None:
    used = {one["template"] for path in FILES for one in walk(read(path)) if "template" in one}
    names = {Path(name).name for name in used}
    on_a_schedule = {path.name for path in FILES if "schedules" in read(path)}
    assert names | on_a_schedule | {MAIN_PIPELINE.name} == {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_script_is_shell_and_stops_at_the_first_failure(path: Path) -> None:
    for script in list_scripts(path):
        assert "\n" not in script.strip() or script.startswith("set -euo pipefail\n"), script
        plain = re.sub(r"\$\((\w|\.)+\)", "x", script)
        checked = subprocess.run(
            ["bash", "-n"], input=plain.encode(), capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


def test_every_target_of_make_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    asked = [
        target
        for path in FILES
        for line in list_lines(path)
        if line.startswith("make ")
        for target in line.split()[1:]
        if "=" not in target
    ]
    assert {"setup", "test", "audit", "lock"} <= set(asked)
    assert set(asked) <= targets


def list_commands() -> list[list[str]]:
    """List the arguments of every command of ours, with a value in the place of each variable."""
    found = []
    for path in FILES:
        for line in list_lines(path):
            if "-m ops " in line:
                rest = line.partition("-m ops ")[2].replace("$(hookProjects)", "--project X")
                found.append(shlex.split(re.sub(r"\$\([\w.]+\)|\$\w+", "1", rest)))
    return found


def test_every_command_is_there_and_takes_its_arguments() -> None:
    commands = list_commands()
    names = {arguments[0] for arguments in commands}
    assert {"package", "records", "smoke", "burn-rate", "drained", "hooks"} <= names
    for arguments in commands:
        if arguments[0] in COMMANDS:
            build_parser(arguments[0]).parse_args(arguments)
    assert names - set(COMMANDS) == set()


@pytest.mark.parametrize("plan", ["premium", "flex"])
def test_every_stage_waits_for_stages_that_there_are(plan: str) -> None:
    folder = REPOSITORY / "ops" / "pipelines"
    files = [folder / f"{name}.yml" for name in ("build", "infrastructure", plan)]
    stages = [stage for path in files for stage in list_stages(path)]
    names = [stage["stage"] for stage in stages]
    assert len(set(names)) == len(names)
    for stage in stages[1:]:
        needed = stage["dependsOn"]
        needed = needed if isinstance(needed, list) else [needed]
        assert set(needed) <= set(names[: names.index(stage["stage"])])
        asked = set(re.findall(r"dependencies\.(\w+)\.", stage.get("condition", "")))
        assert asked in (set(), set(needed))
    back = next(stage for stage in stages if stage["stage"] == "Back")
    shifts = {stage["stage"] for stage in stages if "burn-rate" in str(stage)}
    assert set(back["dependsOn"]) == {"Stage", *shifts}, "whatever shifts and burns is taken back"
    halted = {each["stage"] for each in stages if "hold_reconciler" in str(each)}
    resumed = {each["stage"] for each in stages if "let_reconcile" in str(each)}
    assert halted == {"Stage"}
    assert "Back" in resumed
    assert len(resumed) == 2, "after going back, and at the end"


def test_the_templates_get_every_variable_that_they_need_and_none_that_they_do_not_read() -> None:
    text = read_template(PARAMETERS).text
    reads = re.findall(r"readEnvironmentVariable\('(\w+)'(, )?", text)
    needed = {name for name, default in reads if not default}
    for stage in list_stages(REPOSITORY / "ops" / "pipelines" / "infrastructure.yml"):
        given = set(stage["variables"])
        assert needed <= given
        assert given <= {name for name, _ in reads}
        assert all(isinstance(value, str) for value in stage["variables"].values())
    plans = next(one for one in read(MAIN_PIPELINE)["parameters"] if one["name"] == "plan")
    stages = next(one for one in read(MAIN_PIPELINE)["parameters"] if one["name"] == "stage")
    main = read_template(MAIN).parameters
    for name, values in (("plan", plans["values"]), ("stage", stages["values"])):
        allowed = main[name].decorators["allowed"].text
        assert allowed is not None
        assert set(re.findall(r"'(\w+)'", allowed.decode())) == set(values)


def test_the_pipelines_name_the_sides_as_the_templates_do() -> None:
    assert "var secondAppName = '${appName}-b'" in read_template(MAIN).text
    assert 'resting="$2-b"' in SIDES.read_text()
    premium = (REPOSITORY / "bicep" / "modules" / "function-app-premium.bicep").read_text()
    assert "name: 'staging'" in premium
    assert "var packageContainer = 'deployments'" in read_template(MAIN).text


def test_a_side_that_rests_leaves_every_timer_to_the_other() -> None:
    timers = set(
        re.findall(
            r"@app\.timer_trigger\([^\n]*\n(?:@[^\n]*\n)*(?:async )?def (\w+)",
            (REPOSITORY / "function_app.py").read_text(),
        )
    )
    by_templates = Evaluator(read_template(MAIN), {}).value_of("restingSettings")
    assert set(by_templates) == {f"AzureWebJobs.{name}.Disabled" for name in timers}
    told = re.search(r"TIMERS=\(([^)]+)\)", SIDES.read_text())
    assert told is not None
    assert {*told[1].split(), "reconcile"} == timers


class Azure:
    """A command line of Azure that answers as it is told, and remembers what it was asked."""

    def __init__(self, folder: Path, answers: str) -> None:
        self._folder = folder
        program = folder / "az"
        program.write_text(
            f'#!/bin/sh\necho "$*" >> {folder}/asked\ncase "$*" in\n{answers}\nesac\n'
        )
        program.chmod(0o755)

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", f"set -euo pipefail\nsource {SIDES}\n{script}"],
            env={"PATH": f"{self._folder}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        return (self._folder / "asked").read_text().splitlines()


@pytest.mark.parametrize(
    ("there", "tag", "side"),
    [
        ("echo false", "exit 3", "a"),
        ("echo true", "echo ''", "a"),
        ("echo true", "echo shop", "a"),
        ("echo true", "echo shop-b", "b"),
        ("echo true", "echo another-app", None),
        ("exit 1", "echo shop-b", None),
        ("echo true", "exit 1", None),
    ],
)
def test_the_templates_are_told_which_app_is_live_or_nothing_is_deployed(
    tmp_path: Path, there: str, tag: str, side: str | None
) -> None:
    azure = Azure(tmp_path, f"'group exists'*) {there} ;;\n'group show'*) {tag} ;;")
    done = azure.run("export_live_side rg shop\nprintenv DEPLOY_LIVE_SIDE")
    assert (done.returncode == 0) == (side is not None), done.stderr
    assert done.stdout.strip() == (side or "")


def test_the_sides_change_places(tmp_path: Path) -> None:
    azure = Azure(tmp_path, "'group show'*) echo shop-b ;;\n'resource list'*) echo /test ;;")
    done = azure.run(
        "find_sides rg shop\n"
        'wake -g rg -n "$resting"\nrest -g rg -n "$live" --slot s\ngo_live rg "$resting"'
    )
    assert done.returncode == 0, done.stderr
    _, wake, rest, _, test, tag = azure.asked
    assert wake.startswith("functionapp config appsettings set -g rg -n shop --output none")
    assert "AzureWebJobs.beat.Disabled=false AzureWebJobs.run_canary.Disabled=false" in wake
    assert "-n shop-b --slot s --output none" in rest
    assert "AzureWebJobs.apply_retention.Disabled=true" in rest
    assert "reconcile" not in wake + rest
    assert "--ids /test" in test
    assert test.endswith("RequestUrl=https://shop.azurewebsites.net/gateway/ready")
    assert tag == "group update -n rg --set tags.code-agent-live=shop --output none"


def test_the_new_side_is_awake_before_the_old_one_rests_and_is_called_by_itself_alone() -> None:
    stages = {each["stage"]: str(each) for each in list_stages(SIDES.parent / "pipelines/flex.yml")}
    for stage, to, away in (("All", "resting", "live"), ("Back", "live", "resting")):
        order = [
            f'--webhook-url "https://${away}.',
            f'--webhook-url "https://${to}.',
            f'wake -g "$(resourceGroup)" -n "${to}"',
            f'rest -g "$(resourceGroup)" -n "${away}"',
            f'go_live "$(resourceGroup)" "${to}"',
        ]
        places = [stages[stage].index(step) for step in order]
        assert places == sorted(places)


ROLES = {
    "Storage Blob Data Owner on /subscriptions/s/resourceGroups/g/providers/p/storageAccounts/a": 0,
    "Storage Blob Data Owner on /subscriptions/s/resourceGroups/g": 1,
    "Contributor on /subscriptions/s/resourceGroups/g/providers/p/storageAccounts/a": 1,
}
"""Assignments of the app's identity, and how the weekly look at them ends."""


@pytest.mark.parametrize("assignment", list(ROLES))
def test_rights_that_the_templates_do_not_give_fail_the_weekly_look(
    assignment: str, tmp_path: Path
) -> None:
    (script,) = (
        one
        for one in list_scripts(REPOSITORY / "ops" / "pipelines" / "weekly.yml")
        if "role assignment" in one
    )
    azure = tmp_path / "az"
    azure.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f"  *'role assignment'*) printf '%s\\n' '{assignment}' ;;\n  *) echo an-id ;;\nesac\n"
    )
    azure.chmod(0o755)
    plain = re.sub(r"\$\((\w+)\)(?!\))", "x", script)
    done = subprocess.run(
        ["bash"],
        input=plain,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ROLES[assignment], done.stderr
    assert ("task.logissue" in done.stdout) == bool(ROLES[assignment])


def test_the_weekly_look_knows_the_roles_that_the_table_gives() -> None:
    text = (REPOSITORY / "ops" / "pipelines" / "weekly.yml").read_text()
    given = re.search(r"given='([^']+)'", text)
    table = (REPOSITORY / "docs" / "security.md").read_text().partition("## Identities")[2]
    told = {
        role
        for who, role in re.findall(
            r"^\| ([^|]+) \|[^|]+\| role \*\*([^*]+)\*\*", table, re.MULTILINE
        )
        if "managed identity" in who or who == "the same"
    }
    assert given is not None
    known = set(
        re.findall(r"'([\w ]+)': '", (REPOSITORY / "bicep/modules/types.bicep").read_text())
    )
    assert set(given[1].split("|")) == told & known
    assert len(told) > 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_secrets_reach_scripts_through_the_environment_only(path: Path) -> None:
    for script in list_scripts(path):
        assert set(re.findall(r"\$\((\w+)\)", script)) & SECRETS == set()


def test_the_guide_explains_every_variable_of_the_group() -> None:
    used = {name for path in FILES for name in re.findall(r"\$\(([\w.]+)\)", path.read_text())}
    own = {name for name in used if not GIVEN.match(name)} - {"package"}
    guide = (REPOSITORY / "docs" / "deployment.md").read_text()
    assert own - set(re.findall(r"`(\w+)`", guide)) == set()
