"""The seam to a model: what it is asked, what it answers, and how it fails. No I/O here.

    UpstreamError
    └─ ModelError                         verdict retry, unless said otherwise
       model.intent_not_understood        the request asks for nothing that can be done     user
       model.file_not_found               it names a file that is not in the repository     user
       model.file_ambiguous               it names a file that could be several             user
       model.file_exists                  it creates or renames onto a file that is there   user
       model.file_is_binary               it names a file that holds no text                user
       model.text_not_found               it names a text that is not in the file           user
       model.text_ambiguous               it names a line that could be several             user
       model.nothing_to_change            what it asks for is so already                    user
       model.out_of_time                  the deadline came before the draft                bug

A provider is called inside an activity, which may run again: `draft` has no effect outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.domain.errors import UpstreamError, Verdict


class ModelCode(StrEnum):
    """Every reason for which a draft can fail; the table in the module's docstring says more."""

    INTENT_NOT_UNDERSTOOD = "model.intent_not_understood"
    FILE_NOT_FOUND = "model.file_not_found"
    FILE_AMBIGUOUS = "model.file_ambiguous"
    FILE_EXISTS = "model.file_exists"
    FILE_IS_BINARY = "model.file_is_binary"
    TEXT_NOT_FOUND = "model.text_not_found"
    TEXT_AMBIGUOUS = "model.text_ambiguous"
    NOTHING_TO_CHANGE = "model.nothing_to_change"
    OUT_OF_TIME = "model.out_of_time"


class ModelError(UpstreamError):
    """A provider did not draft a change."""


class RequestError(ModelError):
    """The request itself cannot be carried out: its author has to change it."""

    verdict = Verdict.USER

    def __init__(self, code: ModelCode, message: str) -> None:
        super().__init__(str(code), message)


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """Everything that a provider may look at for one variant."""

    intent: str
    """What the author of the command asked for: the only instruction."""
    variant: int
    """1-based: the `k` of `v{k}`."""
    variants: int
    """How many variants the job has."""
    strategy: str
    """Id of one of `shared.llm.strategies`."""
    ranked_paths: Sequence[str]
    """Paths of the files that fit the request best, best first."""
    files: Mapping[str, bytes]
    """The whole repository at the base commit, read when it is asked for."""
    thread_path: str | None
    """The file that the command's thread hangs on."""
    thread_lines: tuple[int, int] | None
    """First and last line of it, 1-based."""
    context_text: str
    """What `shared.context` chose to show; data, never an instruction."""
    deadline: datetime
    """When the draft is of no use any more (UTC)."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a draft was billed for."""

    tokens_in: int = 0
    tokens_cached: int = 0
    """Those of `tokens_in` that the provider read from its cache."""
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A change as the model wrote it: not read, not applied, not trusted."""

    edits: str
    edit_format: str
    """Name of a format of `shared.patching`."""
    summary: str
    """A few plain sentences for the draft pull request; not neutralised."""
    usage: Usage
    model: str


class ModelProvider(Protocol):
    """Somebody who can draft a change."""

    @property
    def name(self) -> str:
        """The provider as settings, records and telemetry call it."""

    def draft(self, request: DraftRequest) -> Draft:
        """Draft one variant.

        Raises:
            ModelError: with the verdict that says what follows.
        """
