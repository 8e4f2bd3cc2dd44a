"""Takes the room that a job needs within the rate limits, and says when there is room again."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from shared.domain.clock import format_instant, parse_instant
from shared.domain.comment_ref import CommentRef
from shared.domain.errors import PolicyError
from shared.domain.job import Job
from shared.domain.limits import HOUR, Limit
from shared.jobs.world import World
from shared.store import rate_limits


def take_room(connection: Connection, world: World, job: Job) -> None:
    """Take a job's room in the transaction that opens it; the same job takes it once.

    Raises:
        PolicyError: `limit.user_jobs`, `limit.repository_variants`, `limit.organisation_variants`.
            Nothing was taken then, and the command may be given again.
    """
    now = world.clock()
    overrun = rate_limits.take(connection, _list_wishes(world, job), key=job.id, at=now)
    if overrun is None:
        return
    limit, free_at = overrun.limit, overrun.free_at
    until = free_at or now + limit.window
    raise PolicyError(
        f"limit.{limit.name}",
        world.comments.word_limit(limit, free_at),
        retry_after_s=(until - now).total_seconds(),
        details={"scope": limit.scope, "until": format_instant(until)},
    )


def is_telling_due(world: World, ref: CommentRef, answer: dict[str, Any]) -> bool:
    """Answer whether a person is to be told of an overrun: once until there is room again."""
    limited = answer["details"]
    scope = f"{limited['scope']}/{answer['actor_id']}"
    with world.database.transaction() as connection:
        return rate_limits.claim_telling(
            connection,
            scope,
            key=ref.instance_id,
            until=parse_instant(limited["until"]),
            at=world.clock(),
        )


def may_answer(world: World, ref: CommentRef, actor_id: str) -> bool:
    """Answer whether a person is answered once more; without room left, they are not, in silence.

    Another bot may answer whatever we say with a command; talking about it would go on for ever.
    """
    limits = world.settings.limits
    if limits.user_answers == 0:
        return True
    limit = Limit(
        "user_answers",
        f"answers/{ref.organisation.lower()}/{actor_id}",
        limits.user_answers,
        timedelta(seconds=limits.user_window_s),
    )
    with world.database.transaction() as connection:
        overrun = rate_limits.take(connection, [(limit, 1)], key=ref.instance_id, at=world.clock())
    return overrun is None


def _list_wishes(world: World, job: Job) -> list[tuple[Limit, int]]:
    limits = world.settings.limits
    organisation = job.comment.organisation.lower()
    wishes = [
        (
            Limit(
                "user_jobs",
                f"user/{organisation}/{job.actor_id}",
                limits.user_jobs,
                timedelta(seconds=limits.user_window_s),
            ),
            1,
        ),
        (
            Limit(
                "repository_variants",
                f"repository/{organisation}/{job.comment.repository_id}",
                limits.repository_variants,
                HOUR,
            ),
            job.requested_variants,
        ),
        (
            Limit(
                "organisation_variants",
                f"organisation/{organisation}",
                limits.organisation_variants,
                HOUR,
            ),
            job.requested_variants,
        ),
    ]
    return [(limit, amount) for limit, amount in wishes if limit.most > 0]
