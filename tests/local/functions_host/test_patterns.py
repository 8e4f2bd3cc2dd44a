"""The patterns of the Durable Functions documentation run through the real SDK."""

import requests

from tests.local.functions_host.hosting import HostProcess, wait_until


def test_chained_activities_get_each_others_results(host: HostProcess) -> None:
    started = host.start_instance("chaining")
    assert started.wait_output() == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]


def test_fan_out_collects_every_result(host: HostProcess) -> None:
    assert host.start_instance("fan_out", 12).wait_output() == 12 * 6 + 2


def test_approval_in_time_wins_over_the_timer_and_cancels_it(host: HostProcess) -> None:
    started = host.start_instance("approval", {"timeout_s": 60})
    started.wait_custom_status("waiting")
    answer = host.call("POST", f"/api/approve/{started.id}/Approval", json=True)
    assert answer.status_code == 202
    assert started.wait_output() == {"approved": "true"}  # the SDK encodes twice


def test_approval_too_late_escalates(host: HostProcess) -> None:
    assert host.start_instance("approval", {"timeout_s": 0.2}).wait_output() == "escalated"


def test_event_through_the_public_api_arrives_as_an_object(host: HostProcess) -> None:
    started = host.start_instance("approval", {"timeout_s": 60})
    started.wait_custom_status("waiting")
    url = started.links["sendEventPostUri"].replace("{eventName}", "Approval")
    assert requests.post(url, json={"by": "Ada"}, timeout=10).status_code == 202
    assert started.wait_output() == {"approved": {"by": "Ada"}}


def test_monitor_polls_until_ready_and_reports_progress(host: HostProcess) -> None:
    started = host.start_instance("monitor")
    assert started.wait_output() == 3
    assert started.read()["customStatus"] == {"polls": 3, "state": "ready"}


def test_entity_takes_signals_and_calls_in_order(host: HostProcess) -> None:
    assert host.start_instance("count_up", "ordered").wait_output() == [12, 12]


def test_entity_is_signalled_and_read_by_clients(host: HostProcess) -> None:
    assert host.call("GET", "/api/counters/clients").json() == [False, None]
    for _ in range(3):
        posted = host.call("POST", "/api/counters/clients/add", params={"amount": "7"})
        assert posted.status_code == 202
    wait_until(lambda: host.call("GET", "/api/counters/clients").json() == [True, 21])
    host.call("POST", "/api/counters/clients/delete")
    wait_until(lambda: host.call("GET", "/api/counters/clients").json() == [False, None])


def test_sub_orchestrations_are_retried(host: HostProcess) -> None:
    assert host.start_instance("provision_all").wait_output() == ["a after 3", "b after 3"]


def test_continue_as_new_starts_with_an_empty_history(host: HostProcess) -> None:
    started = host.start_instance("periodic", 4)
    assert started.wait_output() == "done"
    assert len(started.wait_history("TaskCompleted")) == 1


def test_durable_http_polls_until_the_job_is_done(host: HostProcess) -> None:
    started = host.start_instance("fetch", f"{host.url}/api/slow-job")
    assert started.wait_output() == [200, "finished"]
    assert len(started.wait_history("TaskCompleted")) == 1


def test_client_waits_for_completion(host: HostProcess) -> None:
    answer = host.call("POST", "/api/wait/chaining")
    assert (answer.status_code, answer.json()[0]) == (200, "Hello Tokyo!")
