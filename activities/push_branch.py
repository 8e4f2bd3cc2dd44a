"""Push one variant's branch and commit, or find them there."""

from typing import Any

from activities.envelope import answer


def push_branch(payload: dict[str, Any]) -> dict[str, Any]:
    """Push one variant's branch and commit, or find them there."""
    from shared.composition import compose
    from shared.jobs import push_branch as body

    return answer(lambda: body.push_branch(payload, compose()))
