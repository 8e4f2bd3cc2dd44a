"""Makes an effect on the world exactly once, though activities run at least once.

The ledger row is written before the effect and completed after it. The first attempt therefore
needs no look-up; a later one finds its row open, does not know what became of the effect, and
looks first.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from shared.domain.clarification import MAX_ROUNDS
from shared.domain.errors import UpstreamError
from shared.domain.states import JobStatus
from shared.jobs.world import World
from shared.store import effects
from shared.store.effects import EffectState

Result = dict[str, Any]


def once(
    world: World,
    job_id: str,
    key: str,
    *,
    make: Callable[[], Result],
    find: Callable[[], Result | None] = lambda: None,
    before: Callable[[Connection], None] = lambda _: None,
    after: Callable[[Connection, Result], None] = lambda _, __: None,
) -> Result:
    """Make the effect `key` of a job, or answer what it was.

    Args:
        world: where ledger and clock are.
        job_id: whose effect it is.
        key: names the effect within the job, such as `push/v2`.
        make: has the effect and answers its plain result.
        find: looks for the effect of an attempt whose end is unknown; None when there is none.
        before: written in the same transaction as the intent; may refuse by raising.
        after: written in the same transaction as the result.
    """
    with world.database.transaction() as connection:
        effect = effects.begin(connection, job_id, key, at=world.clock())
        if effect.state is EffectState.DONE:
            return dict(effect.result)
        before(connection)
    result = find() if effect.state is EffectState.BEGUN else None
    if result is None:
        result = _make(world, job_id, key, make)
    with world.database.transaction() as connection:
        effects.finish(connection, job_id, key, result, at=world.clock())
        after(connection, result)
    return result


def _make(world: World, job_id: str, key: str, make: Callable[[], Result]) -> Result:
    try:
        return make()
    except UpstreamError as error:
        if error.had_no_effect:  # so the next attempt needs no look-up either
            with world.database.transaction() as connection:
                effects.forget(connection, job_id, key)
        raise


_OF_JOB: Final = (
    "status_comment",
    "final_reply",
    *(f"pull_request_status/{status}" for status in JobStatus),
    *(f"question/{number}" for number in range(1, MAX_ROUNDS + 1)),
)
_OF_VARIANT: Final = ("push", "pull_request")


def doubt(connection: Connection, job_id: str, numbers: Iterable[int], *, at: datetime) -> None:
    """Write down that whatever a job does may have been done: each effect is looked for first.

    For records that are older than the world, such as a backup's.
    """
    for key in list_visible(numbers):
        effects.begin(connection, job_id, key, at=at)


def list_visible(numbers: Iterable[int]) -> list[str]:
    """List the effects on Azure DevOps that a job with these variants may have, by their keys."""
    return [*_OF_JOB, *(f"{name}/v{number}" for number in numbers for name in _OF_VARIANT)]
