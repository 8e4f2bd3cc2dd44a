"""What may be spent on models: by a job, by a person in a day, by an organisation in a day.

    PolicyError
    ├─ budget.job_exhausted
    ├─ budget.user_day_exhausted
    └─ budget.organisation_day_exhausted

A budget is looked at before a call: the call that oversteps it is still paid. Days are UTC days.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from shared.domain.errors import PolicyError
from shared.settings.models import ModelSettings

_MICRO: Final = 1_000_000
_NEXT_DAY: Final = "It is free again at midnight UTC."
_NEXT_JOB: Final = "A new job has a budget of its own."


class Spending(Protocol):
    """What was spent, as the records sum it up."""

    @property
    def tokens_in(self) -> int:
        """Everything that was sent, whether or not a cache served it."""

    @property
    def tokens_out(self) -> int:
        """Everything that was answered."""

    @property
    def cost_micro_usd(self) -> int:
        """Millionths of a US dollar, of the calls whose price is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimits:
    """The most that may be spent, in tokens in and out together and in money; 0 is unlimited."""

    job_tokens: int = 0
    job_micro_usd: int = 0
    user_day_tokens: int = 0
    user_day_micro_usd: int = 0
    organisation_day_tokens: int = 0
    organisation_day_micro_usd: int = 0


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


def check_budgets(
    limits: BudgetLimits, *, job: Spending, actor: Spending, organisation: Spending
) -> None:
    """Return when another call may be paid for; what has a price that is unknown costs tokens only.

    Args:
        limits: the operators' limits.
        job: what the job has spent.
        actor: what its author has spent since midnight UTC, this job included.
        organisation: what all jobs of the organisation have spent since then.

    Raises:
        PolicyError: naming the first budget that is used up, how much of it, and when it is free.
    """
    budgets = (
        (
            "budget.job_exhausted",
            "The budget of this job is used up",
            (job, limits.job_tokens, limits.job_micro_usd),
            _NEXT_JOB,
        ),
        (
            "budget.user_day_exhausted",
            "Your budget for today is used up",
            (actor, limits.user_day_tokens, limits.user_day_micro_usd),
            _NEXT_DAY,
        ),
        (
            "budget.organisation_day_exhausted",
            "The organisation's budget for today is used up",
            (organisation, limits.organisation_day_tokens, limits.organisation_day_micro_usd),
            _NEXT_DAY,
        ),
    )
    for code, what, (spent, tokens, micro_usd), when in budgets:
        used = _find_overrun(spent, tokens, micro_usd)
        if used:
            raise PolicyError(code, f"{what}: {used}. {when}")


def _find_overrun(spent: Spending, tokens: int, micro_usd: int) -> str:
    """Say how much of a budget is used when all of it is; empty while there is some left."""
    used = spent.tokens_in + spent.tokens_out
    if 0 < tokens <= used:
        return f"{used:,} of {tokens:,} tokens"
    if 0 < micro_usd <= spent.cost_micro_usd:
        return f"${spent.cost_micro_usd / 1e6:,.2f} of ${micro_usd / 1e6:,.2f}"
    return ""
