import json
from typing import Any

import pytest

from shared.jobs.draft_patch import build_rules
from shared.patching.apply import apply_edits
from shared.patching.errors import PatchCode, PatchError
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat
from shared.settings import SettingsError, read_settings


@pytest.mark.parametrize(
    "path",
    [
        "azure-pipelines.yml",
        "build/azure-pipelines.release.yml",
        ".azuredevops/policy.yml",
        ".github/workflows/ci.yml",
        "CODEOWNERS",
        "CodeOwners",
        "Azure-Pipelines.YML",
        ".GitHub/Workflows/ci.yml",
        "src/.env",
        ".gitmodules",
        ".code-agent.yml",
    ],
)
def test_protected_paths_are_refused(path: str) -> None:
    edit = {"action": "replace", "path": path, "search": "a\n", "replace": "b\n"}
    script = json.dumps({"edits": [edit | {"every_occurrence": False}]})
    with pytest.raises(PatchError) as refused:
        apply_edits(
            {path: b"a\n"},
            script,
            format=EditFormat.STRUCTURED,
            rules=PatchRules.default_for_jobs(),
        )
    assert refused.value.code == PatchCode.PROTECTED


def apply(rules: PatchRules, *edits: dict[str, Any]) -> None:
    apply_edits({}, json.dumps({"edits": edits}), format=EditFormat.STRUCTURED, rules=rules)


def create(path: str, content: str = "x\n") -> dict[str, Any]:
    return {"action": "create", "path": path, "content": content}


@pytest.mark.parametrize("path", ["src/Secrets.cs", "src/Credentials/Login.cs", "codeowners.md"])
def test_what_only_resembles_a_protected_name_is_free(path: str) -> None:
    apply(PatchRules.default_for_jobs(), create(path, "class X {}\n"))


@pytest.mark.parametrize(
    ("setting", "value", "edit", "code"),
    [
        pytest.param("PROTECTED_PATHS", "legal/", create("Legal/x"), "patch.protected", id="more"),
        pytest.param("PROTECTED_PATHS", "*.sql;!a.sql", create("a.sql"), None, id="but-one"),
        pytest.param("PROTECTED_PATHS", "!yarn.lock", create("yarn.lock"), None, id="one-less"),
        pytest.param(
            "PROTECTED_PATHS", "!.env", create(".env"), "patch.protected", id="never-shown"
        ),
        pytest.param(
            "MAX_PATCH_BYTES", "1000", create("a", "x" * 1000), "patch.too_large", id="bytes"
        ),
        pytest.param(
            "MAX_PATCH_BYTES", "300000", create("a", "x" * 250_000), None, id="more-bytes"
        ),
    ],
)
def test_operators_set_what_a_job_may_touch(
    setting: str, value: str, edit: dict[str, Any], code: str | None
) -> None:
    variables = {
        "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
        f"CODE_AGENT_{setting}": value,
    }
    rules = build_rules(read_settings(variables).patches)
    if code is None:
        apply(rules, edit, create("b"))
        return
    with pytest.raises(PatchError) as refused:
        apply(rules, edit, create("b"))
    assert refused.value.code == code


@pytest.mark.parametrize("value", ["!", "a,!/", "/"])
def test_a_pattern_that_means_nothing_is_a_fault(value: str) -> None:
    variables = {
        "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
        "CODE_AGENT_PROTECTED_PATHS": value,
    }
    with pytest.raises(SettingsError, match="CODE_AGENT_PROTECTED_PATHS"):
        read_settings(variables)
