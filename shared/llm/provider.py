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
       model.rate_limited                 the provider's limit is reached for now           retry
       model.overloaded                   the provider has too much to do (529, 503)        retry
       model.unavailable                  not reached, broken off, or a fault of its own    retry
       model.timeout                      no whole reply in time                            retry
       model.credential_refused           the key or identity is not accepted               bug
       model.quota_exhausted              the account has no credit or quota left           policy
       model.not_found                    no such model or deployment                       bug
       model.request_refused              the provider calls the request malformed          bug
       model.context_too_long             more tokens than the model takes                  bug
       model.declined                     the model, or a filter, declined to answer        user
       model.cut_off                      the reply was longer than its limit               bug
       model.no_edit                      the reply holds no edit                           bug
       model.none_available               every provider of the chain is out                retry

A provider is called inside an activity, which may run again: `draft` has no effect outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from shared.domain.errors import UpstreamError, Verdict

if TYPE_CHECKING:
    from shared.llm.conversation import Turn
    from shared.patching.apply import AppliedPatch
    from shared.patching.script import FileEdit


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
    RATE_LIMITED = "model.rate_limited"
    OVERLOADED = "model.overloaded"
    UNAVAILABLE = "model.unavailable"
    TIMEOUT = "model.timeout"
    CREDENTIAL_REFUSED = "model.credential_refused"
    QUOTA_EXHAUSTED = "model.quota_exhausted"
    NOT_FOUND = "model.not_found"
    REQUEST_REFUSED = "model.request_refused"
    CONTEXT_TOO_LONG = "model.context_too_long"
    DECLINED = "model.declined"
    CUT_OFF = "model.cut_off"
    NO_EDIT = "model.no_edit"
    NONE_AVAILABLE = "model.none_available"


class ModelError(UpstreamError):
    """A provider did not draft a change."""

    told: "Usage | None" = None
    """The tokens of a reply that broke off, as far as its provider had told of them."""


_VERDICTS = {
    ModelCode.OUT_OF_TIME: Verdict.BUG,
    ModelCode.CREDENTIAL_REFUSED: Verdict.BUG,
    ModelCode.QUOTA_EXHAUSTED: Verdict.POLICY,
    ModelCode.NOT_FOUND: Verdict.BUG,
    ModelCode.REQUEST_REFUSED: Verdict.BUG,
    ModelCode.CONTEXT_TOO_LONG: Verdict.BUG,
    ModelCode.DECLINED: Verdict.USER,
    ModelCode.CUT_OFF: Verdict.BUG,
    ModelCode.NO_EDIT: Verdict.BUG,
}
"""What follows where it is not another try."""

PROVIDER_FAULTS = frozenset(
    {
        ModelCode.RATE_LIMITED,
        ModelCode.OVERLOADED,
        ModelCode.UNAVAILABLE,
        ModelCode.TIMEOUT,
        ModelCode.CREDENTIAL_REFUSED,
        ModelCode.QUOTA_EXHAUSTED,
        ModelCode.NOT_FOUND,
    }
)
"""Codes that say something of the provider, not of the request: another one may do better."""


def fail_at_provider(
    code: ModelCode,
    message: str,
    *,
    retry_after_s: float | None = None,
    facts: Mapping[str, str | int | float | bool] | None = None,
) -> ModelError:
    """Build the error of a provider, with the verdict that its code has.

    Args:
        code: the reason.
        message: for people; quotes neither prompt nor reply.
        retry_after_s: seconds that the provider asked us to wait.
        facts: closed facts for logs, such as the HTTP status and the provider's request id.
    """
    return ModelError(
        str(code),
        message,
        verdict=_VERDICTS.get(code, Verdict.RETRY),
        retry_after_s=retry_after_s,
        facts=facts,
    )


class RequestError(ModelError):
    """The request itself cannot be carried out: its author has to change it."""

    verdict = Verdict.USER

    def __init__(self, code: ModelCode, message: str) -> None:
        super().__init__(str(code), message)


class Applier(Protocol):
    """Applies edits to the repository of a draft, in memory."""

    def __call__(
        self, edits: str, edit_format: str, kept: "Sequence[FileEdit]" = ()
    ) -> "AppliedPatch":
        """Apply edits, and check what comes out.

        Args:
            edits: as the model wrote them.
            edit_format: name of a format of `shared.patching`.
            kept: what fitted of an earlier try.

        Raises:
            PatchError: they do not fit, or break a rule.
        """


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
    apply: "Applier"
    """Applies edits to `files` and checks them."""
    nonce: str = ""
    """Unguessable part of the marks round data; the same for all variants of a job."""
    pull_request: str = ""
    """Title and description of the pull request; data, never an instruction."""
    admitted: tuple[str, ...] | None = None
    """Providers that may be asked now; None: all."""
    survey: "tuple[Turn, ...]" = ()
    """What was looked up for all variants (`shared.llm.survey`); the last turn is ours."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a draft was billed for."""

    tokens_in: int = 0
    """Everything that was sent, whether or not a cache served it."""
    tokens_cached: int = 0
    """Those of `tokens_in` that the provider read from its cache."""
    tokens_cache_written: int = 0
    """Those of `tokens_in` that the provider put into its cache, where it bills that apart."""
    tokens_out: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.tokens_in + other.tokens_in,
            self.tokens_cached + other.tokens_cached,
            self.tokens_cache_written + other.tokens_cache_written,
            self.tokens_out + other.tokens_out,
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that a model wrote."""

    edits: str
    edit_format: str
    """Name of a format of `shared.patching`."""
    patch: "AppliedPatch"
    """What the edits do: they fit, and passed every check."""
    summary: str
    """A few plain sentences for the draft pull request; not neutralised."""
    usage: Usage
    """Of all calls that it took."""
    provider: str
    model: str
    repair_rounds: int = 0
    """How often the model had to mend its edits."""
    outcomes: tuple[Mapping[str, Any], ...] = ()
    """How each provider that was asked did; for the circuit breakers."""


class ModelProvider(Protocol):
    """Somebody who can draft a change."""

    @property
    def name(self) -> str:
        """The provider as settings, records and telemetry call it."""

    def draft(self, request: DraftRequest) -> Draft:
        """Draft one variant.

        Raises:
            ModelError: with the verdict that says what follows.
            PatchError: the edits did not fit, after every round of mending.
            PolicyError: a budget is exhausted.
        """
