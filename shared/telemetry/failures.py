"""Tells of failures as exceptions: one for each that is final, none for a try that is repeated."""

import logging
from typing import Final

from shared.telemetry.redact import redact

_LOG: Final = logging.getLogger("code_agent.failures")


def tell_failure(
    code: str, verdict: str, *, operation: str, job_id: str, correlation_id: str
) -> None:
    """Tell of a failure that nobody will try to mend by itself.

    It becomes a row of `exceptions` whose type is the code; the component is the code's area. What
    went wrong in words is in the records: a message may name files.
    """
    _LOG.error(
        "%s (%s)",
        code,
        verdict,
        extra={
            "exception.type": redact(code),
            "exception.message": redact(code),
            "component": redact(code.partition(".")[0]),
            "operation": operation,
            "verdict": verdict,
            "jobId": job_id,
            "correlationId": correlation_id,
        },
    )
