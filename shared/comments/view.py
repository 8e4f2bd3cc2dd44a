"""What the templates are given: values for people, with nothing left to decide but the words."""

from dataclasses import dataclass

from shared.domain.clarification import NOTHING_ASKED, Clarification
from shared.domain.model_use import ModelUse
from shared.domain.states import JobStatus, VariantStatus


@dataclass(frozen=True, slots=True)
class VariantView:
    """One row of the table of variants."""

    number: int
    title: str
    """What the variant tries, in the language of the comments."""
    status: VariantStatus
    pull_request_id: int | None = None
    pull_request_url: str = ""
    files_changed: int = 0
    lines_added: int = 0
    lines_deleted: int = 0
    duration_s: float | None = None
    note: str = ""
    """What was done; not neutralised yet."""
    twin: int | None = None
    """The variant that this one is a duplicate of."""
    error_code: str | None = None
    error_message: str = ""
    verdict: str | None = None
    """Whom the failure falls to: a `shared.domain.errors.Verdict`."""
    provider: str = ""
    """Who drafted it; empty where nobody has yet."""
    model: str = ""
    """The model that was asked; empty where none was. Not neutralised yet."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job, as its comments show it."""

    id: str
    correlation_id: str
    intent: str
    """As it was asked; not neutralised yet."""
    status: JobStatus
    provider: str
    page_url: str = ""
    """The job's page at the gateway; empty where no public URL is configured."""
    position: int | None = None
    """Place in the queue, 1 for the next; None when it does not wait."""
    variants: tuple[VariantView, ...] = ()
    error_code: str | None = None
    error_message: str = ""
    duration_s: float | None = None
    clarification: Clarification = NOTHING_ASKED
    """What the author was asked and said; not neutralised yet."""
    clarify_wait_s: float = 0.0
    """Seconds that an answer was, or is, waited for."""
    use: ModelUse | None = None
    """What the models took; None when none had a part in it."""

    @property
    def succeeded(self) -> tuple[VariantView, ...]:
        """The variants that have a draft pull request."""
        return tuple(row for row in self.variants if row.status is VariantStatus.SUCCESS)
