"""Charges calls to models to a job: the budgets are looked at before, the records written after."""

from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.job import Job
from shared.domain.model_use import UsagePurpose
from shared.llm.accounts import CallRecord
from shared.llm.prices import price
from shared.policy.budgets import BudgetLimits, check_budgets
from shared.settings import ModelSettings
from shared.store import usage
from shared.store.usage import UsageEntry

if TYPE_CHECKING:
    from shared.jobs.world import World

_MICRO = 1_000_000


class JobAccount:
    """The account of one job, and within it of one variant."""

    def __init__(self, world: "World", job: Job, number: int | None = None) -> None:
        """Open the account; `number` is the variant, None for calls that serve the whole job."""
        self._world = world
        self._job = job
        self._number = number
        self._limits = read_limits(world.settings.models)
        self._prices = world.prices
        self.cost_micro_usd: int | None = 0
        """Of the calls through this account; None when a price is unknown."""

    def check(self) -> None:
        """Return when another call may be made.

        Raises:
            PolicyError: `budget.…_exhausted`.
        """
        if self._limits == BudgetLimits():
            return
        job = self._job
        organisation, since = job.comment.organisation, _find_midnight(self._world.clock())
        with self._world.database.read() as connection:
            check_budgets(
                self._limits,
                job=usage.spent_by_job(connection, job.id),
                actor=usage.spent_by_actor_since(connection, organisation, job.actor_id, since),
                organisation=usage.spent_by_organisation_since(connection, organisation, since),
            )

    def charge(self, call: CallRecord) -> None:
        """Write down a call; at once, so that it is paid for whatever becomes of the draft."""
        cost = price(call.provider, call.model, call.usage, self._prices)
        if cost is None or self.cost_micro_usd is None:
            self.cost_micro_usd = None
        else:
            self.cost_micro_usd += cost
        entry = UsageEntry(
            job_id=self._job.id,
            number=self._number,
            organisation=self._job.comment.organisation,
            actor_id=self._job.actor_id,
            purpose=UsagePurpose(call.purpose),
            provider=call.provider,
            model=call.model,
            tokens_in=call.usage.tokens_in,
            tokens_cached=call.usage.tokens_cached,
            tokens_cache_written=call.usage.tokens_cache_written,
            tokens_out=call.usage.tokens_out,
            cost_micro_usd=cost,
            duration_ms=call.duration_ms,
            round=call.round,
            at=self._world.clock(),
        )
        with self._world.database.transaction() as connection:
            usage.record(connection, entry)


def read_limits(settings: ModelSettings) -> BudgetLimits:
    """Take the limits from the settings, where 0 is unlimited."""
    return BudgetLimits(
        job_tokens=settings.job_tokens,
        job_micro_usd=round(settings.job_usd * _MICRO),
        user_day_tokens=settings.user_day_tokens,
        user_day_micro_usd=round(settings.user_day_usd * _MICRO),
        organisation_day_tokens=settings.organisation_day_tokens,
        organisation_day_micro_usd=round(settings.organisation_day_usd * _MICRO),
    )


def _find_midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
