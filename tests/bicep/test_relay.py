"""What PagerDuty and Slack are sent when an alert fires and when it is over."""

import json
import re
from typing import Any

import pytest

from tests.bicep.templates import FOLDER
from tests.bicep.workflow import Run

ALERT_ID = "/subscriptions/0/providers/Microsoft.AlertsManagement/alerts/1"
SECRET = "what-the-vault-holds"


def read_definition(receiver: str) -> dict[str, Any]:
    path = FOLDER / "alerts" / "relay" / f"{receiver}.json"
    definition: dict[str, Any] = json.loads(path.read_text())
    return definition


def build_alert(condition: str = "Fired", severity: str = "Sev1", **changed: Any) -> dict[str, Any]:
    """Build an alert as Azure sends it.

    Source: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
    """
    essentials = {
        "alertId": ALERT_ID,
        "alertRule": "HighErrorRate",
        "severity": severity,
        "signalType": "Log",
        "monitorCondition": condition,
        "monitoringService": "Log Alerts V2",
        "alertTargetIDs": ["/subscriptions/0/resourcegroups/rg/providers/microsoft.insights/x"],
        "configurationItems": ["appi-codeagent-dev"],
        "originAlertId": "2",
        "firedDateTime": "2026-11-25T12:00:00Z",
        "description": "More than 5 % failed. First: open /gateway/ready.",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
        "investigationLink": "https://portal.azure.com/x",
    }
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": essentials | changed,
            "alertContext": {},
            "customProperties": {
                "guid": "g",
                "firstAction": "Open /gateway/ready.",
                "runbook": "https://repository/docs/infrastructure.md#when-higherrorrate-fires",
            },
        },
    }


def send(receiver: str, alert: dict[str, Any]) -> dict[str, Any]:
    return Run(read_definition(receiver), alert, SECRET).build_request("send")


def test_pagerduty_opens_an_incident_and_closes_the_same_one() -> None:
    """Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/"""
    fired = send("pagerduty", build_alert())
    assert (fired["method"], fired["uri"]) == ("POST", "https://events.pagerduty.com/v2/enqueue")
    body = fired["body"]
    assert (body["routing_key"], body["event_action"]) == (SECRET, "trigger")
    assert len(body["dedup_key"]) <= 255
    assert body["payload"]["summary"].startswith("HighErrorRate: More than 5 %")
    assert body["payload"]["source"] == "appi-codeagent-dev"
    assert body["payload"]["custom_details"]["first_action"] == "Open /gateway/ready."
    over = send("pagerduty", build_alert("Resolved"))["body"]
    assert (over["event_action"], over["dedup_key"]) == ("resolve", body["dedup_key"])


@pytest.mark.parametrize(
    ("severity", "told"),
    [("Sev0", "critical"), ("Sev1", "error"), ("Sev2", "warning"), ("Sev3", "info")],
)
def test_pagerduty_is_told_how_bad_it_is(severity: str, told: str) -> None:
    body = send("pagerduty", build_alert(severity=severity))["body"]
    assert body["payload"]["severity"] == told


def test_a_long_or_missing_text_is_no_hindrance() -> None:
    long = send("pagerduty", build_alert(description="x" * 5000))["body"]["payload"]["summary"]
    assert len(long) == 1024
    empty = build_alert(description=None, configurationItems=[])
    assert send("pagerduty", empty)["body"]["payload"]["source"] == "code-agent"
    assert send("slack", empty)["body"]["text"]


def test_slack_says_what_fired_what_to_do_and_when_it_is_over() -> None:
    fired = send("slack", build_alert(severity="Sev2"))
    assert fired["uri"] == SECRET
    first, what, runbook = fired["body"]["text"].split("\n")
    assert first == "Warning: HighErrorRate (Sev2)"
    assert what == "More than 5 % failed. First: open /gateway/ready."
    assert runbook.endswith("#when-higherrorrate-fires")
    assert send("slack", build_alert("Resolved"))["body"]["text"].startswith("Resolved: ")


@pytest.mark.parametrize("receiver", ["pagerduty", "slack"])
def test_the_secret_is_read_by_identity_and_hidden_from_the_log_of_runs(receiver: str) -> None:
    definition = read_definition(receiver)
    read, sent = definition["actions"]["read_secret"], definition["actions"]["send"]
    request = Run(definition, {}, "").build_request("read_secret")
    assert request["uri"] == "https://vault.example/secrets/name?api-version=7.4"
    assert request["authentication"]["type"] == "ManagedServiceIdentity"
    assert sent["runAfter"] == {"read_secret": ["Succeeded"]}
    for action in (read, sent):
        hidden = action["runtimeConfiguration"]["secureData"]["properties"]
        assert hidden == ["inputs", "outputs"]


def test_what_a_relay_reads_of_our_properties_is_what_rules_send() -> None:
    module = (FOLDER / "modules" / "alerts.bicep").read_text()
    custom = re.search(r"customProperties: \{(.*?)\}\n", module, re.DOTALL)
    assert custom is not None
    sent = set(re.findall(r"(\w+):", custom[1]))
    for receiver in ("pagerduty", "slack"):
        text = json.dumps(read_definition(receiver))
        assert set(re.findall(r"\['customProperties'\]\?\['(\w+)'\]", text)) <= sent
