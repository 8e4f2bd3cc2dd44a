"""Give the one final reply of a job."""

from typing import Any

from activities.envelope import Payload, answer


def reply_result(payload: Payload) -> dict[str, Any]:
    """Give the one final reply of a job."""
    from shared.composition import compose
    from shared.jobs import reply_result as body

    return answer(lambda: body.reply_result(payload, compose()))
