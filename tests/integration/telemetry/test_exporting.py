"""The real exporter against the stand-in: what arrives, what never does, a service that is away."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.app_insights.running import run_in_thread
from local.app_insights.server import Faults, InsightsOptions, InsightsStandIn
from local.app_insights.tables import TABLES
from local.key_vault.server import DEFAULT_CLIENT_ID, VaultStandIn
from tests.local.functions_host.hosting import REPOSITORY, wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"


def tell_everything(settings: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """Run the program that tells of everything; answers what it says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.telemetry.tell_everything"],
        cwd=REPOSITORY,
        env={**os.environ, "CODE_AGENT_DATA_DIR": str(folder), **settings},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> InsightsStandIn:
    """What arrived of everything."""
    with run_in_thread() as insights:
        settings = {CONNECTION: insights.connection_string}
        said = tell_everything(settings, tmp_path_factory.mktemp("app"))
        assert said["started"]
    return insights


def test_no_credential_and_no_address_arrives_in_any_row(told: InsightsStandIn) -> None:
    rows = json.dumps(told.collected.all_rows())
    assert "jamal" not in rows
    assert "sk-ant-a" not in rows
    assert rows.count("[e-mail removed]") >= 5


def test_everything_arrives_once_and_in_its_table(told: InsightsStandIn) -> None:
    counts = {table: len(told.rows(table)) for table in TABLES}
    assert counts == {
        "customEvents": 1,
        "customMetrics": 1,
        "traces": 2,  # the warning, and the event of the span
        "exceptions": 2,  # the bug with its stack, and the final failure
        "dependencies": 2,
        "requests": 0,
        "availabilityResults": 0,
    }
    rows = [row for table in TABLES if table != "customMetrics" for row in told.rows(table)]
    assert {row["operation_Id"] for row in rows} == {TRACE}
    assert {row["cloud_RoleName"] for row in rows} == {"code-agent"}
    call = next(row for row in told.rows("dependencies") if row["name"] == "list threads")
    assert (call["success"], call["customDimensions"]["error_code"]) == ("False", "ado.unavailable")
    event = told.rows("customEvents")[0]
    assert event["customMeasurements"] == {"retry_after_s": 3.0}
    (metric,) = told.rows("customMetrics", "variant_duration")
    assert (metric["valueSum"], metric["valueCount"]) == (90_000, 1)
    failure = next(row for row in told.rows("exceptions") if row["type"] == "ado.unavailable")
    assert failure["customDimensions"]["component"] == "ado"


def test_events_are_never_sampled_and_traces_as_the_setting_says(tmp_path: Path) -> None:
    with run_in_thread() as insights:
        settings = {CONNECTION: insights.connection_string, "CODE_AGENT_TRACE_RATIO": "0"}
        tell_everything(settings, tmp_path)
    assert insights.rows("dependencies") == []
    assert (len(insights.rows("customEvents")), len(insights.rows("exceptions"))) == (1, 2)


@pytest.mark.parametrize("faults", [Faults(status=500), Faults(away=True), Faults(slow_s=5)])
def test_a_service_that_is_away_holds_up_no_step(tmp_path: Path, faults: Faults) -> None:
    with run_in_thread() as insights:
        insights.faults = faults
        settings = {CONNECTION: insights.connection_string}
        said = tell_everything(settings, tmp_path)
        assert sum(said["took_s"]) < 2.5
        if faults.slow_s:
            return
        stored = list((tmp_path / "telemetry").rglob("*.blob*"))
        assert stored  # it waits on disk


def test_nothing_is_exported_without_a_connection_string(tmp_path: Path) -> None:
    said = tell_everything({CONNECTION: ""}, tmp_path)
    assert (said["started"], said["recording"]) == (False, False)
    assert not (tmp_path / "telemetry").exists()


def test_a_connection_string_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    assert tell_everything({CONNECTION: "nonsense"}, tmp_path)["started"] is False


def test_a_managed_identity_delivers_where_keys_do_not_count(
    vault: VaultStandIn, tmp_path: Path
) -> None:
    options = InsightsOptions(tls_folder=tmp_path / "tls", needs_token=True)
    with run_in_thread(options) as insights:
        settings = {
            CONNECTION: insights.connection_string,
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": (
                f"Authorization=AAD;ClientId={DEFAULT_CLIENT_ID}"
            ),
            "REQUESTS_CA_BUNDLE": str(tmp_path / "tls" / "vault-certificate.pem"),
        }
        tell_everything(settings, tmp_path)
        wait_until(lambda: insights.rows("customEvents"))
    assert {(call.status, call.has_token) for call in insights.calls} == {(200, True)}
    assert {call.client_id for call in vault.calls} == {DEFAULT_CLIENT_ID}
