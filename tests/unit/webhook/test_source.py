import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.webhook.source import UNKNOWN, find_source_address, name_neighbourhood


@pytest.mark.parametrize(
    ("said", "hops", "found"),
    [
        pytest.param("203.0.113.7:51234", 1, "203.0.113.7", id="app-service"),
        pytest.param("203.0.113.7", 1, "203.0.113.7", id="without-port"),
        pytest.param("198.51.100.1, 203.0.113.7", 1, "203.0.113.7", id="smuggled-before"),
        pytest.param("198.51.100.1, 203.0.113.7, 10.0.0.4", 2, "203.0.113.7", id="two-proxies"),
        pytest.param("[2001:db8::1]:443", 1, "2001:db8::1", id="ipv6-with-port"),
        pytest.param("2001:db8::1", 1, "2001:db8::1", id="ipv6"),
        pytest.param("::ffff:203.0.113.7", 1, "203.0.113.7", id="mapped"),
        pytest.param("203.0.113.7", 0, UNKNOWN, id="nobody-is-trusted"),
        pytest.param("203.0.113.7", 2, UNKNOWN, id="too-few-proxies"),
        pytest.param("203.0.113.7,", 1, UNKNOWN, id="empty-last"),
        pytest.param("<script>alert(1)</script>", 1, UNKNOWN, id="markup"),
        pytest.param("1.2.3.4\r\nX-Other: y", 1, UNKNOWN, id="split-header"),
        pytest.param("", 1, UNKNOWN, id="nothing"),
    ],
)
def test_only_what_our_own_proxy_added_counts(said: str, hops: int, found: str) -> None:
    assert find_source_address({"X-Forwarded-For": said}, proxy_hops=hops) == found


def test_no_other_header_is_believed() -> None:
    smuggled = ("X-Real-IP", "Forwarded", "Client-IP", "X-Client-IP", "X-Azure-ClientIP", "Via")
    headers = dict.fromkeys(smuggled, "203.0.113.7")
    assert find_source_address(headers, proxy_hops=1) == UNKNOWN


@given(st.text(), st.integers(0, 5))
def test_whatever_a_client_sends_is_an_address_or_unknown(said: str, hops: int) -> None:
    found = find_source_address({"x-forwarded-for": said}, proxy_hops=hops)
    assert found == UNKNOWN or str(ipaddress.ip_address(found)) == found


@given(st.text(), st.ip_addresses(v=4))
def test_what_a_client_sends_never_hides_its_address(said: str, real: object) -> None:
    headers = {"X-Forwarded-For": f"{said}, {real}:1234"}
    assert find_source_address(headers, proxy_hops=1) == str(real)


def test_an_ipv6_customer_is_one_neighbour() -> None:
    assert name_neighbourhood("2001:db8:1:2:3::1") == name_neighbourhood("2001:db8:1:2:ffff::9")
    assert name_neighbourhood("2001:db8:1:2::1") != name_neighbourhood("2001:db8:1:3::1")
    assert name_neighbourhood("203.0.113.7") == "203.0.113.7"
    assert name_neighbourhood(UNKNOWN) == UNKNOWN
