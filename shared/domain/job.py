"""A job and its variants, as they stand in the database and on the pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.clarification import NOTHING_ASKED, Clarification
from shared.domain.comment_ref import CommentRef
from shared.domain.pull_request import RepositoryRef
from shared.domain.states import JobStatus, VariantStatus


@dataclass(frozen=True, slots=True)
class Job:
    """One accepted `/edit` or `/retry`."""

    id: str
    """The orchestration's instance id, `edit-…`."""
    comment: CommentRef
    status: JobStatus
    intent: str
    """What was asked for. In the database and in comments only: never in logs or telemetry."""
    requested_variants: int
    actor_id: str
    """Identity id (GUID) of the comment's author."""
    correlation_id: str
    project_name: str
    repository_name: str
    pull_request_title: str
    source_ref: str
    base_commit: str
    """The commit every variant starts from, pinned when the command was admitted."""
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_requested: bool = False
    status_comment_id: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    clarification: Clarification = NOTHING_ASKED
    """What the author was asked and said, beside `intent`, which stays as it was written."""
    task_hub: str = ""
    """Where its orchestration is; empty when that is not known."""

    @property
    def clarified_intent(self) -> str:
        """What the model is asked for: the intent, made clear by its author."""
        return self.clarification.join(self.intent)

    @property
    def repository(self) -> RepositoryRef:
        """Where the job works, with names for people."""
        return replace(
            RepositoryRef.of_comment(self.comment),
            project_name=self.project_name,
            repository_name=self.repository_name,
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """One take on the request."""

    job_id: str
    number: int
    """1-based: the `k` of `v{k}`."""
    status: VariantStatus
    branch: str
    """Without `refs/heads/`."""
    strategy: str
    updated_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    commit_id: str | None = None
    pull_request_id: int | None = None
    files_changed: int = 0
    lines_added: int = 0
    lines_deleted: int = 0
    note: str = ""
    """One sentence for people: what was done, or why not."""
    error_code: str | None = None
    verdict: str | None = None
    patch_digest: str | None = None
    """SHA-256 of the canonical change; equal digests are one result."""
    patch_artifact: str | None = None
    """Reference into the artifact store."""
    llm_provider: str | None = None
    llm_duration_ms: int | None = None
    llm_model: str | None = None
    """The model as its provider calls it; None where none was asked."""
    tokens_in: int = 0
    """All rounds together, whether or not a cache served them."""
    tokens_cached: int = 0
    """Those of `tokens_in` that the provider read from its cache."""
    tokens_out: int = 0
    cost_micro_usd: int | None = None
    """Millionths of a US dollar; None when a price is unknown."""
    repair_rounds: int = 0
    """How often the model was shown what was wrong with its edit."""
    from_cache: bool = False
    """Whether an earlier result for the same question was taken; no model was asked then."""


def find_twin(row: Variant, rows: Sequence[Variant]) -> int | None:
    """Find the number of the variant that a duplicate says the same as; None for any other."""
    if row.status is not VariantStatus.DUPLICATE:
        return None
    return next(
        (
            other.number
            for other in rows
            if other.patch_digest == row.patch_digest
            and other.status is not VariantStatus.DUPLICATE
        ),
        None,
    )
