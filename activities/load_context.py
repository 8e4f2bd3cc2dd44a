"""Take the snapshot of the base commit and choose what the model is shown."""

from typing import Any

from activities.envelope import Payload, answer


def load_context(payload: Payload) -> dict[str, Any]:
    """Take the snapshot of the base commit and choose what the model is shown."""
    from shared.composition import compose
    from shared.jobs import load_context as body

    return answer(lambda: body.load_context(payload, compose()))
