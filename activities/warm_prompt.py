"""Have the shared part of a job's prompts read once, before all variants ask for it."""

from typing import Any

from activities.envelope import Payload, answer


def warm_prompt(payload: Payload) -> dict[str, Any]:
    """Have the shared part of a job's prompts read once, before all variants ask for it."""
    from shared.composition import compose
    from shared.jobs import warm_prompt as body

    return answer(lambda: body.warm_prompt(payload, compose()))
