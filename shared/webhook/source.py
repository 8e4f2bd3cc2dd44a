"""Finds out where a request came from, from what a trusted proxy says and from nothing else.

A client may send any `X-Forwarded-For` it likes; each proxy adds, at the end, whom it heard from.
So only the entries that our own proxies added count, and the operators say how many there are. On
Azure App Service it is one.
Source: https://learn.microsoft.com/azure/app-service/overview-inbound-outbound-ips
"""

import ipaddress
from collections.abc import Mapping
from typing import Final

FORWARDED_HEADER: Final = "x-forwarded-for"
UNKNOWN: Final = "unknown"
_LONGEST: Final = 8192
"""Characters of the header that are looked at, from its end."""


def find_source_address(headers: Mapping[str, str], *, proxy_hops: int) -> str:
    """Find the client's address; `unknown` without a trusted proxy, or when it says nonsense.

    Args:
        headers: of the request, names in any case.
        proxy_hops: proxies of ours that the request passed, each of which adds one entry; 0: none,
            and the header is whatever the client wrote.
    """
    if proxy_hops < 1:
        return UNKNOWN
    said = next((value for name, value in headers.items() if name.lower() == FORWARDED_HEADER), "")
    entries = said[-_LONGEST:].split(",")
    if len(entries) < proxy_hops:
        return UNKNOWN
    address = _read_address(entries[-proxy_hops].strip())
    return UNKNOWN if address is None else str(address)


def name_neighbourhood(address: str) -> str:
    """Name what is throttled together: an IPv4 address, or the /64 that one IPv6 customer has."""
    parsed = _read_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _read_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address with or without a port: `192.0.2.1:443`, `[2001:db8::1]:443`."""
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    else:
        host = text
    try:
        parsed = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
