"""Write the published types of the Azure resources in `bicep/` to the JSON files beside this one.

Run by hand when a template takes a new resource type or API version; the files are committed,
so that the tests need no download. In a virtual environment of its own:

    python3 -m venv /tmp/types && /tmp/types/bin/pip install msmcp-azure==3.0.0 \
        azure-mgmt-monitor==7.0.0 azure-mgmt-postgresqlflexibleservers==1.1.0 \
        azure-mgmt-durabletask==1.1.0 azure-mgmt-privatedns==1.2.0 azure-mgmt-resource-locks==1.0.0
    python3 -m venv /tmp/older && /tmp/older/bin/pip install azure-mgmt-monitor==6.0.2
    /tmp/types/bin/python -m tests.bicep.schemas.extract published   # or: published TYPE…
    /tmp/types/bin/python -m tests.bicep.schemas.extract clients
    /tmp/older/bin/python -m tests.bicep.schemas.extract diagnostics

`published` asks the Azure MCP server's binary, which carries Azure/bicep-types-az and gives one
API version for each type. It does not know every type; for those, `clients` and `diagnostics`
read the models of Microsoft's management clients, generated from the same specifications.

A file holds `resources` (type@apiVersion -> name of its body) and `types` (name -> properties).
A property is `{"type", "required", "readOnly", "pattern", "minLength", …}`, where `type` is
`string`, `int`, `bool`, `any`, `map:T`, `T[]`, a name of `types`, or a list of words that ends in
`*` when others are taken as well. Descriptions are left out.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from tests.bicep.schemas.clients import read_clients
from tests.bicep.schemas.published import Types, ask_published, read_published

HERE: Final = Path(__file__).parent
DEPTH: Final = 12
DEPTH_OF_NETWORKS: Final = 5
"""How deep below a resource types are kept; beyond it anything goes (networks know each other)."""

PUBLISHED: Final = (
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.Consumption/budgets",
    "Microsoft.Insights/components",
    "Microsoft.Insights/webtests",
    "Microsoft.Insights/workbooks",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Logic/workflows",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Resources/resourceGroups",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Storage/storageAccounts/managementPolicies",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/config",
    "Microsoft.Web/sites/slots",
    "Microsoft.Web/sites/slots/basicPublishingCredentialsPolicies",
    "Microsoft.Web/sites/slots/config",
)

CLIENTS: Final = {
    "Microsoft.Insights/scheduledQueryRules@2023-12-01": "monitor:ScheduledQueryRuleResource",
    "Microsoft.Insights/actionGroups@2023-01-01": "monitor:ActionGroupResource",
    "Microsoft.Insights/metricAlerts@2018-03-01": "monitor:MetricAlertResource",
    "Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01": "postgresqlflexibleservers:Server",
    "Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01": (
        "postgresqlflexibleservers:ActiveDirectoryAdministratorAdd"
    ),
    "Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01": (
        "postgresqlflexibleservers:Database"
    ),
    "Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01": (
        "postgresqlflexibleservers:Configuration"
    ),
    "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2024-08-01": (
        "postgresqlflexibleservers:FirewallRule"
    ),
    "Microsoft.DurableTask/schedulers@2026-02-01": "durabletask:Scheduler",
    "Microsoft.DurableTask/schedulers/taskHubs@2026-02-01": "durabletask:TaskHub",
    "Microsoft.DurableTask/schedulers/retentionPolicies@2026-02-01": "durabletask:RetentionPolicy",
    "Microsoft.Network/privateDnsZones@2024-06-01": "privatedns:PrivateZone",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01": (
        "privatedns:VirtualNetworkLink"
    ),
    "Microsoft.Authorization/locks@2020-05-01": "resource.locks:ManagementLockObject",
}
DIAGNOSTICS: Final = {
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview": (
        "monitor.v2021_05_01_preview:DiagnosticSettingsResource"
    ),
}


def prune(resources: dict[str, str], every: Types) -> Types:
    """Keep what a template can write, down to `DEPTH`; cut references beyond it to `any`."""
    kept: Types = {}
    edge = set(resources.values())
    is_network = any(name.startswith("Microsoft.Network/") for name in resources)
    for _ in range(DEPTH_OF_NETWORKS if is_network else DEPTH):
        kept |= {name: _strip(every[name]) for name in edge}
        edge = {ref for name in edge for ref in _list_references(kept[name])} & set(every)
        edge -= set(kept)
    cut = set(every) - set(kept)
    for entry in kept.values():
        for properties in _list_tables(entry):
            for each in properties.values():
                if isinstance(each["type"], str) and _name_of(each["type"]) in cut:
                    each["type"] = "any"
    return kept


def _strip(entry: dict[str, Any]) -> dict[str, Any]:
    """Drop what only the service writes; the test says so when a template writes it."""
    for properties in _list_tables(entry):
        for each in properties.values():
            if each.get("readOnly"):
                each["type"] = "any"
    return entry


def _list_tables(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return list(entry["variants"].values()) if "variants" in entry else [entry["properties"]]


def _list_references(entry: dict[str, Any]) -> set[str]:
    written = {
        each["type"]
        for table in _list_tables(entry)
        for each in table.values()
        if isinstance(each["type"], str)
    }
    written |= {entry["additional"]} if isinstance(entry.get("additional"), str) else set()
    return {_name_of(each) for each in written}


def _name_of(written: str) -> str:
    return written.removeprefix("map:").rstrip("[]")


def save(provider: str, resources: dict[str, str], every: Types) -> None:
    """Write one file, one type to a line, so that a change can be read."""
    kept = prune(resources, every)
    lines = [
        f"{json.dumps(name)}: {json.dumps(kept[name], sort_keys=True)}" for name in sorted(kept)
    ]
    text = '{"resources": ' + json.dumps(resources, indent=1, sort_keys=True)
    text += ',\n"types": {\n' + ",\n".join(lines) + "\n}}\n"
    (HERE / f"{provider}.json").write_text(text)


def main(source: str, *chosen: str) -> None:
    """Write the files of one source; of the published types those that are chosen, or all."""
    if source == "published":
        for resource_type in chosen or PUBLISHED:
            found: Types = {}
            resources = read_published(ask_published(resource_type), found)
            save(resource_type.replace("/", "."), resources, found)
        return
    for resource, where in {"clients": CLIENTS, "diagnostics": DIAGNOSTICS}[source].items():
        save(resource.partition("@")[0].replace("/", "."), *read_clients({resource: where}))


if __name__ == "__main__":
    main(*sys.argv[1:])
