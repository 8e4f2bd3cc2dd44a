"""Write the published types of the Azure resources in `bicep/` to the JSON files beside this one.

Run by hand when a template takes a new resource type or API version; the files are committed,
so that the tests need no download. In a virtual environment of its own:

    python3 -m venv /tmp/types && /tmp/types/bin/pip install msmcp-azure==3.0.0 \
        azure-mgmt-monitor==7.0.0 azure-mgmt-postgresqlflexibleservers==1.1.0 \
        azure-mgmt-durabletask==1.1.0 azure-mgmt-privatedns==1.2.0 azure-mgmt-resource-locks==1.0.0
    python3 -m venv /tmp/older && /tmp/older/bin/pip install azure-mgmt-monitor==6.0.2
    /tmp/types/bin/python tests/bicep/schemas/extract.py published   # or: published TYPE…
    /tmp/types/bin/python tests/bicep/schemas/extract.py clients
    /tmp/older/bin/python tests/bicep/schemas/extract.py diagnostics

`published` asks the Azure MCP server's binary, which carries Azure/bicep-types-az and gives one
API version for each type. It does not know every type; for those, `clients` and `diagnostics`
read the models of Microsoft's management clients, generated from the same specifications.

A file holds `resources` (type@apiVersion -> name of its body) and `types` (name -> properties).
A property is `{"type", "required", "readOnly", "pattern", "minLength", …}`, where `type` is
`string`, `int`, `bool`, `any`, `map:T`, `T[]`, a name of `types`, or a list of words that ends in
`*` when others are taken as well. Descriptions are left out.
"""

import enum
import importlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import types as python_types
import typing
from pathlib import Path
from typing import Any, Final

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

Types = dict[str, dict[str, Any]]
_PLAIN: Final = {"str": "string", "int": "int", "bool": "bool", "float": "any", "object": "any"}
_PARTS_OF_A_MODEL: Final = 2
"""A client's flattened attribute is `properties.name`."""


