"""Ask the model for one variant's change, apply and check it in memory."""

from typing import Any

from activities.envelope import Payload, answer


def draft_patch(payload: Payload) -> dict[str, Any]:
    """Ask the model for one variant's change, apply and check it in memory."""
    from shared.composition import compose
    from shared.jobs import draft_patch as body

    return answer(lambda: body.draft_patch(payload, compose()))
