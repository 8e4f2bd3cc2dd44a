"""Settings about what the app has to find by itself, because nobody told it."""

from dataclasses import dataclass
from typing import Final, Self

from shared.settings.reader import Reader

_LONGEST_PLACE: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where commands are looked for."""

    project: str
    """Name or id."""
    repository: str = ""
    """Name or id; empty: every repository of the project."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `{project}` or `{project}/{repository}`.

        Raises:
            ValueError: it is neither.
        """
        project, _, repository = (part.strip() for part in text.partition("/"))
        if not project or "/" in repository or len(text) > _LONGEST_PLACE:
            raise ValueError("{project} or {project}/{repository} expected")
        return cls(project=project, repository=repository)

    @property
    def key(self) -> str:
        """Name the place among others."""
        return f"{self.project}/{self.repository}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverySettings:
    """How missed commands and lost jobs are looked for."""

    places: tuple[Place, ...]
    """Empty: they are not."""
    calls: int
    """To Azure DevOps, of one run."""
    days: int
    """Older commands are not carried out any more."""
    job_deadline_s: float
    """How long after its admission a job is given up."""


def read_recovery_settings(reader: Reader) -> RecoverySettings:
    """Read everything that is about recovery; faults stay with the reader."""
    name = "CODE_AGENT_RECOVERY_PLACES"
    places = []
    for text in reader.listed(name):
        try:
            places.append(Place.parse(text))
        except ValueError as error:
            reader.faults.append(f"{name}: {error}")
    return RecoverySettings(
        places=tuple(dict.fromkeys(places)),
        calls=reader.whole("CODE_AGENT_RECOVERY_CALLS", 200, 20, 5000),
        days=reader.whole("CODE_AGENT_RECOVERY_DAYS", 7, 1, 30),
        job_deadline_s=reader.number("CODE_AGENT_JOB_DEADLINE_S", 86_400, 3600, 30 * 86_400),
    )
