"""Each check finds a fault that is planted into a real template."""

from collections.abc import Callable

import pytest

from tests.bicep.azure_types import list_type_faults
from tests.bicep.symbols import list_module_faults, list_undefined, list_unused
from tests.bicep.templates import FOLDER, Template, list_syntax_errors, parse

Check = Callable[[Template], list[str]]


def find(check: Check, file: str, old: str, new: str) -> list[str]:
    path = FOLDER / file
    text = path.read_text()
    assert text.count(old) >= 1, "the place to plant the fault is gone"
    return check(parse(text.replace(old, new, 1), path))


@pytest.mark.parametrize(
    ("check", "file", "old", "new", "told"),
    [
        pytest.param(
            list_syntax_errors,
            "main.bicep",
            "= {\n  scope: group",
            "= \n  scope: group",
            "not Bicep",
            id="syntax",
        ),
        pytest.param(
            list_undefined,
            "main.bicep",
            "tags: allTags",
            "tags: alltags",
            "unknown name 'alltags'",
            id="name",
        ),
        pytest.param(
            list_undefined,
            "main.bicep",
            "var suffix =",
            "var locks =",
            "'locks' is declared twice",
            id="declared twice",
        ),
        pytest.param(
            list_undefined,
            "main.bicep",
            "uniqueString(",
            "uniqueStrings(",
            "'uniqueStrings'",
            id="function",
        ),
        pytest.param(
            list_undefined,
            "main.bicep",
            "param flex flexScale",
            "param flex flexScales",
            "'flexScales'",
            id="type",
        ),
        pytest.param(
            list_undefined,
            "main.bicep",
            "@minLength(2)",
            "@minLenght(2)",
            "unknown decorator",
            id="decorator",
        ),
        pytest.param(
            list_undefined,
            "main.bicep",
            "import { flexScale,",
            "import { flexiScale, flexScale,",
            "types.bicep exports no 'flexiScale'",
            id="import",
        ),
        pytest.param(
            list_unused,
            "modules/postgres.bicep",
            "name: databaseName",
            "name: 'code_agent'",
            "'databaseName' is not used",
            id="unused",
        ),
        pytest.param(
            list_module_faults,
            "main.bicep",
            "dailyCapGB: logDailyCapGB",
            "dailyCap: logDailyCapGB",
            "has no parameter 'dailyCap'",
            id="unknown parameter",
        ),
        pytest.param(
            list_module_faults,
            "main.bicep",
            "    dailyCapGB: logDailyCapGB\n",
            "",
            "lacks 'dailyCapGB'",
            id="missing parameter",
        ),
        pytest.param(
            list_module_faults,
            "main.bicep",
            "receiver: 'slack'",
            "receiver: 'teams'",
            "none of",
            id="parameter out of bounds",
        ),
        pytest.param(
            list_module_faults,
            "main.bicep",
            "vault.outputs.uri",
            "vault.outputs.url",
            "vault has no output 'url'",
            id="output",
        ),
        pytest.param(
            list_type_faults,
            "modules/key-vault.bicep",
            "enablePurgeProtection",
            "enablePurgeProtect",
            "knows no 'enablePurgeProtect'",
            id="property",
        ),
        pytest.param(
            list_type_faults,
            "modules/key-vault.bicep",
            "name: 'standard'",
            "name: 'cheap'",
            "'cheap' is none of",
            id="word",
        ),
        pytest.param(
            list_type_faults,
            "modules/key-vault.bicep",
            "    tenantId: tenant().tenantId\n",
            "",
            "wants 'tenantId'",
            id="required",
        ),
        pytest.param(
            list_type_faults,
            "modules/key-vault.bicep",
            "vaults@2024-11-01",
            "vaults@2024-12-01",
            "no published",
            id="version",
        ),
        pytest.param(
            list_type_faults,
            "modules/key-vault.bicep",
            "enableSoftDelete: true",
            "enableSoftDelete: 'true'",
            "bool expected",
            id="kind of value",
        ),
        pytest.param(
            list_type_faults,
            "modules/alerts.bicep",
            "minFailingPeriodsToAlert",
            "minFailingPeriods",
            "knows no 'minFailingPeriods'",
            id="property in an array",
        ),
        pytest.param(
            list_type_faults,
            "modules/alerts.bicep",
            "operator: 'Include'",
            "operators: 'Include'",
            "wants 'operator'",
            id="property in a map",
        ),
        pytest.param(
            list_type_faults,
            "modules/function-app-premium.bicep",
            "healthCheckPath",
            "healthPath",
            "knows no 'healthPath'",
            id="property of a variable",
        ),
        pytest.param(
            list_type_faults,
            "modules/function-app-flex.bicep",
            "name: 'scm'",
            "name: 'kudu'",
            "name is none of",
            id="discriminator",
        ),
        pytest.param(
            list_type_faults,
            "modules/storage-account.bicep",
            "properties: { publicAccess: 'None' }",
            "properties: { hasLegalHold: true }",
            "by the service alone",
            id="read-only",
        ),
        pytest.param(
            list_type_faults,
            "modules/action-groups.bicep",
            "'agent-crit'",
            "'agent-critical'",
            "too long",
            id="length",
        ),
    ],
)
def test_planted_fault_is_found(check: Check, file: str, old: str, new: str, told: str) -> None:
    found = find(check, file, old, new)
    assert any(told in each for each in found), found
