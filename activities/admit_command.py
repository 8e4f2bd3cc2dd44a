"""Read the comment back over REST and decide what it asks for, and whether it may."""

from typing import Any

from activities.envelope import answer


def admit_command(payload: dict[str, Any]) -> dict[str, Any]:
    """Read the comment back over REST and decide what it asks for, and whether it may."""
    from shared.composition import compose
    from shared.jobs import admit_command as body

    return answer(lambda: body.admit_command(payload, compose()))
