"""The watch after a deployment, on a query API that runs the queries on what it was given."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.app_insights.collected import Collected
from local.app_insights.kusto import Kusto, QueryError
from local.key_vault.server import VaultStandIn
from ops.__main__ import main
from ops.burn_rate import load_objectives
from tests.loopback import QuietHandler, serve_on_loopback

APP_ID = "11111111-1111-1111-1111-111111111111"
OBJECTIVE = "GatewayAvailability"


class Component:
    """The rows of a component, and what is asked of it."""

    def __init__(self) -> None:
        self.requests: list[tuple[datetime, int]] = []
        self.refusal: int | None = None
        self.next_codes: list[int] = []
        """What is asked for after the next question."""
        self.asked: list[dict[str, Any]] = []

    def take(self, minutes_ago: float, codes: Sequence[int]) -> None:
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        self.requests += [(at, code) for code in codes]

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(body)
        if self.refusal is not None:
            return self.refusal, {"error": {"code": "Refused"}}
        since, until = map(datetime.fromisoformat, body["timespan"].split("/"))
        answer = self._run(body["query"], since, until)
        self.take(0, self.next_codes)
        return answer

    def _run(self, query: str, since: datetime, until: datetime) -> tuple[int, dict[str, Any]]:
        collected = Collected()
        collected.add(
            (
                "requests",
                {
                    "timestamp": at.isoformat(),
                    "url": "https://a/gateway/webhook/ado",
                    "resultCode": str(code),
                    "itemCount": 1,
                },
            )
            for at, code in self.requests
            if since <= at <= until + timedelta(seconds=1)
        )
        kusto = Kusto(collected.all_rows())
        try:
            found = kusto.query(query)
        except QueryError as error:
            return 400, {"error": {"code": str(error)}}
        finally:
            kusto.close()
        columns = [{"name": name, "type": "long"} for name in found.columns]
        rows = [list(row) for row in found.rows]
        return 200, {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}


@pytest.fixture
def component(vault: VaultStandIn) -> Iterator[tuple[Component, str]]:
    known = Component()

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_meant = self.path == f"/v1/apps/{APP_ID}/query"
            has_token = self.headers["Authorization"].startswith("Bearer ")
            code, told = known.answer(json.loads(body)) if is_meant and has_token else (404, {})
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

    assert vault.environment  # whose identities give the tokens
    with serve_on_loopback(Handler) as url:
        yield known, url


def watch(
    capsys: pytest.CaptureFixture[str], url: str, *arguments: str
) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["burn-rate", APP_ID, "--api", url, "--objective", OBJECTIVE, "--json", *arguments])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, told


def test_errors_since_the_deployment_burn_the_budget(
    component: tuple[Component, str], capsys: pytest.CaptureFixture[str]
) -> None:
    known, url = component
    known.take(30, [503] * 100)  # before the watch: somebody else's
    known.take(1, [202] * 40)
    assert watch(capsys, url) == (0, {"outcome": "good", "burning": [], "asked": [OBJECTIVE]})
    known.take(1, [500] * 10)
    code, told = watch(capsys, url, "--watch-minutes", "30")
    assert (code, told["burning"]) == (3, [OBJECTIVE])


def test_a_few_errors_among_few_say_something_only_where_that_is_wanted(
    component: tuple[Component, str], capsys: pytest.CaptureFixture[str]
) -> None:
    known, url = component
    known.take(1, [500, 202])
    assert watch(capsys, url)[0] == 0
    assert watch(capsys, url, "--minimum-events", "2")[0] == 3


def test_a_watch_goes_on_until_something_burns(
    component: tuple[Component, str], capsys: pytest.CaptureFixture[str]
) -> None:
    known, url = component
    known.next_codes = [500] * 40
    code, told = watch(capsys, url, "--watch-minutes", "10", "--every-s", "0.01")
    assert (code, told["burning"], len(known.asked)) == (3, [OBJECTIVE], 2)


@pytest.mark.parametrize("status", [403, 400, 429])
def test_what_is_not_answered_is_not_called_good(
    component: tuple[Component, str], capsys: pytest.CaptureFixture[str], status: int
) -> None:
    known, url = component
    known.refusal = status
    code, told = watch(capsys, url)
    assert code == 1
    assert "Application Insights" in told["outcome"]


def test_an_unknown_objective_is_named(
    component: tuple[Component, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = watch(capsys, component[1], "--objective", "Beauty")
    assert (code, told["outcome"]) == (2, "There is no objective Beauty.")


def test_every_objective_is_filled_in() -> None:
    assert [one.name for one in load_objectives()]
    assert not [one for one in load_objectives() if "{" in one.query]
