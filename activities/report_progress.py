"""Record how variants ended and edit the status comment."""

from typing import Any

from activities.envelope import Payload, answer


def report_progress(payload: Payload) -> dict[str, Any]:
    """Record how variants ended and edit the status comment."""
    from shared.composition import compose
    from shared.jobs import report_progress as body

    return answer(lambda: body.report_progress(payload, compose()))
