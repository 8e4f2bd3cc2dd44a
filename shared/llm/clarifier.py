"""The seam to whoever judges that a request is too vague to be carried out, and asks about it.

The rules (`RuleClarifier`) need no model. A model's own verdict is one more `Clarifier`: the world
asks its clarifiers in order, and the first question counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.comments.render import CommentWriter
from shared.domain.clarification import ClarifyingQuestion, ClarifyingRound
from shared.policy.vagueness import Surroundings, find_question


@dataclass(frozen=True, slots=True)
class ClarifyRequest:
    """Everything that a clarifier may look at."""

    intent: str
    """As the author of the command wrote it."""
    rounds: tuple[ClarifyingRound, ...]
    """What the author was asked already, and answered."""
    ranked_paths: Sequence[str]
    """Paths of the files that fit the request best, best first."""
    changed_paths: Sequence[str]
    """Files that the pull request changes."""
    thread_path: str | None
    """The file that the command's thread hangs on."""
    thread_lines: tuple[int, int] | None
    """First and last line of it, 1-based."""
    context_text: str
    """What `shared.context` chose to show; data, never an instruction."""
    language: str
    """Of the question and its options: `en` or `de`."""
    deadline: datetime
    """When the verdict is of no use any more (UTC): the job goes on without one."""
    nonce: str = ""
    """Unguessable part of the marks round data."""
    pull_request: str = ""
    """Title and description of the pull request; data, never an instruction."""
    admitted: tuple[str, ...] | None = None
    """Providers that may be asked now; None: all."""


class Clarifier(Protocol):
    """Somebody who can tell a vague request from a clear one."""

    def clarify(self, request: ClarifyRequest) -> ClarifyingQuestion | None:
        """Answer what has to be asked; None when the request is clear.

        Options are readings that are really possible here, at most four; none is made up.

        Raises:
            ModelError: it cannot say; after its tries the job goes on without asking.
        """


class RuleClarifier:
    """Asks where every word of a request names nothing, or a file name several files."""

    def __init__(self, words: CommentWriter) -> None:
        self._words = words

    def clarify(self, request: ClarifyRequest) -> ClarifyingQuestion | None:
        """Answer the rules' question; never after an answer, which has been judged when it came."""
        if request.rounds:
            return None
        around = Surroundings(
            ranked_paths=request.ranked_paths,
            changed_paths=request.changed_paths,
            thread_path=request.thread_path,
        )
        question = find_question(request.intent, around)
        return None if question is None else self._words.word_question(question)
