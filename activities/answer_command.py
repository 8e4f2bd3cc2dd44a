"""Reply to a command that is no edit, or say why one was refused."""

from typing import Any

from activities.envelope import Payload, answer


def answer_command(payload: Payload) -> dict[str, Any]:
    """Reply to a command that is no edit, or say why one was refused."""
    from shared.composition import compose
    from shared.jobs import answer_command as body

    return answer(lambda: body.answer_command(payload, compose()))
