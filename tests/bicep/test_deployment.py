"""What `azd up` finds: its file, the package, the documents."""

import re

import yaml
from pathspec import PathSpec

from tests.bicep.parameters import README, insert
from tests.bicep.templates import FOLDER, ROOT

AZD = yaml.safe_load((ROOT / "azure.yaml").read_text())


def test_azd_finds_the_templates_and_the_app() -> None:
    infra = AZD["infra"]
    assert (ROOT / infra["path"] / f"{infra['module']}.bicep").exists()
    assert (ROOT / infra["path"] / f"{infra['module']}.bicepparam").exists()
    [(service, described)] = AZD["services"].items()
    assert (ROOT / described["project"] / "function_app.py").exists()
    for plan in ("flex", "premium"):
        text = (FOLDER / "modules" / f"function-app-{plan}.bicep").read_text()
        assert f"'azd-service-name': '{service}'" in text


def test_the_package_holds_the_app_and_nothing_else() -> None:
    ignored = PathSpec.from_lines("gitignore", (ROOT / ".funcignore").read_text().splitlines())
    needed = ["function_app.py", "host.json", "requirements.txt"]
    for folder in ("activities", "orchestrators", "shared"):
        needed += [
            str(path.relative_to(ROOT))
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        ]
    assert [path for path in needed if ignored.match_file(path)] == []
    for path in ("tests/conftest.py", "local/__main__.py", "local.settings.json", ".venv/bin/x"):
        assert ignored.match_file(path), path


def test_the_readme_shows_every_parameter_as_it_is() -> None:
    text = README.read_text()
    assert insert(text) == text, "run `python -m tests.bicep.parameters`"


def test_the_readme_names_every_variable_that_is_read() -> None:
    read = set(
        re.findall(r"readEnvironmentVariable\('(\w+)'", (FOLDER / "main.bicepparam").read_text())
    )
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", README.read_text()))
    assert sorted(read - named) == []