def ask_published(resource_type: str) -> list[dict[str, Any]]:
    """Ask the Azure MCP server's binary for one resource type."""
    binary = Path(sysconfig.get_paths()["purelib"]) / "msmcp_azure" / "bin" / "azmcp"
    answer = subprocess.run(
        [str(binary), "bicepschema", "get", "--resource-type", resource_type],
        env={**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"},
        capture_output=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(answer.stdout)["results"]["BicepSchemaResult"]
    return found


def read_published(entries: list[dict[str, Any]], into: Types) -> dict[str, str]:
    """Take every type of one answer into a table, and answer resource -> name of its body."""
    resources = {}
    for entry in entries:
        if entry["$type"] == "Resource":
            body = {**entry["bodyType"], "name": entry["name"]}
            resources[entry["name"]] = entry["name"]
            _take_published(body, into)
        elif entry["$type"] in {"Object", "DiscriminatedObject"}:
            _take_published(entry, into)
    return resources


def _take_published(entry: dict[str, Any], into: Types) -> None:
    if entry["$type"] == "DiscriminatedObject":
        variants = {}
        base = _read_properties(entry["baseProperties"])
        for element in entry["elements"]:
            properties = {**base, **_read_properties(element["properties"])}
            variants[properties[entry["discriminator"]]["type"][0]] = properties
        into[entry["name"]] = {"discriminator": entry["discriminator"], "variants": variants}
        return
    taken: dict[str, Any] = {"properties": _read_properties(entry["properties"])}
    if "additionalPropertiesType" in entry:
        taken["additional"] = _read_type(entry["additionalPropertiesType"])
    into[entry["name"]] = taken


def _read_properties(properties: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["name"]: _read_property(each) for each in properties}


def _read_property(entry: dict[str, Any]) -> dict[str, Any]:
    taken: dict[str, Any] = {"type": _read_type(entry["type"], entry["name"])}
    flags = entry.get("flags", "")
    if "Required" in flags:
        taken["required"] = True
    if "ReadOnly" in flags:
        taken["readOnly"] = True
    for name, value in re.findall(
        r"(minLength|maxLength|minValue|maxValue|pattern): (.*?)(?=, (?:min|max|pattern|sens)|$)",
        entry.get("modifiers", ""),
    ):
        taken[name] = value if name == "pattern" else int(value)
    return taken


def _read_type(written: Any, name: str = "") -> Any:
    if not isinstance(written, str):
        return "any"
    if " | " in written:
        words = written.split(" | ")
        if "string[]" in words:
            return "string[]"
        return [
            *(word for word in words if word != "string"),
            *(["*"] if "string" in words else []),
        ]
    literal = name in {"name", "type", "apiVersion", "kind"} and written not in {"string", "any"}
    return [written] if literal and not written[0].isupper() else written


def read_clients(wanted: dict[str, str]) -> tuple[dict[str, str], Types]:
    """Read the models of the management clients into the same shape."""
    found: Types = {}
    for resource, where in wanted.items():
        package, _, name = where.partition(":")
        module = importlib.import_module(f"azure.mgmt.{package}.models")
        _take_model(getattr(module, name), module, found, resource)
        found[resource]["properties"].setdefault("name", {"type": "string"})
        found[resource]["properties"]["name"] = {"type": "string", "required": True}
    return {name: name for name in wanted}, found


def _take_model(model: Any, module: Any, into: Types, name: str = "") -> str:
    name = name or model.__name__
    if name in into:
        return name
    into[name] = {"properties": {}}
    fields = _list_fields(model, module, into)
    into[name]["properties"] = fields
    subtypes = vars(model).get("_subtype_map", {})
    for discriminator, children in subtypes.items():
        key = model._attribute_map[discriminator]["key"].replace("\\.", ".")
        variants = {}
        for word, child in children.items():
            sub = _take_model(getattr(module, child), module, into)
            variants[word] = {**into[sub]["properties"], key: {"type": [word], "required": True}}
        into[name] = {"discriminator": key, "variants": variants}
    return name


def _list_fields(model: Any, module: Any, into: Types) -> dict[str, Any]:
    if hasattr(model, "_attribute_map"):
        return _list_mapped_fields(model, module, into)
    found = {}
    for ancestor in reversed(model.__mro__):
        names = {**vars(sys.modules[ancestor.__module__]), "_models": module}
        hints = typing.get_type_hints(ancestor, names)
        for attribute, field in vars(ancestor).items():
            if type(field).__name__ != "_RestField":
                continue
            hint = hints.get(attribute, Any)
            entry: dict[str, Any] = {"type": _read_hint(hint, module, into)}
            if not _is_optional(hint):
                entry["required"] = True
            if field._visibility == ["read"]:
                entry = {"type": entry["type"], "readOnly": True}
            found[field._rest_name_input or attribute] = entry
    return found


def _is_optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _read_hint(hint: Any, module: Any, into: Types) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, python_types.UnionType}:
        rest = [each for each in arguments if each not in {str, type(None)}]
        return _read_hint(rest[0], module, into) if rest else "string"
    if origin is list:
        return f"{_read_hint(arguments[0], module, into)}[]"
    if origin is dict:
        return f"map:{_read_hint(arguments[1], module, into)}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return [*(member.value for member in hint), "*"]
    if isinstance(hint, type) and hint.__module__.startswith("azure."):
        return _take_model(hint, module, into)
    return _PLAIN.get(getattr(hint, "__name__", ""), "any")


def _list_mapped_fields(model: Any, module: Any, into: Types) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute, where in model._attribute_map.items():
        if not where["key"]:  # whatever else the service may send
            continue
        keys = re.split(r"(?<!\\)\.", where["key"])
        rules = model._validation.get(attribute, {})
        entry: dict[str, Any] = {"type": _read_mapped(where["type"], module, into)}
        if rules.get("required"):
            entry["required"] = True
        if rules.get("readonly"):
            entry["readOnly"] = True
        for ours, theirs in (
            ("minLength", "min_length"),
            ("maxLength", "max_length"),
            ("minValue", "minimum"),
            ("maxValue", "maximum"),
            ("pattern", "pattern"),
        ):
            if theirs in rules:
                entry[ours] = rules[theirs]
        if len(keys) == _PARTS_OF_A_MODEL:
            outer = f"{model.__name__}.{keys[0]}"
            into.setdefault(outer, {"properties": {}})["properties"][keys[1]] = entry
            found[keys[0]] = {"type": outer}
        else:
            found[keys[0].replace("\\.", ".")] = entry
    return found


def _read_mapped(written: str, module: Any, into: Types) -> Any:
    if written.startswith("["):
        return f"{_read_mapped(written[1:-1], module, into)}[]"
    if written.startswith("{"):
        return f"map:{_read_mapped(written[1:-1], module, into)}"
    if hasattr(module, written):
        return _take_model(getattr(module, written), module, into)
    return _PLAIN.get(written, "string" if written in {"iso-8601", "duration"} else "any")


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
