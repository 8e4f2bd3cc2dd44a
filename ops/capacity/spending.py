"""What models take of the operators' budgets, decided by the app's own rule."""

from dataclasses import dataclass, field, replace
from typing import Final

from ops.capacity.scenario import BUSY_HOUR, Load
from shared.llm.prices import price
from shared.llm.provider import Usage
from shared.policy.budgets import BudgetLimits, check_budgets

HOUR_S: Final = 3600
MORNING: Final = (1 - BUSY_HOUR) / 2
"""Part of a day's jobs that came before its busiest hour: an assumption."""
JOB: Final = "job's budget"
PERSON: Final = "person's day budget"
ORGANISATION: Final = "organisation's day budget"
BUDGETS: Final = {
    "budget.job_exhausted": JOB,
    "budget.user_day_exhausted": PERSON,
    "budget.organisation_day_exhausted": ORGANISATION,
}
"""Code of the app's refusal to the budget that it names."""


@dataclass(slots=True)
class Spent:
    """Tokens, and millionths of a US dollar."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_micro_usd: int = 0

    def add(self, other: "Spent") -> None:
        """Spend so much more."""
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.cost_micro_usd += other.cost_micro_usd

    def find_share(self, tokens: int, micro_usd: int) -> float:
        """Answer the part of a limit that this is; 0 is no limit, and no part of it."""
        of_tokens = (self.tokens_in + self.tokens_out) / tokens if tokens else 0.0
        return max(of_tokens, self.cost_micro_usd / micro_usd if micro_usd else 0.0)


def build_usage(load: Load) -> Usage:
    """Build what one call to the model takes; Anthropic bills what it writes to its cache."""
    cached = round(load.prompt_tokens * load.cached_share)
    writes = load.model.startswith("anthropic/")
    return Usage(
        tokens_in=load.prompt_tokens,
        tokens_out=load.answer_tokens,
        tokens_cached=cached,
        tokens_cache_written=load.prompt_tokens - cached if writes else 0,
    )


def price_call(load: Load) -> int | None:
    """Answer millionths of a US dollar for one call; None where the price is not known."""
    provider, _, name = load.model.partition("/")
    return price(provider, name, build_usage(load), {})


def build_spent(load: Load, calls: int) -> Spent:
    """Build what so many calls spend; what has no known price counts in tokens only, as in jobs."""
    usage, micro_usd = build_usage(load), price_call(load) or 0
    return Spent(usage.tokens_in * calls, usage.tokens_out * calls, micro_usd * calls)


def measure_budgets(load: Load, limits: BudgetLimits) -> dict[str, float]:
    """Answer the part of each budget that a job, and a whole day of this load, take."""
    day = round(load.jobs_a_day * load.turns)
    shares = {
        JOB: build_spent(load, load.turns).find_share(limits.job_tokens, limits.job_micro_usd),
        PERSON: build_spent(load, day // load.people).find_share(
            limits.user_day_tokens, limits.user_day_micro_usd
        ),
        ORGANISATION: build_spent(load, day).find_share(
            limits.organisation_day_tokens, limits.organisation_day_micro_usd
        ),
    }
    return {name: share for name, share in shares.items() if share}


class Accounts:
    """What was spent in the days of a run: each of its hours is the busiest one of another day."""

    def __init__(self, load: Load, limits: BudgetLimits) -> None:
        self.limits = limits
        self.call = build_spent(load, 1)
        morning = round(load.jobs_a_day * MORNING * load.turns)
        self._organisation_before = build_spent(load, morning)
        self._person_before = build_spent(load, morning // load.people)
        self._people: dict[tuple[int, int], Spent] = {}
        self._organisation: dict[int, Spent] = {}

    def find_person(self, person: int, now: float) -> Spent:
        """Answer what a person has spent today, so far."""
        key = int(now // HOUR_S), person
        return self._people.setdefault(key, replace(self._person_before))

    def find_organisation(self, now: float) -> Spent:
        """Answer what all have spent today, so far."""
        return self._organisation.setdefault(int(now // HOUR_S), replace(self._organisation_before))


@dataclass(slots=True)
class Account:
    """What one job may spend, and has spent."""

    accounts: Accounts
    person: int
    """Who wrote the command."""
    spent: Spent = field(default_factory=Spent)

    def check(self, now: float) -> None:
        """Return when a call may be made.

        Raises:
            PolicyError: one of `BUDGETS` is used up.
        """
        if self.accounts.limits != BudgetLimits():
            check_budgets(
                self.accounts.limits,
                job=self.spent,
                actor=self.accounts.find_person(self.person, now),
                organisation=self.accounts.find_organisation(now),
            )

    def charge(self, now: float) -> None:
        """Write down a call that was made."""
        for spent in (
            self.spent,
            self.accounts.find_person(self.person, now),
            self.accounts.find_organisation(now),
        ):
            spent.add(self.accounts.call)
