"""What the relays read: their secret, and the properties of our alerts.

What they send, and what PagerDuty and Slack make of it: tests/alerts/test_delivery.py.
"""

import json
import re
from typing import Any

import pytest

from tests.bicep.templates import FOLDER
from tests.bicep.workflow import Run


def read_definition(receiver: str) -> dict[str, Any]:
    path = FOLDER / "alerts" / "relay" / f"{receiver}.json"
    definition: dict[str, Any] = json.loads(path.read_text())
    return definition


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
