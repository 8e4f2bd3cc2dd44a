"""Close the thread of a command that has been carried out."""

from typing import Any

from activities.envelope import Payload, answer


def close_thread(payload: Payload) -> dict[str, Any]:
    """Close the thread of a command that has been carried out."""
    from shared.composition import compose
    from shared.jobs import close_thread as body

    return answer(lambda: body.close_thread(payload, compose()))
