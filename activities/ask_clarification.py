"""Ask the author of a vague request, in its thread, what it means."""

from typing import Any

from activities.envelope import Payload, answer


def ask_clarification(payload: Payload) -> dict[str, Any]:
    """Ask the author of a vague request, in its thread, what it means."""
    from shared.composition import compose
    from shared.jobs import ask_clarification as body

    return answer(lambda: body.ask_clarification(payload, compose()))
