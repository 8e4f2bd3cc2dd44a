"""What `main.bicep` makes of each stage: parameters, names, settings."""

import json
import re
from typing import Any

import pytest

from ops.capacity.scenario import THREADS
from shared.settings import read_settings
from tests.bicep.azure_types import load_types
from tests.bicep.evaluate import Evaluator
from tests.bicep.templates import (
    FOLDER,
    MAIN,
    PARAMETERS,
    ROOT,
    Block,
    Declaration,
    list_properties,
    property_of,
    read_template,
    text_of,
)

STAGES = ("dev", "staging", "production")
ENVIRONMENT = {
    "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
    "DEPLOY_ALERT_EMAILS": "team@contoso.example,lead@contoso.example",
}
OF_THE_PLATFORM = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AZURE_CLIENT_ID",
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName",
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__type",
    "AzureFunctionsWebHost__hostid",
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "PYTHON_ENABLE_OPENTELEMETRY",
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "TASKHUB_NAME",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID",
}
"""Settings that the host, Azure's SDKs and the exporter read; the app's own are in the sample."""

OUTPUTS = {
    "identity": {"name": "id-codeagent-dev", "clientId": "11111111-1111-1111-1111-111111111111"},
    "vault": {"uri": "https://kv-abcdefgh-app.vault.azure.net/"},
    "server": {"host": "psql.postgres.database.azure.com"},
    "scheduler": {"endpoint": "https://dts.westeurope.durabletask.io"},
    "flexApp": {"hostName": "a.example", "resourceId": "/a", "name": "a"},
    "secondFlexApp": {"hostName": "b.example", "resourceId": "/b", "name": "b"},
    "premiumApp": {"hostName": "p.example", "resourceId": "/p", "name": "p"},
}


def read_parameters(environment: dict[str, str]) -> dict[str, Any]:
    template = read_template(PARAMETERS)
    evaluator = Evaluator(template, {}, ENVIRONMENT | environment)
    names = re.findall(r"^param (\w+) =", template.text, re.MULTILINE)
    return {name: evaluator.value_of(name) for name in names}


def open_main(**changed: Any) -> Evaluator:
    """Open the main file as the stage `dev` would, with some parameters changed."""
    modules = {name: {"outputs": values} for name, values in OUTPUTS.items()}
    return Evaluator(read_template(MAIN), read_parameters({}) | modules | changed)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_gives_every_parameter_it_must(stage: str) -> None:
    given = read_parameters({"DEPLOY_STAGE": stage})
    declared = read_template(MAIN).parameters
    assert given.keys() <= declared.keys()
    assert {name for name, each in declared.items() if each.value is None} <= given.keys()
    for name, value in given.items():
        assert list_misfits(declared[name], value) == [], name


def list_misfits(declared: Declaration, value: Any) -> list[str]:
    """What a value has too much or too little, by the parameter's type and decorators."""
    allowed = declared.decorators.get("allowed")
    if allowed is not None and value not in [text_of(each) for each in allowed.named_children]:
        return [f"{value!r} is not allowed"]
    low, high = (declared.decorators.get(name) for name in ("minLength", "maxLength"))
    if low is not None and len(value) < int(text_of(low)):
        return [f"{value!r} is too short"]
    if high is not None and len(value) > int(text_of(high)):
        return [f"{value!r} is too long"]
    types = read_template(FOLDER / "modules" / "types.bicep").declarations
    custom = types.get(text_of(declared.type)) if declared.type is not None else None
    if custom is None or custom.value is None or custom.value.type != "object":
        return []
    wanted = {text_of(key) for key, _ in list_properties(custom.value)}
    return sorted(wanted ^ value.keys())


@pytest.mark.parametrize("database", ["postgres", "vault-url"])
@pytest.mark.parametrize("backend", ["storage", "scheduler"])
def test_the_app_accepts_the_settings_it_is_given(database: str, backend: str) -> None:
    settings = open_main(database=database, durableBackend=backend).value_of("appSettings")
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert sorted(settings.keys() - sample.keys() - OF_THE_PLATFORM) == []
    read = read_settings({**settings, "TASKHUB_NAME": "CodeAgentDev"})
    assert (read.environment, read.organisation) == ("dev", "contoso")
    assert read.database.uses_identity == (database == "postgres")
    assert ("AzureFunctionsJobHost" in "".join(settings)) == (backend == "scheduler")


