"""The ingestion endpoint: what it takes, what it refuses, and what goes wrong on request."""

import copy
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from local.app_insights.collected import Collected
from local.app_insights.running import run_in_thread
from local.app_insights.server import DEFAULT_KEY, Faults, InsightsOptions, InsightsStandIn
from local.app_insights.tables import TABLES


@pytest.fixture
def insights() -> Iterator[InsightsStandIn]:
    with run_in_thread() as stand_in:
        yield stand_in


def build_item(base_type: str, base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "name": f"Microsoft.ApplicationInsights.{base_type.removesuffix('Data')}",
        "time": datetime.now(UTC).isoformat(),
        "iKey": DEFAULT_KEY,
        "tags": {"ai.operation.id": "0af7651916cd43dd8448eb211c80319c", "ai.cloud.role": "agent"},
        "data": {"baseType": base_type, "baseData": {"ver": 2, **base}},
        **changes,
    }


EVENT = build_item(
    "EventData",
    {"name": "job_completed", "properties": {"status": "success"}, "measurements": {"ms": 1.5}},
)
REQUEST = {"id": "1", "duration": "1.00:00:01.5", "responseCode": "500", "success": False}
GOOD = [
    EVENT,
    build_item("MessageData", {"message": "hello", "severityLevel": 2}),
    build_item(
        "MetricData", {"metrics": [{"name": "m", "value": 12, "count": 2, "min": 5, "max": 7}]}
    ),
    build_item("ExceptionData", {"exceptions": [{"typeName": "ValueError", "message": "no"}]}),
    build_item("RequestData", REQUEST, sampleRate=25.0),
    build_item("RemoteDependencyData", {"name": "n", "duration": "0.00:00:00.001"}),
    build_item(
        "AvailabilityData", {"id": "1", "name": "n", "duration": "00:00:01", "success": True}
    ),
]


def post(insights: InsightsStandIn, body: Any, path: str = "/v2.1/track", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(insights.url + path, data=data, headers=headers, timeout=5)


@pytest.mark.parametrize("form", ["array", "lines", "gzip"])
def test_every_kind_of_item_becomes_a_row_of_its_table(
    insights: InsightsStandIn, form: str
) -> None:
    lines = "\n".join(json.dumps(item) for item in GOOD).encode()
    if form == "gzip":
        answer = post(insights, gzip.compress(lines), **{"Content-Encoding": "gzip"})
    else:
        answer = post(insights, GOOD if form == "array" else lines, path="/v2/track")
    assert answer.status_code == 200
    assert answer.json() == {
        "itemsReceived": 7,
        "itemsAccepted": 7,
        "errors": [],
        "appId": None,
    }
    rows = {table: insights.rows(table) for table in TABLES}
    assert {table: len(found) for table, found in rows.items()} == dict.fromkeys(TABLES, 1)
    event, metric, request = (
        rows[name][0] for name in ("customEvents", "customMetrics", "requests")
    )
    assert event["customDimensions"] == {"status": "success"}
    assert event["customMeasurements"] == {"ms": 1.5}
    assert (event["operation_Id"][:4], event["cloud_RoleName"]) == ("0af7", "agent")
    assert [metric[key] for key in ("value", "valueSum", "valueCount", "valueMin", "valueMax")] == [
        12, 12, 2, 5, 7,
    ]  # fmt: skip
    assert (request["duration"], request["success"], request["itemCount"]) == (
        86_401_500, "False", 4,
    )  # fmt: skip
    known = {"timestamp", *TABLES["requests"]}
    assert set(request) <= known


def spoil(**changes: Any) -> dict[str, Any]:
    item = copy.deepcopy(EVENT)
    for key, value in changes.items():
        place = item["data"]["baseData"] if key in ("name_", "properties") else item
        place[key.rstrip("_")] = value
    return item


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (spoil(iKey="11111111-2222-3333-4444-555555555555"), "Invalid instrumentation key"),
        (spoil(data={"baseType": "OddData", "baseData": {}}), "107: Field 'baseType'"),
        (spoil(name_=""), "109: Field 'name' on type 'EventData' is required but missing"),
        (spoil(name_="x" * 1025), "100: Field 'name' on type 'EventData' is too long"),
        (spoil(properties={"x": "y" * 65_536}), "Telemetry item length must not exceed 65536"),
        (spoil(time="yesterday"), "105: Field 'time'"),
        (
            spoil(time=(datetime.now(UTC) - timedelta(hours=49)).isoformat()),
            "103: Field 'time' on type 'Envelope' is older",
        ),
        (build_item("RequestData", REQUEST | {"duration": "1s"}), "105: Field 'duration'"),
        (build_item("RequestData", REQUEST | {"responseCode": ""}), "109: Field 'responseCode'"),
        (build_item("MetricData", {"metrics": []}), "109: Field 'metrics'"),
        ("text", "Invalid telemetry item"),
    ],
)
def test_what_the_service_refuses_is_refused_in_its_words(
    insights: InsightsStandIn, item: Any, message: str
) -> None:
    alone = post(insights, [item])
    assert (alone.status_code, alone.json()["itemsAccepted"]) == (400, 0)
    among_others = post(insights, [EVENT, item, EVENT])
    assert (among_others.status_code, among_others.json()["itemsAccepted"]) == (206, 2)
    error = among_others.json()["errors"][0]
    assert (error["index"], error["statusCode"]) == (1, 400)
    assert error["message"].startswith(message)
    assert len(insights.rows("customEvents")) == 2


@pytest.mark.parametrize("body", [b"", b"[{", b"{}\n{", b"\x1f\x8bnonsense"])
def test_a_body_that_cannot_be_read_is_refused(insights: InsightsStandIn, body: bytes) -> None:
    assert post(insights, body).status_code == 400


def test_faults_are_answered_as_long_as_they_last(insights: InsightsStandIn) -> None:
    control = f"{insights.url}/_standin/faults"
    for status in (402, 429, 439, 500):
        wish = {"status": status, "retry_after_s": 7}
        assert requests.put(control, json=wish, timeout=5).status_code == 200
        refused = post(insights, [EVENT])
        assert (refused.status_code, refused.headers["Retry-After"]) == (status, "7")
    insights.faults = Faults(reject_every=2)
    partial = post(insights, [EVENT] * 4)
    assert (partial.status_code, partial.json()["itemsAccepted"]) == (206, 2)
    insights.faults = Faults(away=True)
    with pytest.raises(requests.ConnectionError):
        post(insights, [EVENT])
    requests.delete(control, timeout=5)
    assert post(insights, [EVENT]).status_code == 200
    assert [call.status for call in insights.calls] == [402, 429, 439, 500, 206, 0, 200]


def test_without_local_authentication_a_token_is_asked_for() -> None:
    with run_in_thread(InsightsOptions(needs_token=True)) as insights:
        assert post(insights, [EVENT]).status_code == 401
        assert post(insights, [EVENT], Authorization="Bearer x").status_code == 200


def test_nobody_watches_live(insights: InsightsStandIn) -> None:
    url = f"{insights.url}/QuickPulseService.svc/ping"
    assert requests.post(url, timeout=5).headers["x-ms-qps-subscribed"] == "false"


def test_what_was_collected_outlives_the_run(tmp_path: Path) -> None:
    with run_in_thread(InsightsOptions(folder=tmp_path)) as insights:
        post(insights, GOOD)
    with (tmp_path / "telemetry.jsonl").open("a") as file:
        file.write('{"table": "customEvents", "row": {"na')  # the run was killed
    again = Collected(tmp_path)
    assert [len(again.rows(table)) for table in TABLES] == [1] * 7
