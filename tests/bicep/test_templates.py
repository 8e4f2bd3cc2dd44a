import pytest

from tests.bicep.azure_types import list_type_faults
from tests.bicep.symbols import list_module_faults, list_undefined, list_unused
from tests.bicep.templates import (
    FILES,
    PARAMETERS,
    Template,
    list_syntax_errors,
    read_template,
)

ALL = [pytest.param(read_template(path), id=path.stem) for path in (*FILES, PARAMETERS)]


@pytest.mark.parametrize("template", ALL)
def test_file_parses(template: Template) -> None:
    assert not list_syntax_errors(template)


@pytest.mark.parametrize("template", ALL)
def test_every_name_is_declared(template: Template) -> None:
    assert not list_undefined(template)


@pytest.mark.parametrize("template", ALL[:-1])
def test_nothing_is_declared_in_vain(template: Template) -> None:
    assert not list_unused(template)


@pytest.mark.parametrize("template", ALL)
def test_modules_get_what_they_take_and_give_what_is_taken(template: Template) -> None:
    assert not list_module_faults(template)


@pytest.mark.parametrize("template", ALL[:-1])
def test_resources_are_what_azure_publishes(template: Template) -> None:
    assert not list_type_faults(template)
