"""Push one variant's branch and commit, or find them there."""

from typing import Any

from activities.envelope import Payload, answer


def push_branch(payload: Payload) -> dict[str, Any]:
    """Push one variant's branch and commit, or find them there."""
    from shared.composition import compose
    from shared.jobs import push_branch as body

    return answer(lambda: body.push_branch(payload, compose()))
