"""Writes docs/alerts.md from the data and what rules measure: `python -m tests.alerts.document`.

A test compares, so that no alert, query or figure in it is another than what runs.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.alerts.evaluation import Telemetry
from tests.alerts.guide import GUIDE, GuideQuery
from tests.alerts.rules import METRIC_ALERTS, OBJECTIVES, QUERY_RULES, ROOT, Rule
from tests.alerts.scenarios import FIRES, FIRES_FOR_REAL, STAYS_SILENT, Scenario
from tests.alerts.tell_scenarios import NOW, play_all
from tests.kusto.service import Typed, check_queries

PATH: Final = ROOT / "docs" / "alerts.md"
_DETAIL: Final = 48 * 60
_SIGNS: Final = {"GreaterThan": ">", "LessThan": "<"}
_GROUPS: Final = {"critical": "PagerDuty", "warning": "Slack"}
_INTRODUCTION: Final = """# Alerts

<!-- Written by `python -m tests.alerts.document`: do not edit. -->

Every alert, its query, what fires it and what it measured then. The data are
`bicep/alerts/alerts.yaml` and `slos.yaml`; `bicep/modules/alerts.bicep` deploys them. Critical
alerts go to PagerDuty, warnings to Slack, both to e-mail as well.

**How they are tried.** Each query is typed by Microsoft's Kusto language service on the tables of
Application Insights, and run by DuckDB on telemetry that arrived at the
[ingestion stand-in](local-app-insights.md). A *story* is typed events of `shared/telemetry`
through the real exporter, dated before a pinned now; requests and web tests in it are told as
Azure's host and agents tell them. *Run of the app*: the alert also fires on what the app itself
told, on its host, while models were out, Azure DevOps throttled and disabled the hook, and
somebody knocked. In a run in which all is well no alert fires.

**Rules of all queries.** The window is the rule's; it is twice the frequency or more, since rows
arrive up to five minutes late. Counts are sums of `itemCount`. Shares have a least number of
events. No average or extreme over no rows. No percentile of `customMetrics`, whose values are
sums of a minute: "P95 > 4 min" is asked as "more than 5 % take longer than 4 min", which sampling
does not bend.

| alert | severity | to | condition | window, every | runbook |
|---|---|---|---|---|---|
"""
_OBJECTIVES: Final = """
## Objectives

Each makes three alerts: **Fast** (14.4 times what the budget allows, over 1 h and over 5 min;
PagerDuty), **Medium** (6 times, 6 h and 30 min; Slack), **Slow** (3 times, 1 d and 2 h; Slack).
They spend 2 %, 5 % and 10 % of a month's budget. The SRE workbook's slowest pair (1 times, 3 d
and 6 h) cannot be had: a rule looks back two days at most. Of each objective a story breaks it
three minutes ago, and all three fire; in another it was broken three hours ago and has been kept
since, and none does. Those of VariantSuccess and SystemErrors fire in the run of the app too.

"""
_GUIDE: Final = """
## The guide's own queries

Unchanged, on the same telemetry. *Compiles*: to Microsoft's language service. *Fault*: rows in
the story that it is for. *Near miss*: rows in the story beside it, where there should be none.

