"""Decide whether the author of a request must be asked what it means."""

from typing import Any

from activities.envelope import Payload, answer


def judge_request(payload: Payload) -> dict[str, Any]:
    """Decide whether the author of a request must be asked what it means."""
    from shared.composition import compose
    from shared.jobs import judge_request as body

    return answer(lambda: body.judge_request(payload, compose()))
