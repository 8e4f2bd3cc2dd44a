"""Tells what the agent may do in its repositories, once a day: rights drift, and nobody notices."""

from dataclasses import dataclass
from typing import Final

from shared.ado.rights import list_rights
from shared.ado.session import AdoSession
from shared.domain.errors import CodeAgentError
from shared.jobs.world import World
from shared.telemetry.emit import emit
from shared.telemetry.events import AgentRights

MOST_REPOSITORIES: Final = 100
"""Looked at in a morning; each takes a few calls."""


@dataclass(frozen=True, slots=True)
class RightsFound:
    """What the agent may do, against what it needs."""

    seen: int
    """Repositories that were looked at."""
    usable: int
    """Those in which it may do its work."""
    lacking: tuple[str, ...]
    """Those of the settings in which it may not."""
    excessive: int
    """Those in which it may do what it never needs to."""
    deeds: tuple[str, ...]
    """What that is."""

    @property
    def status(self) -> str:
        """Answer the worst of it, in one word; too much is worse than too little."""
        if self.excessive:
            return "too_much"
        return "fit" if self.usable and not self.lacking else "lacking"


def look_at_rights(session: AdoSession, wanted: frozenset[str], *, most: int) -> RightsFound:
    """Look what the caller may do; `wanted` names repositories in which it must be able to work.

    They are written as in the settings, in any case: `Project/repository`, or the repository's id.
    A pattern such as `Project/*` bounds the agent and promises nothing of a single repository.

    Raises:
        AdoError: Azure DevOps does not answer.
    """
    rights = list(list_rights(session, most=most))
    named = {name.casefold() for name in wanted}
    too_much = [one.too_much for one in rights if one.too_much]
    return RightsFound(
        seen=len(rights),
        usable=sum(one.may_work for one in rights),
        lacking=tuple(
            one.label
            for one in rights
            if not one.may_work and named & {one.label.casefold(), one.repository_id.casefold()}
        ),
        excessive=len(too_much),
        deeds=tuple(sorted({deed for deeds in too_much for deed in deeds})),
    )


def watch_rights(world: World) -> AgentRights:
    """Tell of the agent's rights; `unknown` where nobody could look."""
    wanted = world.settings.allowed_repositories
    try:
        found = look_at_rights(world.ado, wanted, most=MOST_REPOSITORIES)
    except CodeAgentError:
        found, status = RightsFound(0, 0, (), 0, ()), "unknown"
    else:
        status = found.status
    event = AgentRights(
        status=status,
        deeds=", ".join(found.deeds) or "none",
        repositories=found.seen,
        lacking=len(found.lacking),
        excessive=found.excessive,
    )
    emit(event)
    return event
