import json

import pytest

from shared.patching.apply import apply_edits
from shared.patching.errors import PatchCode, PatchError
from shared.patching.rules import PatchRules
from shared.patching.script import EditFormat


@pytest.mark.parametrize(
    "path",
    [
        "azure-pipelines.yml",
        "build/azure-pipelines.release.yml",
        ".azuredevops/policy.yml",
        ".github/workflows/ci.yml",
        "CODEOWNERS",
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
