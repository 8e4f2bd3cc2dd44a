"""The management API answers with the extension's status codes."""

from pathlib import Path

import pytest
import requests

from tests.local.functions_host.hosting import HostProcess, wait_until

WEBHOOK = "/runtime/webhooks/durabletask"


def test_public_door_wants_the_key_of_the_host(host: HostProcess) -> None:
    started = host.start_instance("chaining")
    bare = started.links["statusQueryGetUri"].partition("?")[0]
    assert requests.get(bare, timeout=10).status_code == 401
    assert requests.get(bare, params={"code": "wrong"}, timeout=10).status_code == 401
    assert requests.get(started.links["statusQueryGetUri"], timeout=10).status_code in (200, 202)


def test_status_of_a_running_and_of_a_finished_instance(host: HostProcess) -> None:
    started = host.start_instance("waits_long", 60)
    running = requests.get(started.links["statusQueryGetUri"], timeout=10)
    assert running.status_code == 202
    assert running.headers["Retry-After"] == "5"
    assert running.headers["Location"] == started.links["statusQueryGetUri"]
    assert running.json()["input"] == "60"
    assert (
        host.call_rpc("GET", f"instances/{started.id}", params={"showInput": "false"}).json()[
            "input"
        ]
        is None
    )
    started.post("terminate", params={"reason": "enough"})
    ended = started.wait()
    assert (ended["runtimeStatus"], ended["output"]) == ("Terminated", "enough")
    assert requests.get(started.links["statusQueryGetUri"], timeout=10).status_code == 200


def test_failed_instance_is_a_500_only_on_request(host: HostProcess) -> None:
    started = host.start_instance("raises")
    started.wait_failure()
    url = started.links["statusQueryGetUri"]
    assert requests.get(url, timeout=10).status_code == 200
    asked = requests.get(f"{url}&returnInternalServerErrorOnFailure=true", timeout=10)
    assert asked.status_code == 500


@pytest.mark.parametrize(
    "operation", ["terminate", "suspend", "resume", "rewind", "restart", "raiseEvent/Go"]
)
def test_operation_on_an_unknown_instance_is_404(host: HostProcess, operation: str) -> None:
    answer = host.call_rpc("POST", f"instances/nobody/{operation}", json=1)
    assert answer.status_code == 404


def test_status_and_purge_of_an_unknown_instance_are_404_without_body(host: HostProcess) -> None:
    for method in ("GET", "DELETE"):
        answer = host.call_rpc(method, "instances/nobody")
        assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ("terminate", 410),
        ("suspend", 410),
        ("resume", 410),
        ("raiseEvent/Go", 410),
        ("rewind", 412),
    ],
)
def test_operation_on_a_finished_instance(host: HostProcess, operation: str, status: int) -> None:
    started = host.start_instance("chaining")
    started.wait_output()
    assert started.post(operation, json=1) == status


def test_event_that_is_no_json_is_refused(host: HostProcess) -> None:
    started = host.start_instance("waits_long", 60)
    form = started.host.call_rpc("POST", f"instances/{started.id}/raiseEvent/Go", data={"a": "b"})
    assert form.status_code == 400
    headers = {"Content-Type": "application/json"}
    assert started.post("raiseEvent/Go", data="{", headers=headers) == 400
    started.post("terminate")


def test_suspended_instance_keeps_events_until_it_is_resumed(host: HostProcess) -> None:
    started = host.start_instance("approval", {"timeout_s": 60})
    started.wait_custom_status("waiting")
    assert started.post("suspend", params={"reason": "lunch"}) == 202
    started.wait("Suspended")
    assert started.raise_event("Approval", "yes") == 202
    assert started.read()["runtimeStatus"] == "Suspended"
    assert started.post("resume", params={"reason": "back"}) == 202
    assert started.wait_output() == {"approved": "yes"}


def test_suspended_instance_can_be_terminated(host: HostProcess) -> None:
    started = host.start_instance("approval", {"timeout_s": 60})
    started.post("suspend")
    started.wait("Suspended")
    started.post("terminate", params={"reason": "never mind"})
    assert started.wait()["output"] == "never mind"


def test_start_on_a_running_id_is_a_conflict_and_on_a_finished_one_replaces_it(
    host: HostProcess,
) -> None:
    first = host.start_instance("waits_long", 60, id="one-of-a-kind")
    again = host.call_rpc("POST", "orchestrators/chaining/one-of-a-kind")
    assert again.status_code == 409
    assert "already exists" in again.json()["Message"]
    first.post("terminate")
    first.wait()
    second = host.start_instance("chaining", id="one-of-a-kind")
    assert second.wait_output()[0] == "Hello Tokyo!"
    assert second.read()["name"] == "chaining"


def test_unknown_orchestrator_is_refused_at_the_start(host: HostProcess) -> None:
    answer = host.call_rpc("POST", "orchestrators/nothing")
    assert answer.status_code == 400
    assert "is not an orchestrator function" in answer.json()["ExceptionMessage"]
    through_sdk = host.call("POST", "/api/orchestrators/nothing")
    assert through_sdk.status_code == 409
    assert "is not an orchestrator function" in through_sdk.text