| query | compiles | fault | near miss | so it | why | instead |
|---|---|---|---|---|---|---|
"""


def write_document(open_story: Callable[[str], Telemetry]) -> str:
    """Write the whole document."""
    typed = check_queries({each.name: each.query for each in GUIDE})
    parts = [
        _INTRODUCTION,
        *(_write_line(rule.plain) for rule in QUERY_RULES),
        *(_write_line(alert) for alert in METRIC_ALERTS),
        *(_write_alert(rule, open_story) for rule in QUERY_RULES),
        *(_write_metric(alert) for alert in METRIC_ALERTS),
        _OBJECTIVES,
        *_write_objectives(),
        _GUIDE,
        *(_write_replay(each, typed[each.name], open_story) for each in GUIDE),
    ]
    return "".join(parts)


def _write_line(alert: dict[str, Any]) -> str:
    column = alert["measure"].get("column", alert.get("metric", {}).get("name"))
    runbook = alert["runbook"].removeprefix("docs/")
    return (
        f"| [{alert['name']}](#{alert['name'].lower()}) | {alert['severity']} "
        f"| {_GROUPS[alert['action_group']]} "
        f"| `{column}` {_SIGNS[alert['operator']]} {alert['threshold']} "
        f"| {alert['window']}, {alert['frequency']} | [runbook]({runbook}) |\n"
    )


def _write_alert(rule: Rule, open_story: Callable[[str], Telemetry]) -> str:
    alert, name = rule.plain, rule.name
    lines = [f"\n### {name}\n\n{alert['why']} First: {alert['first_action']}\n"]
    lines.append(f"\n```kusto\n{rule.query}```\n\n")
    fired = open_story(f"fires {name}").judge(rule)
    lines.append(f"- Fires: {_tell(FIRES[name])}; `{rule.column}` = {_round(fired.values)}.\n")
    if name in STAYS_SILENT:
        missed = open_story(f"silent {name}").judge(rule)
        story = _tell(STAYS_SILENT[name])
        lines.append(f"- Silent: {story}; `{rule.column}` = {_round(missed.values)}.\n")
    if name in FIRES_FOR_REAL:
        lines.append("- Run of the app: fires.\n")
    return "".join([*lines, f"- Sources: {'; '.join(alert['sources'])}.\n"])


def _write_metric(alert: dict[str, Any]) -> str:
    metric = alert["metric"]
    return (
        f"\n### {alert['name']}\n\n{alert['why']} First: {alert['first_action']}\n\n"
        f"- Metric of the platform: `{metric['namespace']}` `{metric['name']}`, "
        f"{alert['measure']['aggregation'].lower()}. Only Azure can show it.\n"
        f"- Sources: {'; '.join(alert['sources'])}.\n"
    )


def _write_objectives() -> Iterator[str]:
    for slo in OBJECTIVES["slos"]:
        runbook = slo["runbook"].removeprefix("docs/")
        yield (
            f"### {slo['name']}\n\n{slo['target']} %, from {slo['minimum_events']} events on. "
            f"{slo['why']} First: {slo['first_action']} [Runbook]({runbook}). "
            f"Sources: {'; '.join(slo['sources'])}.\n\n```kusto\n{slo['events']}```\n\n"
        )


def judge_guide_query(
    each: GuideQuery, typed: Typed, open_story: Callable[[str], Telemetry]
) -> tuple[str, int | None, int | None, str]:
    """Answer the fault that the language service finds, rows in both stories, and a verdict."""
    if typed.faults and "KS142" in typed.faults[0]:
        return typed.faults[0].split(" ")[1], None, None, "does not compile"
    fault = len(open_story(each.should).ask(each.query, _DETAIL))
    miss = len(open_story(each.should_not).ask(each.query, _DETAIL)) if each.should_not else None
    if not fault:
        verdict = "stays silent" if not miss else "misses what it is for, and fires beside it"
    elif miss:
        verdict = "fires when it should not"
    else:
        verdict = "works" if each.should_not else "answers; read it with care"
    code = typed.faults[0].split(" ")[1] if typed.faults else ""
    return code, fault, miss, verdict


def _write_replay(each: GuideQuery, typed: Typed, open_story: Callable[[str], Telemetry]) -> str:
    code, fault, miss, verdict = judge_guide_query(each, typed, open_story)
    cells = [
        each.name,
        f"no: {code}" if code else "yes",
        "" if fault is None else str(fault),
        "" if miss is None else str(miss),
        verdict,
        each.remark,
        each.instead,
    ]
    return f"| {' | '.join(cells)} |\n"


def _tell(scenario: Scenario) -> str:
    return scenario.__name__.removeprefix("tell_").replace("_", " ")


def _round(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.1f}".removesuffix(".0") for value in sorted(values)) or "no row"


def main() -> None:
    """Write the file."""
    told = play_all()
    opened = {name: Telemetry(rows, NOW) for name, rows in told.items()}
    PATH.write_text(write_document(opened.__getitem__), encoding="utf-8")


if __name__ == "__main__":
    main()
