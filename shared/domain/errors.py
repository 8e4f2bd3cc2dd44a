"""Every error this app means to make: a code, facts and a verdict.

    CodeAgentError
    ├─ CommandError        the comment is no valid command           verdict user
    ├─ PolicyError         refused: who, where or what               verdict policy
    ├─ PatchError          the model's edit does not fit             verdict bug (counts against us)
    ├─ UpstreamError       Azure DevOps or a model provider          verdict retry, unless final
    │  ├─ AdoError         (shared.ado derives its own)
    │  └─ ModelError       (shared.llm derives its own)
    ├─ StoreError          the database                              verdict retry
    └─ JobError            the job itself: cancelled, out of time    verdict user

Codes are `area.reason` and unique. Messages are for people: no secret, no code, no address.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

STORE_UNAVAILABLE: Final = "store.unavailable"
ADO_READ_ONLY: Final = "ado.read_only"
OUTAGES: Final = frozenset({STORE_UNAVAILABLE, ADO_READ_ONLY})
"""Codes of the errors that a job waits for to pass, however long its steps' budgets are: no
database, or operators who let nothing be written."""


class Verdict(StrEnum):
    """What follows from an error."""

    USER = "user"
    """Say so in the thread; no alert."""
    POLICY = "policy"
    """Refused on purpose; say why, once."""
    RETRY = "retry"
    """May pass by itself; try again after a while."""
    BUG = "bug"
    """Ours to answer for; counts against the objectives."""


class CodeAgentError(Exception):
    """An error that the app expects, with what should follow from it."""

    verdict: Verdict = Verdict.BUG

    def __init__(
        self,
        code: str,
        message: str,
        *,
        verdict: Verdict | None = None,
        retry_after_s: float | None = None,
        facts: Mapping[str, str | int | float | bool] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """`area.reason`, the same in telemetry, comments and alerts."""
        self.message = message
        if verdict is not None:
            self.verdict = verdict
        self.retry_after_s = retry_after_s
        """Seconds the other side asked us to wait, or None."""
        self.facts = dict(facts or {})
        """Closed facts for logs: ids, counts, status codes."""
        self.details = dict(details or {})
        """Small plain JSON for the orchestrator: it goes into the history."""


class CommandError(CodeAgentError):
    """The comment addresses the agent but is no valid command."""

    verdict = Verdict.USER


class PolicyError(CodeAgentError):
    """Refused by a rule of the operators."""

    verdict = Verdict.POLICY


class PatchError(CodeAgentError):
    """The model's edit cannot be read, matched or accepted."""


class UpstreamError(CodeAgentError):
    """Azure DevOps or a model provider did not do what it was asked."""

    verdict = Verdict.RETRY
    had_no_effect: bool = False
    """Whether it is certain that the request changed nothing: it was refused, or never sent."""


class StoreError(CodeAgentError):
    """The database did not answer."""

    verdict = Verdict.RETRY


class JobError(CodeAgentError):
    """The job cannot go on: cancelled, out of time, or overtaken by events."""

    verdict = Verdict.USER


def succeed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Build the envelope of an activity that did its work."""
    return {"ok": True, "value": dict(value)}


def fail(error: CodeAgentError) -> dict[str, Any]:
    """Build the envelope of an activity that did not; `details` only where there are any."""
    told: dict[str, Any] = {
        "code": error.code,
        "verdict": str(error.verdict),
        "message": error.message,
        "retry_after_s": _finite(error.retry_after_s),
    }
    if error.details:
        told["details"] = error.details
    return {"ok": False, "error": told}


def _finite(seconds: float | None) -> float | None:
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None
