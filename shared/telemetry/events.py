"""Every custom event of the app: one class each, with the guide's wire names.

Dimensions are ids, closed enums and counts: never code, prompts, comment text or e-mail addresses.
"""

from dataclasses import dataclass
from typing import ClassVar, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share."""

    name: ClassVar[str]
    measurements: ClassVar[tuple[str, ...]] = ()
    """Fields that are numbers to aggregate; the others become dimensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandJudged(Event):
    """A comment that looked like a command was read back and judged."""

    name: ClassVar[str] = "command_judged"
    measurements: ClassVar[tuple[str, ...]] = ("wait_ms",)
    jobId: str  # noqa: N815 - the guide's dimension names are the wire contract
    correlationId: str  # noqa: N815 - as above
    status: str
    """What follows: `edit`, `answer` or `ignore`."""
    reason: str
    """Code of a refusal, or why it is ignored; `none`."""
    wait_ms: float
    """Since the webhook took the delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompleted(Event):
    """A job has ended."""

    name: ClassVar[str] = "job_completed"
    measurements: ClassVar[tuple[str, ...]] = (
        "duration_ms",
        "totalVariants",
        "successfulVariants",
        "intent_length",
    )
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    status: str
    verdict: str
    """Why it has no result: `user`, `policy`, or a fault of the system (`retry`, `bug`); `none`."""
    actor: str
    """Keyed hash of the author's id."""
    intent_length: int
    """Characters of the request; never its words."""
    duration_ms: float
    """From the admission of the command, waiting included."""
    totalVariants: int  # noqa: N815 - as above
    successfulVariants: int  # noqa: N815 - as above


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCompleted(Event):
    """A variant has ended, however."""

    name: ClassVar[str] = "variant_completed"
    measurements: ClassVar[tuple[str, ...]] = (
        "duration_ms",
        "tokens_in",
        "tokens_cached",
        "tokens_out",
        "cost_usd",
        "repair_rounds",
    )
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    variant: int
    status: str
    verdict: str
    llmProvider: str  # noqa: N815 - as above
    llm_model: str
    """The model as its provider calls it; `none` where none was asked."""
    cache: str
    """`hit` when an earlier result was taken, `miss`; `none` where no model has part in it."""
    duration_ms: float
    """From its start to its end, however it ended; those that ran out of time count too."""
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_usd: float | None
    """Left out when the price is unknown."""
    repair_rounds: int
    """How often the model was shown what was wrong with its edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarificationAsked(Event):
    """The author of a vague request was asked what it means."""

    name: ClassVar[str] = "clarification_asked"
    measurements: ClassVar[tuple[str, ...]] = ("round",)
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    round: int
    options: int
    """How many there were to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarificationEnded(Event):
    """The asking is over."""

    name: ClassVar[str] = "clarification_ended"
    measurements: ClassVar[tuple[str, ...]] = ("rounds",)
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    outcome: str
    """answered, assumed or cancelled."""
    reason: str
    """A `ClarificationEnd`."""
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreakerStateChanged(Event):
    """A provider is left alone, tried by one, or asked again by all."""

    name: ClassVar[str] = "circuit_breaker_state_change"
    component: str
    """`model:` and the provider."""
    oldState: str  # noqa: N815 - as above
    """closed, open or half_open."""
    newState: str  # noqa: N815 - as above


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoRateLimited(Event):
    """Azure DevOps asked us to wait."""

    name: ClassVar[str] = "ado_rate_limited"
    measurements: ClassVar[tuple[str, ...]] = ("retry_after_s",)
    operation: str
    status_code: int
    retry_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextIncomplete(Event):
    """A job went on without something that its context would have been better with."""

    name: ClassVar[str] = "context_incomplete"
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    missing: str
    """`changed_lines`."""
    reason: str
    """Code of the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretStale(Event):
    """The vault does not answer; an old value is served. Told every few minutes for each secret."""

    name: ClassVar[str] = "secret_stale"
    measurements: ClassVar[tuple[str, ...]] = ("age_s",)
    secret: str
    """Its name, never its value."""
    reason: str
    """unreachable, throttled or forbidden."""
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretExpiresSoon(Event):
    """A secret expires within the days of the settings, or has expired. Told once a day."""

    name: ClassVar[str] = "secret_expires_soon"
    measurements: ClassVar[tuple[str, ...]] = ("days_left",)
    secret: str
    """Its name, never its value."""
    days_left: float
    """Negative when it has expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRights(Event):
    """What the agent may do in its repositories, against what it needs. Told once a day."""

    name: ClassVar[str] = "agent_rights"
    measurements: ClassVar[tuple[str, ...]] = ("repositories", "lacking", "excessive")
    status: str
    """`fit`, `lacking`, `too_much`, or `unknown` where nobody could look."""
    deeds: str
    """What it may and never needs to, such as `force push`; `none`."""
    repositories: int
    """That were looked at."""
    lacking: int
    """Repositories of the settings in which it may not work."""
    excessive: int
    """Repositories in which it may do too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationFailed(Event):
    """A delivery, or a request for a page, did not prove who it is from."""

    name: ClassVar[str] = "authentication_failed"
    measurements: ClassVar[tuple[str, ...]] = ("failures",)
    source_ip: str
    """As a trusted proxy tells it; `unknown` without one."""
    component: str
    """`webhook` or `pages`."""
    failures: int
    """How many this one stands for: those of an address that fails too often are summed up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidSignature(Event):
    """A delivery offered a signature, and it was wrong."""

    name: ClassVar[str] = "invalid_signature"
    measurements: ClassVar[tuple[str, ...]] = ("failures",)
    source_ip: str
    """As above."""
    component: str
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitExceeded(Event):
    """A command was refused because of a limit on how many there may be."""

    name: ClassVar[str] = "rate_limit_exceeded"
    measurements: ClassVar[tuple[str, ...]] = ("retry_after_s",)
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    operation: str
    """Which limit: `user_jobs`, `repository_variants` or `organisation_variants`."""
    actor: str
    """Keyed hash of the author's id."""
    retry_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionCompleted(Event):
    """Records whose time is over were deleted: how many of each table. Told once a night."""

    name: ClassVar[str] = "retention_completed"
    measurements: ClassVar[tuple[str, ...]] = (
        "jobs",
        "effects",
        "result_cache",
        "artifacts",
        "usage",
        "audit_logs",
        "security_events",
        "rate_limits",
        "duration_ms",
    )
    jobs: int
    """With their variants."""
    effects: int
    result_cache: int
    artifacts: int
    usage: int
    audit_logs: int
    security_events: int
    rate_limits: int
    duration_ms: float
    complete: bool
    """Whether nothing is left that is over; otherwise the time of a night was not enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetExhausted(Event):
    """A call to a model was refused because a budget is used up."""

    name: ClassVar[str] = "budget_exhausted"
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    operation: str
    """Which one: `job_exhausted`, `user_day_exhausted` or `organisation_day_exhausted`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Event):
    """The app runs, and this is what waits. Told every minute."""

    name: ClassVar[str] = "heartbeat"
    measurements: ClassVar[tuple[str, ...]] = (
        "queue_depth",
        "running_jobs",
        "oldest_job_s",
        "restore_point_age_s",
    )
    service: str
    version: str
    environment: str
    records: str
    """`ok`, or `failed` when the database did not answer; what it knows is left out then."""
    queue_depth: int | None
    running_jobs: int | None
    oldest_job_s: float | None
    """Age of the oldest job that has not ended; 0 without one."""
    restore_point_age_s: float | None
    """Since the database has last archived its log: what a restore to a point in time would lose
    at most. Left out where it archives nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookHealth(Event):
    """A service hook that calls the app, as Azure DevOps sees it. Told every 15 minutes."""

    name: ClassVar[str] = "hook_health"
    measurements: ClassVar[tuple[str, ...]] = ("probation_retries",)
    subscription: str
    """Its id; `none` when there is no such hook, or the agent may not look."""
    status: str
    """As Azure DevOps calls it (`enabled`, `onProbation`, `disabledBySystem` …), `missing` or
    `unknown`."""
    probation_retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandsSwept(Event):
    """The threads of a place were read for commands that no service hook has told of."""

    name: ClassVar[str] = "commands_swept"
    measurements: ClassVar[tuple[str, ...]] = ("pull_requests", "started", "behind_s")
    place: int
    """Which of `CODE_AGENT_RECOVERY_PLACES`, from 1."""
    status: str
    """`complete`, `partial` when the next run goes on, or `failed`."""
    reason: str
    """Code of the failure; `none`."""
    pull_requests: int
    started: int
    behind_s: float
    """Since the instant from which on comments were looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecovered(Event):
    """A command that no service hook has told of was found and started."""

    name: ClassVar[str] = "command_recovered"
    measurements: ClassVar[tuple[str, ...]] = ("wait_ms",)
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    wait_ms: float
    """Since it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReconciled(Event):
    """Records and task hub said different things of a job, and something was done about it."""

    name: ClassVar[str] = "job_reconciled"
    jobId: str  # noqa: N815 - as above
    correlationId: str  # noqa: N815 - as above
    status: str
    """`restarted`, `closed` or `terminated`."""
    reason: str
    """`unknown_to_hub`, `job.lost`, `job.overdue`, `job_ended` or `no_job`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryCompleted(Event):
    """The canary's command was carried out end to end, or not."""

    name: ClassVar[str] = "canary_completed"
    measurements: ClassVar[tuple[str, ...]] = ("duration_ms",)
    jobId: str  # noqa: N815 - as above
    status: str
    """`success`, or `failed`."""
    reason: str
    """What it waited for in vain, or the code of the failure; `none`."""
    duration_ms: float
    """From its comment to the end of its job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupCompleted(Event):
    """A dump of the records was checked, encrypted and has arrived. Told by `ops/backup.sh`."""

    name: ClassVar[str] = "backup_completed"
    measurements: ClassVar[tuple[str, ...]] = ("size_bytes", "duration_ms", "jobs", "age_s")
    schema_step: str
    """The latest migration in it."""
    size_bytes: int
    """Encrypted."""
    duration_ms: float
    jobs: int
    age_s: float
    """Since the instant whose records it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchChanged(Event):
    """Operators have turned a switch. Told by each process when it notices, within seconds."""

    name: ClassVar[str] = "switch_changed"
    switch: str
    """`mode`, `brake` or `providers`."""
    value: str
    """`running`, `paused` or `read-only`; jobs at once, or `off`; providers in order, or
    `default`."""


EVENTS: Final[tuple[type[Event], ...]] = tuple(
    thing
    for thing in list(globals().values())
    if isinstance(thing, type) and issubclass(thing, Event) and thing is not Event
)
"""All of them, in the order of this file."""
