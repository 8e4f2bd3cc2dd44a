"""For each rule, what the app tells when it should fire, and for some when it just should not.

Instants are minutes before now.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.telemetry.events import (
    AdoRateLimited,
    AgentRights,
    AuthenticationFailed,
    BackupCompleted,
    BudgetExhausted,
    CanaryCompleted,
    CircuitBreakerStateChanged,
    CommandJudged,
    Heartbeat,
    HookHealth,
    InvalidSignature,
    JobCompleted,
    RateLimitExceeded,
    RetentionCompleted,
    SecretExpiresSoon,
    SecretStale,
    VariantCompleted,
)
from tests.alerts.teller import Teller

Scenario = Callable[[Teller], None]
_JOB: Final = {"jobId": "edit-1", "correlationId": "0af7651916cd43dd8448eb211c80319c"}


def tell_variant(
    tell: Teller,
    status: str = "success",
    verdict: str = "none",
    *,
    took_s: float = 20,
    provider: str = "anthropic",
    ago_min: float = 1,
) -> None:
    """Tell of a variant that has ended."""
    event = VariantCompleted(
        **_JOB,
        variant=1,
        status=status,
        verdict=verdict,
        llmProvider=provider,
        llm_model="none" if provider == "stub" else "claude-sonnet-4-6",
        cache="miss",
        duration_ms=1000 * took_s,
        tokens_in=9000,
        tokens_cached=6000,
        tokens_out=800,
        cost_usd=0.04,
        repair_rounds=0,
    )
    tell.event(event, ago_min=ago_min)


def tell_job(
    tell: Teller, status: str = "success", verdict: str = "none", *, ago_min: float = 1
) -> None:
    """Tell of a job that has ended."""
    event = JobCompleted(
        **_JOB,
        status=status,
        verdict=verdict,
        actor="6f1c",
        intent_length=24,
        duration_ms=61_000,
        totalVariants=3,
        successfulVariants=3 if status == "success" else 0,
    )
    tell.event(event, ago_min=ago_min)


def tell_beats(
    tell: Teller,
    count: int,
    *,
    queued: int | None = 0,
    running: int | None = 0,
    oldest_s: float | None = 0.0,
    archived_s: float | None = None,
    since_min: int = 0,
) -> None:
    """Tell of one heartbeat a minute, the latest of them so many minutes ago."""
    for minute in range(since_min, since_min + count):
        event = Heartbeat(
            service="orchestrator",
            version="1.0.0",
            environment="production",
            records="failed" if queued is None else "ok",
            queue_depth=queued,
            running_jobs=running,
            oldest_job_s=oldest_s,
            restore_point_age_s=archived_s,
        )
        tell.event(event, ago_min=minute + 0.5)


def tell_canary(tell: Teller, status: str = "success", *, ago_min: float = 1) -> None:
    """Tell of a run of the canary."""
    reason = "none" if status == "success" else "draft"
    event = CanaryCompleted(jobId="edit-9", status=status, reason=reason, duration_ms=15_000)
    tell.event(event, ago_min=ago_min)


def _tell_hook(tell: Teller, status: str, *, ago_min: float, subscription: str = "h1") -> None:
    event = HookHealth(subscription=subscription, status=status, probation_retries=2)
    tell.event(event, ago_min=ago_min)


def _tell_circuit(tell: Teller, before: str, after: str, *, ago_min: float) -> None:
    event = CircuitBreakerStateChanged(component="model:anthropic", oldState=before, newState=after)
    tell.event(event, ago_min=ago_min)


def _tell_retention(tell: Teller, *, complete: bool, ago_min: float) -> None:
    names = set(RetentionCompleted.measurements) - {"duration_ms"}
    deleted: dict[str, Any] = dict.fromkeys(names, 3)
    event = RetentionCompleted(**deleted, duration_ms=800.0, complete=complete)
    tell.event(event, ago_min=ago_min)


def tell_failed_requests(tell: Teller) -> None:
    for number in range(25):
        tell.request(503 if number % 5 == 0 else 202)


def tell_two_failed_requests_and_strangers(tell: Teller) -> None:
    for number in range(50):
        tell.request(503 if number in (7, 9) else 202)
    for _ in range(30):
        tell.request(401)


def tell_a_late_heartbeat(tell: Teller) -> None:
    tell_beats(tell, 30, since_min=8)


def tell_nothing_but_old_heartbeats(tell: Teller) -> None:
    tell_beats(tell, 30, since_min=12)


def tell_slow_variants(tell: Teller) -> None:
    for number in range(24):
        tell_variant(tell, took_s=300 if number == 0 else 30, ago_min=5)
        tell_variant(tell, took_s=30, provider="stub", ago_min=5)
    tell_variant(tell, "timeout", "retry", took_s=480, provider="none", ago_min=5)


def tell_one_slow_variant_of_few(tell: Teller) -> None:
    for number in range(9):
        tell_variant(tell, took_s=95 if number == 0 else 30, provider="stub", ago_min=5)
    for number in range(20):
        tell_variant(tell, took_s=300 if number == 0 else 200, provider="openai", ago_min=5)


def tell_an_open_circuit(tell: Teller) -> None:
    _tell_circuit(tell, "closed", "open", ago_min=30)


def tell_a_circuit_that_closed(tell: Teller) -> None:
    _tell_circuit(tell, "closed", "open", ago_min=30)
    _tell_circuit(tell, "open", "half_open", ago_min=5)
    _tell_circuit(tell, "half_open", "closed", ago_min=4)


def tell_a_full_queue(tell: Teller) -> None:
    tell_beats(tell, 9, queued=12, running=10, oldest_s=200.0)


def tell_a_queue_that_was_full_for_a_moment(tell: Teller) -> None:
    tell_beats(tell, 5, queued=12, running=10, oldest_s=200.0)
    tell_beats(tell, 1, queued=3, running=10, oldest_s=60.0)


def tell_throttling(tell: Teller) -> None:
    for _ in range(12):
        tell.event(AdoRateLimited(operation="push", status_code=429, retry_after_s=5), ago_min=2)


def tell_throttling_over_minutes(tell: Teller) -> None:
    for minute in range(9):
        for _ in range(3):
            event = AdoRateLimited(operation="push", status_code=429, retry_after_s=5)
            tell.event(event, ago_min=minute + 0.2)


def tell_work_without_end(tell: Teller) -> None:
    tell_beats(tell, 29, queued=1, running=2, oldest_s=1700.0)


def tell_work_that_ends(tell: Teller) -> None:
    tell_beats(tell, 29, queued=1, running=2, oldest_s=120.0)
    tell_job(tell, ago_min=12)


def tell_failing_records(tell: Teller) -> None:
    tell_beats(tell, 8, queued=None, running=None, oldest_s=None)


def tell_records_that_came_back(tell: Teller) -> None:
    tell_beats(tell, 1)
    tell_beats(tell, 7, queued=None, running=None, oldest_s=None, since_min=1)


def tell_a_disabled_hook(tell: Teller) -> None:
    _tell_hook(tell, "enabled", ago_min=50)
    _tell_hook(tell, "disabledBySystem", ago_min=5)


def tell_a_hook_that_was_enabled_again(tell: Teller) -> None:
    _tell_hook(tell, "missing", ago_min=35, subscription="none")
    _tell_hook(tell, "disabledBySystem", ago_min=20)
    _tell_hook(tell, "enabled", ago_min=5)


def tell_a_hook_on_probation(tell: Teller) -> None:
    _tell_hook(tell, "onProbation", ago_min=5)


def tell_failed_canaries(tell: Teller) -> None:
    for ago_min in (40, 25, 10):
        tell_canary(tell, "success" if ago_min == 25 else "failed", ago_min=ago_min)


def tell_one_failed_canary(tell: Teller) -> None:
    tell_canary(tell, "failed", ago_min=40)
    tell_canary(tell, ago_min=10)


def tell_a_silent_canary(tell: Teller) -> None:
    tell_canary(tell, ago_min=150)


def tell_an_expired_secret(tell: Teller) -> None:
    tell.event(SecretExpiresSoon(secret="ado-pat", days_left=1.4), ago_min=300)


def tell_a_secret_that_expires(tell: Teller) -> None:
    tell.event(SecretExpiresSoon(secret="ado-pat", days_left=12.0), ago_min=300)


def tell_rights(tell: Teller, status: str, deeds: str, excessive: int, ago_min: float) -> None:
    """Tell what the agent may do."""
    event = AgentRights(status=status, deeds=deeds, repositories=12, lacking=0, excessive=excessive)
    tell.event(event, ago_min=ago_min)


def tell_rights_that_nobody_needs(tell: Teller) -> None:
    tell_rights(tell, "too_much", "force push", 3, ago_min=300)


def tell_rights_that_nobody_could_look_at(tell: Teller) -> None:
    tell_rights(tell, "unknown", "none", 0, ago_min=300)


def tell_a_stale_secret(tell: Teller) -> None:
    tell.event(SecretStale(secret="ado-pat", reason="unreachable", age_s=900.0), ago_min=3)


def tell_one_command(tell: Teller) -> None:
    event = CommandJudged(**_JOB, status="answer", reason="none", wait_ms=900.0)
    tell.event(event, ago_min=600)


def tell_nothing(tell: Teller) -> None:
    """Silence."""


def tell_refused_deliveries(tell: Teller) -> None:
    for ago_min in (9, 8, 6):
        tell.request(503, ago_min=ago_min)


def tell_refused_pages(tell: Teller) -> None:
    for ago_min in (9, 8, 6):
        tell.request(503, route="jobs", ago_min=ago_min)
    tell.request(401, ago_min=3)


def tell_dead_jobs(tell: Teller) -> None:
    for ago_min in (50, 30, 5):
        tell_job(tell, "failed", "bug" if ago_min == 5 else "retry", ago_min=ago_min)


def tell_jobs_that_users_broke(tell: Teller) -> None:
    for ago_min in (50, 40, 30, 20, 10):
        tell_job(tell, "failed", "user", ago_min=ago_min)


def tell_an_old_job(tell: Teller) -> None:
    tell_beats(tell, 9, running=1, oldest_s=1100.0)


def tell_variants_out_of_time(tell: Teller) -> None:
    for number in range(12):
        late = number < 2
        if late:
            tell_variant(tell, "timeout", "retry", took_s=480, provider="none", ago_min=20)
        else:
            tell_variant(tell, took_s=30, ago_min=20)


def tell_an_exhausted_budget(tell: Teller) -> None:
    tell.event(BudgetExhausted(**_JOB, operation="organisation_day_exhausted"), ago_min=3)


def tell_the_budget_of_a_job(tell: Teller) -> None:
    tell.event(BudgetExhausted(**_JOB, operation="job_exhausted"), ago_min=3)


def tell_a_knocker(tell: Teller) -> None:
    for failures, ago_min in ((1, 40), (1, 39), (9, 20)):
        tell.event(
            AuthenticationFailed(source_ip="203.0.113.9", component="webhook", failures=failures),
            ago_min=ago_min,
        )


def tell_many_who_knock_once(tell: Teller) -> None:
    for number in range(12):
        address = f"203.0.113.{number}"
        knock = AuthenticationFailed(source_ip=address, component="pages", failures=1)
        tell.event(knock, ago_min=number)
        forged = InvalidSignature(source_ip=address, component="webhook", failures=1)
        tell.event(forged, ago_min=number)
        limited = RateLimitExceeded(
            **_JOB, operation="user_jobs", actor=f"a{number}", retry_after_s=60.0
        )
        tell.event(limited, ago_min=number)


def tell_incomplete_nights(tell: Teller) -> None:
    tell_beats(tell, 1, since_min=2400)
    _tell_retention(tell, complete=False, ago_min=2300)
    _tell_retention(tell, complete=False, ago_min=900)


def tell_a_complete_night(tell: Teller) -> None:
    _tell_retention(tell, complete=False, ago_min=2300)
    _tell_retention(tell, complete=True, ago_min=900)


def tell_slower_answers(tell: Teller) -> None:
    for number in range(120):
        tell.request(took_ms=100, ago_min=60 + number)
    for _ in range(25):
        tell.request(took_ms=180, ago_min=5)


def tell_answers_that_are_as_fast(tell: Teller) -> None:
    for number in range(120):
        tell.request(took_ms=100, ago_min=60 + number)
    for _ in range(25):
        tell.request(took_ms=140, ago_min=5)


def tell_an_archive_that_stands_still(tell: Teller) -> None:
    tell_beats(tell, 9, archived_s=1500.0)


def tell_an_archive_that_was_late_once(tell: Teller) -> None:
    tell_beats(tell, 8, archived_s=1300.0)
    tell_beats(tell, 1, archived_s=20.0, since_min=8)


def tell_an_old_backup(tell: Teller) -> None:
    _tell_backup(tell, ago_min=2 * 1440 + 60)


def tell_a_backup_of_yesterday(tell: Teller) -> None:
    _tell_backup(tell, ago_min=30 * 60)


def _tell_backup(tell: Teller, *, ago_min: float) -> None:
    event = BackupCompleted(
        schema_step="0009", size_bytes=4_000_000, duration_ms=9000.0, jobs=812, age_s=12.0
    )
    tell.event(event, ago_min=ago_min)


FIRES: Final[Mapping[str, Scenario]] = {
    "HighErrorRate": tell_failed_requests,
    "ServiceDown": tell_nothing_but_old_heartbeats,
    "HighLatency": tell_slow_variants,
    "CircuitBreakerOpen": tell_an_open_circuit,
    "QueueBacklog": tell_a_full_queue,
    "RateLimitWarning": tell_throttling,
    "OrchestratorStuck": tell_work_without_end,
    "RecordsUnavailable": tell_failing_records,
    "HookDisabled": tell_a_disabled_hook,
    "CanaryFailed": tell_failed_canaries,
    "SecretExpired": tell_an_expired_secret,
    "SecretExpiresSoon": tell_a_secret_that_expires,
    "RightsDrifted": tell_rights_that_nobody_needs,
    "SecretStale": tell_a_stale_secret,
    "HookOnProbation": tell_a_hook_on_probation,
    "NoCommands": tell_nothing,
    "DeliveriesLost": tell_refused_deliveries,
    "DeadLetters": tell_dead_jobs,
    "JobStuck": tell_an_old_job,
    "VariantTimeouts": tell_variants_out_of_time,
    "ModelBudgetExhausted": tell_an_exhausted_budget,
    "SuspiciousActivity": tell_a_knocker,
    "CanarySilent": tell_a_silent_canary,
    "RetentionOverdue": tell_incomplete_nights,
    "ResponseSlower": tell_slower_answers,
    "BackupOverdue": tell_an_old_backup,
    "RestorePointOld": tell_an_archive_that_stands_still,
}
"""Each alert on a query, and what fires it."""

STAYS_SILENT: Final[Mapping[str, Scenario]] = {
    "HighErrorRate": tell_two_failed_requests_and_strangers,
    "ServiceDown": tell_a_late_heartbeat,
    "HighLatency": tell_one_slow_variant_of_few,
    "CircuitBreakerOpen": tell_a_circuit_that_closed,
    "QueueBacklog": tell_a_queue_that_was_full_for_a_moment,
    "RateLimitWarning": tell_throttling_over_minutes,
    "OrchestratorStuck": tell_work_that_ends,
    "RecordsUnavailable": tell_records_that_came_back,
    "HookDisabled": tell_a_hook_that_was_enabled_again,
    "CanaryFailed": tell_one_failed_canary,
    "SecretExpired": tell_a_secret_that_expires,
    "RightsDrifted": tell_rights_that_nobody_could_look_at,
    "NoCommands": tell_one_command,
    "DeliveriesLost": tell_refused_pages,
    "DeadLetters": tell_jobs_that_users_broke,
    "ModelBudgetExhausted": tell_the_budget_of_a_job,
    "SuspiciousActivity": tell_many_who_knock_once,
    "CanarySilent": tell_one_failed_canary,
    "RetentionOverdue": tell_a_complete_night,
    "ResponseSlower": tell_answers_that_are_as_fast,
    "BackupOverdue": tell_a_backup_of_yesterday,
    "RestorePointOld": tell_an_archive_that_was_late_once,
}
"""Near misses: what looks alike and is no reason to alert."""

_BURNT: Final = ("SystemErrors", "VariantSuccess")
"""Objectives that a bad run breaks."""

FIRES_FOR_REAL: Final = frozenset(
    {
        "CircuitBreakerOpen",
        "DeadLetters",
        "HookDisabled",
        "RateLimitWarning",
        "SuspiciousActivity",
        *(f"{name}BurnRate{speed}" for name in _BURNT for speed in ("Fast", "Medium", "Slow")),
    }
)
"""Alerts that fire on what the app itself tells, in `real_runs.run_badly`."""
