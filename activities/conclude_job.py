"""Close the job: rows, status comment, final reply, pull request status."""

from typing import Any

from activities.envelope import Payload, answer


def conclude_job(payload: Payload) -> dict[str, Any]:
    """Close the job: rows, status comment, final reply, pull request status."""
    from shared.composition import compose
    from shared.jobs import conclude_job as body

    return answer(lambda: body.conclude_job(payload, compose()))
