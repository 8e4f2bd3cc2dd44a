"""Counts failures to authenticate for each address, and says which of them are still worth telling.

A token bucket for each address, in the memory of one process: it bounds what one sender can make us
write. Requests that carry the secret never get here.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

BURST: Final = 20
"""Failures of one address that are told one by one; above the ten that raise the alert."""
REFILL_S: Final = 60.0
"""Seconds after which one more is told."""
MOST_ADDRESSES: Final = 4096


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float
    untold: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """What becomes of one failure."""

    is_throttled: bool
    """Whether its address has used up what it may fail."""
    count: int
    """Failures that it stands for: itself and those before it that were not told."""
    retry_after_s: int
    """Seconds until the next is told."""


class FailureThrottle:
    """The buckets of one process; not for several threads at once."""

    def __init__(self, *, burst: int = BURST, refill_s: float = REFILL_S) -> None:
        self._burst = burst
        self._refill_s = refill_s
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def note(self, address: str, *, now_s: float) -> Failure:
        """Count a failure of an address; `now_s` is of a clock that only goes forward."""
        bucket = self._buckets.pop(address, None) or _Bucket(self._burst, now_s)
        gained = (now_s - bucket.at_s) / self._refill_s
        bucket.tokens = min(float(self._burst), bucket.tokens + gained)
        bucket.at_s = now_s
        self._buckets[address] = bucket
        while len(self._buckets) > MOST_ADDRESSES:  # the one that has been quiet for longest
            self._buckets.popitem(last=False)
        bucket.untold += 1
        if bucket.tokens < 1:
            wait_s = (1 - bucket.tokens) * self._refill_s
            return Failure(is_throttled=True, count=bucket.untold, retry_after_s=int(wait_s) + 1)
        bucket.tokens -= 1
        count, bucket.untold = bucket.untold, 0
        return Failure(is_throttled=False, count=count, retry_after_s=0)
