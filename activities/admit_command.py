"""Read the comment back over REST and decide what it asks for, and whether it may."""

from typing import Any

from activities.envelope import Payload, answer


def admit_command(payload: Payload) -> dict[str, Any]:
    """Read the comment back over REST and decide what it asks for, and whether it may."""
    from shared.composition import compose
    from shared.jobs import admit_command as body

    return answer(lambda: body.admit_command(payload, compose()))
