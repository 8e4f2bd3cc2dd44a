"""Misbehaviour on demand: same seed, same faults; effects happen or do not, as told."""

import socket
import struct
import threading
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults, Hold
from local.azure_devops.running import RunningAzureDevOps
from local.demo.person import Person
from tests.local.azure_devops.client import Client
from tests.local.functions_host.hosting import wait_until

THREADS = "pullRequests/1/threads"
BODY: dict[str, Any] = {"comments": [{"content": "x"}]}


def count_threads(azure_devops: RunningAzureDevOps) -> int:
    return len(azure_devops.organisation.records.all("thread"))


@pytest.mark.parametrize(
    ("kind", "code", "effects"),
    [
        (FaultKind.THROTTLE_429, 429, 0),
        (FaultKind.UNAVAILABLE_503, 503, 0),
        (FaultKind.HTML_OUTAGE, 200, 0),
        (FaultKind.SIGN_IN_203, 203, 0),
        (FaultKind.DELAYED_200, 200, 1),
        (FaultKind.DELAY, 200, 1),
        (FaultKind.RESET_BEFORE, None, 0),
        (FaultKind.RESET_AFTER, None, 1),
    ],
)
def test_each_fault_looks_and_acts_as_it_is_called(
    azure_devops: RunningAzureDevOps, kind: FaultKind, code: int | None, effects: int
) -> None:
    azure_devops.organisation.faults = Faults(rate=1.0, kinds=[kind], retry_after_s=7)
    agent = Client(azure_devops, seed.CODE_AGENT)
    if code is None:
        with pytest.raises(requests.ConnectionError):
            agent.git("POST", THREADS, BODY)
    else:
        answer = agent.git("POST", THREADS, BODY)
        assert answer.status_code == code
        asks = kind in (FaultKind.THROTTLE_429, FaultKind.UNAVAILABLE_503, FaultKind.DELAYED_200)
        assert answer.headers.get("Retry-After") == ("7" if asks else None)
    assert count_threads(azure_devops) == effects


def test_people_are_spared_and_the_same_seed_gives_the_same_faults(
    azure_devops: RunningAzureDevOps,
) -> None:
    made = []
    for _ in range(2):
        wish = {"rate": 0.5, "seed": 3, "kinds": ["throttle_429", "html_outage"]}
        requests.post(f"{azure_devops.url}/_standin/faults", json=wish, timeout=10)
        for _ in range(20):
            assert Client(azure_devops, seed.JAMAL).git("GET", THREADS).status_code == 200
            Client(azure_devops, seed.CODE_AGENT).git("GET", THREADS)
        made.append(requests.get(f"{azure_devops.url}/_standin/faults", timeout=10).json()["made"])
    assert made[0] == made[1]
    assert 4 < len(made[0]) < 16
    bad = requests.post(f"{azure_devops.url}/_standin/faults", json={"kinds": ["x"]}, timeout=10)
    assert bad.status_code == 400


@pytest.mark.parametrize(("moment", "effects"), [("before", 0), ("after", 1)])
def test_a_hold_freezes_one_write_before_or_after_its_effect(
    azure_devops: RunningAzureDevOps, moment: str, effects: int
) -> None:
    hold = azure_devops.organisation.hold = Hold(write_number=2, moment=moment)
    agent = Client(azure_devops, seed.CODE_AGENT)
    assert agent.git("POST", THREADS, BODY).ok
    failed: list[bool] = []

    def write() -> None:
        try:
            agent.git("POST", THREADS, BODY)
        except requests.ConnectionError:
            failed.append(True)

    thread = threading.Thread(target=write)
    thread.start()
    wait_until(hold.reached.is_set)
    assert count_threads(azure_devops) == 1 + effects
    requests.delete(f"{azure_devops.url}/_standin/hold", timeout=10)
    thread.join(10)
    assert failed == [True]


def test_the_call_log_counts_the_agents_calls_only(azure_devops: RunningAzureDevOps) -> None:
    Client(azure_devops, seed.JAMAL).git("GET", THREADS)
    agent = Client(azure_devops, seed.CODE_AGENT)
    agent.git("GET", THREADS)
    agent.git("POST", THREADS, BODY)
    calls = requests.get(f"{azure_devops.url}/_standin/calls", timeout=10).json()
    assert (calls["count"], calls["writes"]) == (2, 1)
    assert calls["by_operation"] == {"list threads": 1, "create thread": 1}
    requests.delete(f"{azure_devops.url}/_standin/calls", timeout=10)
    assert azure_devops.organisation.calls.operations == []


def test_whoever_goes_in_the_middle_of_a_request_leaves_no_trace_in_the_log(
    azure_devops: RunningAzureDevOps, caplog: pytest.LogCaptureFixture
) -> None:
    parts = urlsplit(azure_devops.organisation_url)
    login = b64encode(f":{seed.JAMAL.pat}".encode()).decode()
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as line:
        line.sendall(
            f"POST {parts.path}/_apis/hooks/subscriptions?api-version=7.1 HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Basic {login}\r\nContent-Length: 9\r\n\r\n{{".encode()
        )
        Person(azure_devops.organisation_url, seed.JAMAL.pat).list_branches("")  # it is being read
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for _ in range(3):
        Person(azure_devops.organisation_url, seed.JAMAL.pat).list_branches("")
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []
