"""Which comment a job belongs to, and so which job: the identity that all else derives from."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ORGANISATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,48}")
_MAX_ID = 2**31 - 1

JOB_PREFIX: Final = "edit-"
"""Of every job's id, and of its variants' orchestrations."""


@dataclass(frozen=True, slots=True)
class CommentRef:
    """One comment of one thread of one pull request.

    Comment ids restart in every thread, so the thread belongs to the key.
    """

    organisation: str
    project_id: str
    """GUID, lower case."""
    repository_id: str
    """GUID, lower case."""
    pull_request_id: int
    thread_id: int
    comment_id: int

    def __post_init__(self) -> None:
        """Refuse what could not be a comment of Azure DevOps.

        Raises:
            ValueError: a part has the wrong form.
        """
        if not _ORGANISATION.fullmatch(self.organisation):
            raise ValueError("organisation: 1 to 49 letters, digits and hyphens expected")
        for name in ("project_id", "repository_id"):
            if not _GUID.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: a GUID in lower case expected")
        for name in ("pull_request_id", "thread_id", "comment_id"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_ID:
                raise ValueError(f"{name}: a positive 32-bit number expected")

    @property
    def instance_id(self) -> str:
        """The id of the job and of its orchestration: `edit-` and 32 hexadecimal digits."""
        return JOB_PREFIX + _digest(*self._thread, str(self.comment_id))

    @property
    def thread_key(self) -> str:
        """The thread among all threads: `thread-` and 32 hexadecimal digits."""
        return "thread-" + _digest(*self._thread)

    @property
    def _thread(self) -> tuple[str, ...]:
        return (
            self.organisation.lower(),
            self.project_id,
            self.repository_id,
            str(self.pull_request_id),
            str(self.thread_id),
        )

    def to_plain(self) -> dict[str, Any]:
        """Write the reference as a plain JSON object, for durable inputs."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `to_plain` wrote.

        Raises:
            KeyError: a part is missing.
            ValueError: a part has the wrong form.
        """
        return cls(**{name: plain[name] for name in cls.__slots__})


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
