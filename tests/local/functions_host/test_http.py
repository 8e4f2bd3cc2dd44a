"""HTTP functions are routed, called and answered as on Azure."""

from tests.local.functions_host.hosting import HostProcess


def test_function_sees_method_route_query_headers_body_and_settings(host: HostProcess) -> None:
    answer = host.call(
        "PUT",
        "/api/shapes/Circle/7/a%20b/c",
        params={"q": ["1", "2"], "empty": ""},
        headers={"X-Thing": "thing"},
        data="body",
    )
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "method": "PUT",
        "route": {"kind": "Circle", "number": "7", "rest": "a b/c"},
        "params": {"q": "1,2", "empty": ""},
        "header": "thing",
        "body": "body",
        "setting": "from the environment",
    }


def test_a_body_is_not_unpacked(host: HostProcess) -> None:
    sent = "plain"  # not gzip at all: unpacking it would be a 400
    answer = host.call(
        "PUT", "/api/shapes/circle/7/x", headers={"Content-Encoding": "gzip"}, data=sent
    )
    assert answer.json()["body"] == sent


def test_literal_route_goes_before_parameters(host: HostProcess) -> None:
    answer = host.call("GET", "/api/shapes/square/1/exact")
    assert answer.text == "exact"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_path_or_method_that_no_route_takes_is_404(host: HostProcess) -> None:
    assert host.call("GET", "/api/shapes/circle/10").status_code == 404
    assert host.call("GET", "/api/shapes/c1rcle/1").status_code == 404
    assert host.call("POST", "/api/shapes/circle/1").status_code == 404
    assert host.call("GET", "/shapes/circle/1").status_code == 404


def test_function_that_raises_is_500_and_told_on_the_console(host: HostProcess) -> None:
    answer = host.call("GET", "/api/broken")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "RuntimeError: broken on purpose" in host.log


def test_start_up_lists_functions_with_their_urls(host: HostProcess) -> None:
    assert f"http_start: [POST] {host.url}/api/orchestrators/{{function_name}}" in host.log
    assert "say_hello: activityTrigger" in host.log