@pytest.mark.parametrize("instance_id", ["@at", "a%23b", "x" * 257, "a%5Cb", "a%3Fb"])
def test_instance_ids_that_the_extension_refuses(host: HostProcess, instance_id: str) -> None:
    assert host.call_rpc("POST", f"orchestrators/chaining/{instance_id}").status_code == 400


def test_start_with_a_body_that_is_no_json_is_refused(host: HostProcess) -> None:
    assert host.call_rpc("POST", "orchestrators/chaining", data="{").status_code == 400


def test_start_and_wait_answers_with_the_output(host: HostProcess) -> None:
    links = host.start_instance("chaining").links["statusQueryGetUri"]
    code = links.rpartition("code=")[2]
    answer = host.call(
        "POST",
        f"{WEBHOOK}/orchestrators/chaining",
        params={"code": code, "timeout": "5", "pollingInterval": "0.05"},
    )
    assert (answer.status_code, answer.json()[2]) == (200, "Hello London!")


def test_purge_deletes_finished_instances_only(host: HostProcess) -> None:
    running = host.start_instance("waits_long", 60)
    assert host.call_rpc("DELETE", f"instances/{running.id}").status_code == 412
    running.post("terminate")
    running.wait()
    purged = host.call_rpc("DELETE", f"instances/{running.id}")
    assert (purged.status_code, purged.json()) == (200, {"instancesDeleted": 1})
    assert host.call_rpc("GET", f"instances/{running.id}").status_code == 404


def test_purge_by_filter(host: HostProcess) -> None:
    failed = host.start_instance("raises")
    failed.wait_failure()
    completed = host.start_instance("chaining")
    completed.wait_output()
    assert host.call_rpc("DELETE", "instances/").status_code == 400
    filters = {"createdTimeFrom": "0001-01-01T00:00:00.000000Z", "runtimeStatus": "Failed"}
    assert host.call_rpc("DELETE", "instances/", params=filters).json()["instancesDeleted"] >= 1
    assert host.call_rpc("GET", f"instances/{failed.id}").status_code == 404
    assert host.call_rpc("GET", f"instances/{completed.id}").status_code == 200
    assert host.call_rpc("DELETE", "instances/", params=filters).status_code == 404


def test_instances_are_listed_by_prefix_status_and_page(host: HostProcess) -> None:
    for number in range(3):
        host.start_instance("chaining", id=f"listed-{number}").wait_output()
    filters = {"instanceIdPrefix": "listed-", "runtimeStatus": "Completed,Failed", "top": "2"}
    page = host.call_rpc("GET", "instances/", params=filters)
    assert [item["instanceId"] for item in page.json()] == ["listed-0", "listed-1"]
    token = page.headers["x-ms-continuation-token"]
    rest = host.call_rpc(
        "GET", "instances/", params=filters, headers={"x-ms-continuation-token": token}
    )
    assert [item["instanceId"] for item in rest.json()] == ["listed-2"]
    none = host.call_rpc("GET", "instances/", params={**filters, "runtimeStatus": "Running"})
    assert none.json() == []


def test_restart_runs_the_same_input_again(host: HostProcess) -> None:
    first = host.start_instance("fan_out", 3)
    output = first.wait_output()
    answer = host.call_rpc("POST", f"instances/{first.id}/restart?restartWithNewInstanceId=true")
    assert answer.status_code == 202
    second = first.__class__(host, answer.json()["id"], {})
    assert second.id != first.id
    assert second.wait_output() == output
    same = host.call_rpc("POST", f"instances/{first.id}/restart?restartWithNewInstanceId=false")
    assert same.json()["id"] == first.id
    assert first.wait_output() == output
    running = host.start_instance("waits_long", 60)
    url = f"instances/{running.id}/restart?restartWithNewInstanceId=false"
    assert host.call_rpc("POST", url).status_code == 409
    running.post("terminate")


def test_rewind_tries_the_failed_step_of_a_child_again(host: HostProcess, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    started = host.start_instance("call_noting", {"path": str(notes), "failures": 1})
    assert "failure 1 of 1" in started.wait_failure()
    assert started.post("rewind", params={"reason": "fixed"}) == 202
    assert started.wait_output() == ["Hello before!", 2]
    assert len(started.wait_history("TaskCompleted")) == 1  # what had succeeded was not repeated


def test_rewind_after_retries_tries_once_more(host: HostProcess, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    started = host.start_instance("provision_noting", {"path": str(notes), "failures": 2})
    started.wait_failure()
    assert started.post("rewind") == 202
    assert started.wait_output() == 3


def test_entities_are_listed_and_read(host: HostProcess) -> None:
    answer = host.call_rpc("POST", "entities/Counter/listed?op=add", json="5")
    assert answer.status_code == 202
    wait_until(lambda: host.call_rpc("GET", "entities/counter/listed").status_code == 200)
    assert host.call_rpc("GET", "entities/counter/listed").json() == 5
    listed = host.call_rpc("GET", "entities/counter", params={"fetchState": "true"}).json()
    (entity,) = [item for item in listed if item["entityId"]["key"] == "listed"]
    assert entity["state"] == 5
    assert host.call_rpc("GET", "entities/counter/nobody").status_code == 404
    assert host.call_rpc("POST", "entities/nothing/1?op=add").status_code == 400
