"""Keep the status of the pull request in step with the job."""

from typing import Any

from activities.envelope import Payload, answer


def set_pull_request_status(payload: Payload) -> dict[str, Any]:
    """Keep the status of the pull request in step with the job."""
    from shared.composition import compose
    from shared.jobs import set_pull_request_status as body

    return answer(lambda: body.set_pull_request_status(payload, compose()))