def test_what_operators_set_wins_over_defaults_but_not_over_identities() -> None:
    chosen = {"CODE_AGENT_TRUSTED_PROXY_HOPS": "2", "AZURE_CLIENT_ID": "somebody-else"}
    settings = open_main(settings=chosen).value_of("appSettings")
    assert settings["CODE_AGENT_TRUSTED_PROXY_HOPS"] == "2"
    assert settings["AZURE_CLIENT_ID"] == OUTPUTS["identity"]["clientId"]


def test_no_run_that_the_host_lets_in_waits_for_a_thread() -> None:
    host = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]
    let_in = sum(host[f"maxConcurrent{kind}Functions"] for kind in ("Activity", "Orchestrator"))
    threads = int(open_main().value_of("appSettings")["PYTHON_THREADPOOL_THREAD_COUNT"])
    assert let_in < threads == THREADS


@pytest.mark.parametrize("module", ["function-app-flex", "function-app-premium"])
def test_the_settings_of_an_app_have_names_that_somebody_reads(module: str) -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    text = (FOLDER / "modules" / f"{module}.bicep").read_text()
    written = set(re.findall(r"^\s+([A-Z][A-Z_]{5,}|Azure\w+__\w+):", text, re.MULTILINE))
    assert written >= {"TASKHUB_NAME", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"}
    assert sorted(written - sample.keys() - OF_THE_PLATFORM) == []


def test_each_slot_keeps_a_task_hub_of_its_own() -> None:
    template = read_template(FOLDER / "modules" / "function-app-premium.bicep")
    sticky = template.declarations["slotNames"]
    assert isinstance(sticky, Block)
    assert "'TASKHUB_NAME'" in text_of(sticky.body)
    main = open_main(plan="premium")
    hub, staging = main.value_of("taskHubs")
    assert hub != staging
    for name in (hub, staging):
        # https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-task-hubs
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,44}", name)


RULES = {
    "modules/identity.bicep": r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}",
    "modules/application-insights.bicep": r"[A-Za-z0-9_().-]{1,255}",
    "modules/network.bicep": r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_]",
    "modules/postgres.bicep": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "modules/task-scheduler.bicep": r"[A-Za-z0-9][A-Za-z0-9-]{1,62}[A-Za-z0-9]",
    "modules/function-app-flex.bicep": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
    "modules/function-app-premium.bicep": r"[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]",
    "modules/alert-relay.bicep": r"[A-Za-z0-9_().-]{1,43}",
    "modules/availability.bicep": r"[A-Za-z0-9_ .-]{1,255}",
    "modules/budget.bicep": r"[A-Za-z0-9_-]{1,63}",
    "modules/key-vault.bicep": r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "modules/storage-account.bicep": r"[a-z0-9]{3,24}",
    "modules/log-analytics.bicep": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
}
"""Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"""


@pytest.mark.parametrize("name", ["ab", "a-b", "CodeAgentLong"[:12]])
@pytest.mark.parametrize("stage", STAGES)
def test_names_fit_however_long_the_short_name_is(name: str, stage: str) -> None:
    main = open_main(name=name, stage=stage)
    seen = set()
    for module in read_template(MAIN).modules:
        params = property_of(module.body, "params")
        given = property_of(params, "name") if params is not None else None
        if given is None:
            continue
        seen.add(module.target)
        made = main.compute(given)
        assert re.fullmatch(RULES[module.target], made), (module.name, made)
        own = read_template(FOLDER / module.target).parameters["name"].decorators
        assert len(made) <= int(text_of(own["maxLength"]))
    assert seen == RULES.keys()


def test_no_published_type_is_kept_in_vain() -> None:
    used = {
        resource.target
        for path in FOLDER.rglob("*.bicep")
        for resource in read_template(path).resources
    }
    assert load_types().keys() - used <= {"Microsoft.Insights/workbooks@2023-06-01"}


