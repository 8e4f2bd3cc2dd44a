"""The doctor asks Application Insights whether the app's heartbeats arrive."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.app_insights.collected import Collected
from local.app_insights.kusto import Kusto
from local.key_vault.server import VaultStandIn
from ops.doctor import look_at_telemetry
from shared.doctor.report import AilmentError, UnseenError
from shared.domain.clock import read_utc_clock
from shared.jobs.world import World
from shared.settings import read_settings
from tests.loopback import QuietHandler, serve_on_loopback

APP_ID = "22222222-2222-2222-2222-222222222222"


class Component:
    """What has arrived, and how its query API answers."""

    def __init__(self) -> None:
        self.beats: list[datetime] = []
        self.status = 200
        self.url = ""

    def answer(self, query: str, timespan: str) -> dict[str, object]:
        since, until = map(datetime.fromisoformat, timespan.split("/"))
        collected = Collected()
        collected.add(
            ("customEvents", {"timestamp": at.isoformat(), "name": "heartbeat", "itemCount": 1})
            for at in self.beats
            if since <= at <= until + timedelta(seconds=1)
        )
        kusto = Kusto(collected.all_rows())
        found = kusto.query(query)
        kusto.close()
        columns = [{"name": name} for name in found.columns]
        return {"tables": [{"columns": columns, "rows": [list(row) for row in found.rows]}]}


@pytest.fixture
def component(vault: VaultStandIn) -> Iterator[Component]:
    known = Component()

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - the library's name
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_meant = self.path == f"/v1/apps/{APP_ID}/query"
            told = known.answer(asked["query"], asked["timespan"])
            self.send_response(known.status if is_meant else 404)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

    assert vault.environment  # whose identities give the tokens
    with serve_on_loopback(Handler) as known.url:
        yield known


def look(component: Component, tmp_path: Path, connection_string: str) -> str:
    settings = {
        "AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": connection_string,
        "CODE_AGENT_DATA_DIR": str(tmp_path),
    }
    world = World(read_settings(os.environ | settings), read_utc_clock)
    return look_at_telemetry(world, component.url)


def test_heartbeats_that_arrive_are_counted_and_silence_is_an_ailment(
    component: Component, tmp_path: Path
) -> None:
    known = f"InstrumentationKey=x;IngestionEndpoint=https://in.example/;ApplicationId={APP_ID}"
    now = datetime.now(UTC)
    component.beats = [now - timedelta(minutes=minutes) for minutes in (3, 2, 1)]
    assert look(component, tmp_path, known).startswith("3 heartbeats have arrived")
    component.beats = [now - timedelta(hours=1)]
    with pytest.raises(AilmentError, match="no heartbeat has arrived for 15 minutes"):
        look(component, tmp_path, known)
    component.status = 403
    with pytest.raises(UnseenError, match="Monitoring Reader"):
        look(component, tmp_path, known)
    assert "no ApplicationId" in look(component, tmp_path, "InstrumentationKey=x")
