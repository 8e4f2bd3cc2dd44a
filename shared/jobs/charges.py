"""Charges calls to models to a job: the budgets are looked at before, the records written after."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain.errors import PolicyError
from shared.domain.job import Job
from shared.domain.model_use import UsagePurpose
from shared.llm.accounts import CallRecord
from shared.llm.prices import price
from shared.policy.budgets import BudgetLimits, check_budgets, read_limits
from shared.store import usage
from shared.store.usage import UsageEntry
from shared.telemetry import metrics
from shared.telemetry.emit import emit
from shared.telemetry.events import BudgetExhausted

if TYPE_CHECKING:
    from shared.jobs.world import World

_MICRO = 1_000_000


class JobAccount:
    """The account of one variant.

    Calls that serve the whole job are charged to its first variant: so the sum of its variants is
    what a job took.
    """

    def __init__(self, world: "World", job: Job, number: int) -> None:
        self._world = world
        self._job = job
        self._number = number
        self._limits = read_limits(world.settings.models)
        self._prices = world.prices
        self._served: tuple[str, str] | None = None

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
            spent = {
                "job": usage.spent_by_job(connection, job.id),
                "actor": usage.spent_by_actor_since(connection, organisation, job.actor_id, since),
                "organisation": usage.spent_by_organisation_since(connection, organisation, since),
            }
        try:
            check_budgets(self._limits, **spent)
        except PolicyError as error:
            emit(
                BudgetExhausted(
                    jobId=job.id,
                    correlationId=job.correlation_id,
                    operation=error.code.partition(".")[2],
                )
            )
            raise

    def charge(self, call: CallRecord) -> None:
        """Write down a call; at once, so that it is paid for whatever becomes of the draft."""
        cost = price(call.provider, call.model, call.usage, self._prices)
        self._served = call.provider, call.model
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
        _measure(call, cost)

    def read_fields(self) -> dict[str, Any]:
        """Read what the variant's row says of all its calls so far, those of earlier tries too."""
        with self._world.database.read() as connection:
            spent = usage.spent_by_variant(connection, self._job.id, self._number)
        fields: dict[str, Any] = {
            "tokens_in": spent.tokens_in,
            "tokens_cached": spent.tokens_cached,
            "tokens_out": spent.tokens_out,
            "cost_micro_usd": None if spent.unpriced_calls else spent.cost_micro_usd,
        }
        if self._served is not None:
            fields["llm_provider"], fields["llm_model"] = self._served
        return fields


def _measure(call: CallRecord, cost_micro_usd: int | None) -> None:
    told = {"llmProvider": call.provider, "llm_model": call.model, "purpose": call.purpose}
    for direction, tokens in (
        ("in", call.usage.tokens_in),
        ("cached", call.usage.tokens_cached),
        ("out", call.usage.tokens_out),
    ):
        metrics.MODEL_TOKENS.record(tokens, direction=direction, **told)
    if cost_micro_usd is not None:
        metrics.MODEL_COST.record(cost_micro_usd / _MICRO, **told)


def _find_midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
