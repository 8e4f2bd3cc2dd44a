"""Open one variant's draft pull request, or find it there."""

from typing import Any

from activities.envelope import Payload, answer


def open_draft_pull_request(payload: Payload) -> dict[str, Any]:
    """Open one variant's draft pull request, or find it there."""
    from shared.composition import compose
    from shared.jobs import open_draft_pull_request as body

    return answer(lambda: body.open_draft_pull_request(payload, compose()))
