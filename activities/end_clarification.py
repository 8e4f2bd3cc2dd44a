"""Record how the asking ended."""

from typing import Any

from activities.envelope import Payload, answer


def end_clarification(payload: Payload) -> dict[str, Any]:
    """Record how the asking ended."""
    from shared.composition import compose
    from shared.jobs import end_clarification as body

    return answer(lambda: body.end_clarification(payload, compose()))
