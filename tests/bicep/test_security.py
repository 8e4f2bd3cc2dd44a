"""Roles, secrets, descriptions: what a reviewer would look for in every file."""

import re
from collections.abc import Iterator

import pytest

from shared.policy.secret_scan import find_secrets
from tests.bicep.evaluate import Evaluator
from tests.bicep.templates import (
    FILES,
    FOLDER,
    PARAMETERS,
    ROOT,
    Template,
    is_literal,
    literal_of,
    property_of,
    read_template,
    text_of,
    walk,
)

BUILT_IN = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "0ad04412-c4d5-4796-b79c-f76d14c8d402": "Durable Task Data Contributor",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
}
"""Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""
SECRET_NAME = re.compile(r"(password|secret|token|key|credential|connectionstring)$", re.IGNORECASE)
REVEALING = re.compile(r"\blist[A-Z]\w*\(|\.ConnectionString|InstrumentationKey|\.keys\b|getSecret")

TEMPLATES = [pytest.param(read_template(path), id=path.stem) for path in FILES]


def list_roles_used() -> Iterator[str]:
    for path in FILES:
        template = read_template(path)
        for node in walk(template.root):
            names, last = (
                text_of((node.named_children or [node])[0]),
                (node.named_children or [node])[-1],
            )
            is_given = (node.type, names) in {
                ("object_property", "role"),
                ("subscript_expression", "roleIds"),
            }
            if is_given and is_literal(last):
                yield literal_of(last)


def test_ids_of_roles_are_those_of_their_names() -> None:
    roles = Evaluator(read_template(FOLDER / "modules" / "types.bicep"), {}).value_of("roleIds")
    assert {role_id: name for name, role_id in roles.items()} == BUILT_IN


def test_every_role_that_is_given_is_explained_and_no_other_one() -> None:
    document = (ROOT / "docs" / "security.md").read_text()
    explained = set(re.findall(r"role \*\*([A-Z][A-Za-z ]+)\*\*", document))
    assert set(list_roles_used()) == explained == set(BUILT_IN.values())


def test_every_role_is_given_on_one_resource() -> None:
    for path in FILES:
        for resource in read_template(path).resources:
            if resource.target.startswith("Microsoft.Authorization/roleAssignments@"):
                assert property_of(resource.body, "scope") is not None, (path.name, resource.name)


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_in_a_file_is_or_reveals_a_secret(template: Template) -> None:
    for name, each in template.parameters.items():
        if SECRET_NAME.search(name):
            assert "secure" in each.decorators, f"{name} looks like a secret"
        if "secure" in each.decorators:
            assert each.value is None, f"{name} has a default"
    for name, output in template.outputs.items():
        assert output.value is not None
        assert not REVEALING.search(text_of(output.value)), f"output {name}"
    for number, line in enumerate(template.text.splitlines(), 1):
        assert not find_secrets(line), f"{template.path.name}:{number}"


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_parameter_and_output_is_explained(template: Template) -> None:
    declared = [*template.parameters.values(), *template.outputs.values()]
    assert [each.name for each in declared if not each.description.endswith(".")] == []
    assert [each.name for each in declared if each.type is None] == []


def test_what_is_chosen_by_variables_is_no_secret() -> None:
    names = re.findall(r"readEnvironmentVariable\('(\w+)'", PARAMETERS.read_text())
    assert names
    assert [name for name in names if SECRET_NAME.search(name)] == []
