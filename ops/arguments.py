"""What operators write on a command line, read so that a slip is told in words and changes nothing.

Each function is a `type` of argparse: what it refuses ends the command with exit code 2.
"""

import argparse
import math
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def read_duration(text: str) -> float:
    """Read a length of time; 0 or more, in the unit of its argument."""
    number = _read_number(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"0 or more expected, not {text!r}")
    return number


def read_positive(text: str) -> float:
    """Read a number above 0."""
    number = _read_number(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"more than 0 expected, not {text!r}")
    return number


def read_app_url(text: str) -> str:
    """Read the address of an app, without a slash at its end: keys and secrets go there."""
    if not is_safe_address(text):
        # not quoted: who writes a password into an address finds it in no log
        raise argparse.ArgumentTypeError("https://… expected (plain http for loopback only)")
    return text.rstrip("/")


def is_safe_address(text: str) -> bool:
    """Answer whether a secret may be sent to an address: over TLS, or within this machine."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port  # a port that is no number
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _read_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"a number expected, not {text!r}")
    return number
