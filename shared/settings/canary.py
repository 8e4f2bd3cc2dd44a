"""Settings about the canary: where it sings, and what."""

import re
from dataclasses import dataclass
from typing import Final

from shared.settings.reader import Reader

_PLACE: Final = re.compile(r"([0-9a-fA-F-]{36})/([0-9a-fA-F-]{36})/([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CanarySettings:
    """One pull request that is there for nothing else."""

    project_id: str
    """GUID, lower case."""
    repository_id: str
    """GUID, lower case."""
    pull_request_id: int
    request: str
    """What is asked for, in words that the stub can carry out."""
    limit_s: float
    """How long the end of a job is waited for."""

    def is_at(self, project_id: str, repository_id: str, pull_request_id: int) -> bool:
        """Answer whether a pull request is the canary's."""
        place = self.project_id, self.repository_id, self.pull_request_id
        return place == (project_id, repository_id, pull_request_id)


def read_canary_settings(reader: Reader) -> CanarySettings | None:
    """Read everything that is about the canary; None when it is off."""
    place = reader.text("CODE_AGENT_CANARY_PULL_REQUEST")
    request = reader.text("CODE_AGENT_CANARY_REQUEST", "append the line `canary` to README.md")
    limit_s = reader.number("CODE_AGENT_CANARY_LIMIT_S", 600, 10, 1500)
    if not place:
        return None
    match = _PLACE.fullmatch(place)
    if match is None:
        reader.faults.append(
            "CODE_AGENT_CANARY_PULL_REQUEST: {project id}/{repository id}/{number} expected"
        )
        return None
    return CanarySettings(
        project_id=match[1].lower(),
        repository_id=match[2].lower(),
        pull_request_id=int(match[3]),
        request=request,
        limit_s=limit_s,
    )
