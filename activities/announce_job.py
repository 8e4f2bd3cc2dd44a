"""Write the status comment and the pending pull request status."""

from typing import Any

from activities.envelope import Payload, answer


def announce_job(payload: Payload) -> dict[str, Any]:
    """Write the status comment and the pending pull request status."""
    from shared.composition import compose
    from shared.jobs import announce_job as body

    return answer(lambda: body.announce_job(payload, compose()))
