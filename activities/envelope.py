"""Turns what a body does into the envelope that orchestrators read."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Dict  # noqa: UP035 - as below

from shared.domain.errors import CodeAgentError, fail, succeed

Payload = Dict[str, Any]  # noqa: UP006 - the Python worker refuses `dict[str, Any]` on a binding
"""What activities are given: small plain JSON."""

_LOG = logging.getLogger("code_agent.activities")


def answer(body: Callable[[], Mapping[str, Any] | None]) -> dict[str, Any]:
    """Call a body and wrap its result; an error the app expects becomes a failed envelope.

    Any other exception escapes on purpose: it is a bug, and the orchestrator counts it as one.
    """
    try:
        return succeed(body() or {})
    except CodeAgentError as error:
        _LOG.warning("%s (%s)", error.code, error.verdict)
        return fail(error)
