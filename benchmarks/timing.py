"""Whether the time to refuse a secret tells how much of it is right: it must not.

The same verification runs with guesses that agree with the secret in nothing, in half of it and in
all but its last character, in a random order, in one process. The ratios are of medians; the bound
on each is 1.02 from either side. A link's token is measured the same way.
"""

import argparse
import base64
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from shared.domain.clock import read_utc_clock
from shared.policy.page_tokens import is_page_token_good, write_page_token
from shared.webhook.verify import VerificationError, verify_request

BOUND: Final = 1.02
JOB: Final = "edit-" + "0" * 32
EXPIRY: Final = 4_000_000_000
LENGTH: Final = 64
"""Characters of the secret, as `openssl rand -hex 32` makes it."""


def make_guesses(secret: str) -> dict[str, str]:
    """Make guesses of the same length that agree with the secret from its beginning."""
    other = "".join("0" if char != "0" else "1" for char in secret)
    half = len(secret) // 2
    return {
        "nothing right": other,
        "half right": secret[:half] + other[half:],
        "all but the last right": secret[:-1] + other[-1:],
    }


def check_delivery(secret: str) -> Callable[[str], None]:
    """Answer what verifies a delivery with a guess."""

    def check(guess: str) -> None:
        token = base64.b64encode(f"x:{guess}".encode()).decode()
        try:
            verify_request({"Authorization": f"Basic {token}"}, b"{}", secrets=[secret])
        except VerificationError:
            return

    return check


def check_token(key: bytes) -> Callable[[str], None]:
    """Answer what verifies the token of a link with a guess at its signature."""
    now = read_utc_clock()

    def check(guess: str) -> None:
        is_page_token_good(f"{EXPIRY}.{guess}", JOB, keys=[key], now=now)

    return check


def measure(check: Callable[[str], None], guesses: dict[str, str], rounds: int) -> dict[str, float]:
    """Answer the median nanoseconds of each guess; ten calls a sample, in random order."""
    dice = random.Random(1)  # noqa: S311 - an order, no secret
    samples: dict[str, list[int]] = {name: [] for name in guesses}
    names = list(guesses) * rounds
    dice.shuffle(names)
    for name in names:
        guess = guesses[name]
        began = time.perf_counter_ns()
        for _ in range(10):
            check(guess)
        samples[name].append(time.perf_counter_ns() - began)
    return {name: statistics.median(taken) / 10 for name, taken in samples.items()}


def main() -> int:
    """Measure and print; 1 when a ratio is out of its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000, help="samples of each guess (20,000)")
    rounds = parser.parse_args().rounds
    secret = "".join(random.Random(2).choices("0123456789abcdef", k=LENGTH))  # noqa: S311 - as above
    failed = False
    key = secret.encode()
    expires_at = datetime.fromtimestamp(EXPIRY, UTC)
    signature = write_page_token(JOB, key=key, expires_at=expires_at).partition(".")[2]
    for what, right, check in (
        ("delivery", secret, check_delivery(secret)),
        ("link", signature, check_token(key)),
    ):
        taken = measure(check, make_guesses(right), rounds)
        least = taken["nothing right"]
        for name, nanoseconds in taken.items():
            ratio = nanoseconds / least
            failed = failed or not 1 / BOUND <= ratio <= BOUND
            print(f"{what:<10} {name:<24} {nanoseconds:>9.1f} ns   ratio {ratio:.4f}")
    print(f"bound      1/{BOUND} to {BOUND}: {'exceeded' if failed else 'kept'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
