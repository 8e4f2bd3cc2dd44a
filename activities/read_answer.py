"""Look for the author's answer to a question in the thread."""

from typing import Any

from activities.envelope import Payload, answer


def read_answer(payload: Payload) -> dict[str, Any]:
    """Look for the author's answer to a question in the thread."""
    from shared.composition import compose
    from shared.jobs import read_answer as body

    return answer(lambda: body.read_answer(payload, compose()))