@pytest.mark.parametrize(
    ("plan", "second", "hubs"),
    [
        ("flex", False, ["CodeAgentDev"]),
        ("flex", True, ["CodeAgentDev", "CodeAgentDevB"]),
        ("premium", True, ["CodeAgentDev", "CodeAgentDevSlot"]),
    ],
)
def test_each_side_of_a_deployment_has_a_task_hub_of_its_own(
    *, plan: str, second: bool, hubs: list[str]
) -> None:
    main = open_main(plan=plan, secondApp=second)
    assert main.value_of("taskHubs") == hubs
    assert main.value_of("hasSecondApp") == (plan == "flex" and second)
    sides = [main.value_of(name) for name in ("packageContainer", "secondPackageContainer")]
    assert len(set(sides)) == 2


def compute_of(main: Evaluator, module: str, name: str) -> Any:
    """Compute what a module is given."""
    body = next(each.body for each in read_template(MAIN).modules if each.name == module)
    params = property_of(body, "params")
    assert params is not None
    value = property_of(params, name)
    assert value is not None
    return main.compute(value)


def find_tag(main: Evaluator) -> str | None:
    group = next(each for each in read_template(MAIN).resources if "resourceGroups@" in each.target)
    tags = property_of(group.body, "tags")
    assert tags is not None
    found: str | None = main.compute(tags).get("code-agent-live")
    return found


@pytest.mark.parametrize(("side", "live", "rests"), [("a", "a", "b"), ("b", "b", "a")])
def test_what_watches_follows_the_side_that_is_live(side: str, live: str, rests: str) -> None:
    main = open_main(secondApp=True, liveSide=side)
    modules = {"a": "flexApp", "b": "secondFlexApp"}
    name = main.value_of("secondAppName" if side == "b" else "appName")
    assert find_tag(main) == name
    assert compute_of(main, "availability", "hostName") == f"{live}.example"
    assert main.value_of("AZURE_WEBHOOK_URL") == f"https://{live}.example/gateway/webhook/ado"
    off = set(main.value_of("restingSettings"))
    assert compute_of(main, modules[live], "settings").keys().isdisjoint(off)
    assert compute_of(main, modules[rests], "settings").keys() > off
    apps = compute_of(main, "alerts", "apps")
    assert [each["resourceId"] for each in apps] == ["/a", "/b"]


@pytest.mark.parametrize(("plan", "host"), [("flex", "a.example"), ("premium", "p.example")])
def test_one_app_is_live_whatever_is_said(plan: str, host: str) -> None:
    main = open_main(plan=plan, secondApp=plan == "premium", liveSide="b")
    assert find_tag(main) is None
    assert compute_of(main, "availability", "hostName") == host
    assert len(compute_of(main, "alerts", "apps")) == 1
    assert compute_of(main, "flexApp", "settings") == main.value_of("appSettings")


def test_which_of_two_apps_is_live_is_never_taken_for_granted() -> None:
    declared = read_template(MAIN).parameters["liveSide"]
    for given, fits in (({}, False), ({"DEPLOY_LIVE_SIDE": "b"}, True)):
        told = read_parameters({"DEPLOY_SECOND_APP": "yes", **given})["liveSide"]
        assert (list_misfits(declared, told) == []) == fits
    assert read_parameters({})["liveSide"] == "a"


def test_what_a_variable_is_by_default_is_written_as_a_text() -> None:
    """The compiler takes another expression for none, and misses the variable.

    Source: `ReadEnvironmentVariableResultBuilder` in Bicep's `SystemNamespaceType.cs`
    """
    text = read_template(PARAMETERS).text
    calls = re.findall(r"readEnvironmentVariable\(", text)
    assert len(calls) == len(re.findall(r"readEnvironmentVariable\('\w+'(?:, '[^']*')?\)", text))


def test_each_app_has_a_rule_of_its_own_on_its_metrics() -> None:
    module = read_template(FOLDER / "modules" / "alerts.bicep")
    apps = [{"suffix": "", "resourceId": "/a"}, {"suffix": "-b", "resourceId": "/b"}]
    rules = Evaluator(module, {"apps": apps, "componentResourceId": "/c"}).value_of("metricAlerts")
    assert {(each["name"], each["scope"]) for each in rules} == {
        *(("MemoryHigh", "/a"), ("MemoryHigh-b", "/b")),
        *(("CpuHigh", "/a"), ("CpuHigh-b", "/b")),
    }
    assert len({each["guid"] for each in rules}) == len(rules)
