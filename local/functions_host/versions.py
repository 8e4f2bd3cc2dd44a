"""Which orchestrations this host may run, by the version that each was started with.

Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-orchestration-versioning
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_NUMBERS: Final = re.compile(r"\d+(?:\.\d+){1,3}")
"""What .NET's `System.Version` reads: two to four numbers. A number alone is none."""


class MatchStrategy(StrEnum):
    """`versionMatchStrategy` of host.json."""

    NONE = "None"
    STRICT = "Strict"
    CURRENT_OR_OLDER = "CurrentOrOlder"


class FailureStrategy(StrEnum):
    """`versionFailureStrategy` of host.json: what becomes of one that does not match."""

    REJECT = "Reject"
    """It stays as it is, for a host that knows its version."""
    FAIL = "Fail"


@dataclass(frozen=True, slots=True)
class VersionRule:
    """What host.json says of versions."""

    current: str = ""
    """`defaultVersion`; empty: there are no versions, and none is checked."""
    match: MatchStrategy = MatchStrategy.CURRENT_OR_OLDER
    failure: FailureStrategy = FailureStrategy.REJECT

    def admits(self, version: str) -> bool:
        """Tell whether an orchestration of a version may run here."""
        if self.match is MatchStrategy.NONE or not self.current:
            return True
        order = compare_versions(version, self.current)
        return order == 0 if self.match is MatchStrategy.STRICT else order <= 0


def compare_versions(one: str, other: str) -> int:
    """Answer -1, 0 or 1, as the Durable Task Framework compares: none is older than any."""
    if not one or not other:
        return bool(one) - bool(other)
    if _NUMBERS.fullmatch(one) and _NUMBERS.fullmatch(other):
        first, second = _split(one), _split(other)
        return (first > second) - (first < second)
    first_text, second_text = one.upper(), other.upper()
    return (first_text > second_text) - (first_text < second_text)


def _split(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
