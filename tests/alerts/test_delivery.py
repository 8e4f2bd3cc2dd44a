"""What the Logic Apps make of Azure's alerts, sent over loopback to PagerDuty and Slack."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.alerts.receivers import ROUTING_KEY, SLACK_PATH, Receivers, run_receivers
from tests.alerts.rules import ALERTS, FOLDER
from tests.bicep.workflow import Run

PAGERDUTY = "https://events.pagerduty.com"
ALERT_ID = "/subscriptions/0/providers/Microsoft.AlertsManagement/alerts/7b1c"


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with run_receivers() as running:
        yield running


def make_alert(**changes: Any) -> dict[str, Any]:
    """An alert in the common schema, as a log search alert sends it.

    Source: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
    """
    essentials = {
        "alertId": ALERT_ID,
        "alertRule": "HighErrorRate",
        "severity": "Sev1",
        "signalType": "Log",
        "monitorCondition": "Fired",
        "monitoringService": "Log Alerts V2",
        "alertTargetIDs": ["/subscriptions/0/components/appi-code-agent"],
        "configurationItems": ["appi-code-agent"],
        "firedDateTime": "2026-11-25T12:00:01.5Z",
        "description": "More than 5 % failed.",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
        **changes,
    }
    custom = {"guid": "5f0b", "firstAction": "Open /gateway/ready.", "runbook": "https://r/x.md"}
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": essentials, "alertContext": {}, "customProperties": custom},
    }


def build_request(receiver: str, alert: Any, secret: str) -> dict[str, Any]:
    """Build what the Logic App of a receiver would send."""
    definition = json.loads((FOLDER / "relay" / f"{receiver}.json").read_text())
    return Run(definition, alert, secret).build_request("send")


def relay(receiver: str, alert: Any, receivers: Receivers) -> requests.Response:
    """Run the Logic App of a receiver on an alert."""
    secret = {"pagerduty": ROUTING_KEY, "slack": f"{receivers.url}{SLACK_PATH}"}[receiver]
    sent = build_request(receiver, alert, secret)
    return requests.request(
        sent["method"],
        sent["uri"].replace(PAGERDUTY, receivers.url),
        json=sent["body"],
        headers=sent["headers"],
        timeout=10,
    )


def test_pagerduty_opens_one_incident_and_resolves_it(receivers: Receivers) -> None:
    for _ in range(2):  # Azure delivers again what was not answered in time
        assert relay("pagerduty", make_alert(), receivers).status_code == 202
    assert receivers.incidents == {ALERT_ID: "open"}
    payload = receivers.events[0]["payload"]
    assert payload["summary"] == "HighErrorRate: More than 5 % failed."
    assert (payload["severity"], payload["source"]) == ("error", "appi-code-agent")
    assert payload["custom_details"]["first_action"] == "Open /gateway/ready."
    assert payload["custom_details"]["runbook"] == "https://r/x.md"
    resolved = make_alert(monitorCondition="Resolved", resolvedDateTime="2026-11-25T12:30:00Z")
    assert relay("pagerduty", resolved, receivers).status_code == 202
    assert receivers.incidents == {ALERT_ID: "resolved"}


@pytest.mark.parametrize(
    ("severity", "told"),
    [("Sev0", "critical"), ("Sev1", "error"), ("Sev2", "warning"), ("Sev3", "info")],
)
def test_severities_are_pagerdutys(receivers: Receivers, severity: str, told: str) -> None:
    relay("pagerduty", make_alert(severity=severity), receivers)
    assert receivers.events[0]["payload"]["severity"] == told


def test_slack_reads_what_fired_and_what_is_over(receivers: Receivers) -> None:
    assert relay("slack", make_alert(severity="Sev2"), receivers).text == "ok"
    relay("slack", make_alert(monitorCondition="Resolved"), receivers)
    fired, over = receivers.messages
    assert fired == "Warning: HighErrorRate (Sev2)\nMore than 5 % failed.\nhttps://r/x.md"
    assert over.startswith("Resolved: HighErrorRate")


HOSTILE = {
    "mentions": "<!channel> <@U123> <https://evil.example|look here> & more",
    "quotes": '"}, "routing_key": "stolen", {"a": "\\" \' @{body(\'read_secret\')}',
    "expression": "@{triggerBody()} @{concat('a','b')} ${x} {{y}}",
    "long": "x" * 100_000,
    "control": "line\r\nbreak\x00\x1b[31m\u202e",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("receiver", ["pagerduty", "slack"])
def test_hostile_texts_stay_texts(receivers: Receivers, receiver: str, text: str) -> None:
    alert = make_alert(description=text, alertRule=text)
    assert relay(receiver, alert, receivers).ok
    if receiver == "slack":
        (message,) = receivers.messages
        assert "<" not in message
        assert ">" not in message
        assert len(message) < 16_000
    else:
        (event,) = receivers.events
        assert event["routing_key"] == ROUTING_KEY
        assert event["payload"]["summary"].startswith(text[:500])
        assert ROUTING_KEY not in json.dumps(event["payload"])


@pytest.mark.parametrize(
    "alert",
    [
        {},
        None,
        {"schemaId": "AIP Budget Notification", "data": {"BudgetName": "budget-code-agent"}},
        {"data": {"essentials": {"description": None, "configurationItems": []}}},
    ],
)
@pytest.mark.parametrize("receiver", ["pagerduty", "slack"])
def test_what_is_no_common_alert_still_arrives_as_something(
    receivers: Receivers, receiver: str, alert: Any
) -> None:
    """A budget has a form of its own, whatever the action group asks for."""
    assert relay(receiver, alert, receivers).ok
    told = receivers.messages[0] if receiver == "slack" else json.dumps(receivers.events[0])
    assert ("budget-code-agent" in told) is ("Budget" in json.dumps(alert))


def test_a_wrong_secret_fails_the_run_and_so_alerts(receivers: Receivers) -> None:
    sent = build_request("pagerduty", make_alert(), "not-a-key")
    answer = requests.post(f"{receivers.url}/v2/enqueue", json=sent["body"], timeout=10)
    assert answer.status_code == 400
    assert receivers.incidents == {}


def test_every_alert_fits_into_what_pagerduty_and_slack_take() -> None:
    for alert in ALERTS:
        told = f"{alert['name']}: {alert['why']} First: {alert['first_action']}"
        assert len(told) <= 1024, alert["name"]
