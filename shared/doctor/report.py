"""Runs checks side by side, each within a deadline, and gathers what they found.

A check answers in words what is well, or raises: `AilmentError`, `UnseenError`, or what the part
that it looks at raises. An error that another line answers for is not told twice.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from shared.domain.credentials import mask_credentials
from shared.domain.errors import CodeAgentError

DEADLINE_S: Final = 10.0
"""For each check; all of them together take no longer."""


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be looked at, or there is nothing to look at."""


class AilmentError(Exception):
    """Something is not well."""

    def __init__(self, says: str, do: str = "") -> None:
        super().__init__(says)
        self.says = says
        self.do = do
        """What to do about it, where that is not what the check says by itself."""


class UnseenError(Exception):
    """There is nothing to look at, or no way to; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at."""

    name: str
    look: Callable[[], str]
    """Answers in words what is well; may raise anything."""
    do: str
    """What to do when it is not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: closed words, ids and numbers, and no secret."""

    name: str
    state: State
    says: str
    do: str = ""
    """Only where it failed."""

    def to_plain(self) -> dict[str, str]:
        """Write it as plain JSON."""
        told = {"name": self.name, "state": str(self.state), "says": self.says}
        return told | ({"do": self.do} if self.do else {})


def examine(
    checks: Sequence[Check], answers_for: Mapping[str, str], *, deadline_s: float = DEADLINE_S
) -> list[Finding]:
    """Run every check at once; answers what they found, in their order.

    `answers_for` names, for a code of an error or its area, the check that answers for it: the
    others are skipped then.
    """
    found: dict[str, Finding] = {}

    def run(check: Check) -> None:
        found[check.name] = _look(check, answers_for)

    # daemons: one that hangs keeps nobody from leaving
    threads = [threading.Thread(target=run, args=(check,), daemon=True) for check in checks]
    for thread in threads:
        thread.start()
    ends_at = time.monotonic() + deadline_s
    for thread in threads:
        thread.join(max(0.0, ends_at - time.monotonic()))
    return [found.get(check.name) or _give_up(check, deadline_s) for check in checks]


def to_plain(findings: Sequence[Finding]) -> dict[str, Any]:
    """Write a report as plain JSON."""
    return {"well": is_well(findings), "checks": [finding.to_plain() for finding in findings]}


def is_well(findings: Sequence[Finding]) -> bool:
    """Answer whether nothing failed."""
    return all(finding.state is not State.FAILED for finding in findings)


def _look(check: Check, answers_for: Mapping[str, str]) -> Finding:
    try:
        return Finding(check.name, State.OK, mask_credentials(check.look()))
    except UnseenError as unseen:
        return Finding(check.name, State.SKIPPED, str(unseen))
    except AilmentError as ailment:
        says = mask_credentials(ailment.says)
        return Finding(check.name, State.FAILED, says, ailment.do or check.do)
    except CodeAgentError as error:
        code = error.code
        elsewhere = answers_for.get(code) or answers_for.get(code.partition(".")[0], check.name)
        if elsewhere != check.name:
            return Finding(check.name, State.SKIPPED, f"see {elsewhere}")
        says = mask_credentials(f"{error.message} ({code})")
        return Finding(check.name, State.FAILED, says, check.do)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not well; its text may quote a secret
        return Finding(check.name, State.FAILED, type(error).__name__, check.do)


def _give_up(check: Check, deadline_s: float) -> Finding:
    return Finding(check.name, State.FAILED, f"no answer within {deadline_s:g} s", check.do)
