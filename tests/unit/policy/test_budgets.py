from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import PolicyError
from shared.policy.budgets import BudgetLimits, check_budgets


@dataclass(frozen=True)
class Spent:
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micro_usd: int = 0


NOTHING = Spent()
LIMITS = BudgetLimits(
    job_tokens=1000,
    job_micro_usd=50_000,
    user_day_tokens=10_000,
    user_day_micro_usd=500_000,
    organisation_day_tokens=1_000_000,
    organisation_day_micro_usd=50_000_000,
)


@pytest.mark.parametrize(
    ("spent", "code", "message"),
    [
        pytest.param(
            {"job": Spent(900, 100)},
            "budget.job_exhausted",
            "The budget of this job is used up: 1,000 of 1,000 tokens."
            " A new job has a budget of its own.",
            id="job-tokens",
        ),
        pytest.param(
            {"job": Spent(cost_micro_usd=54_321)},
            "budget.job_exhausted",
            "The budget of this job is used up: $0.05 of $0.05. A new job has a budget of its own.",
            id="job-money",
        ),
        pytest.param(
            {"actor": Spent(12_000)},
            "budget.user_day_exhausted",
            "Your budget for today is used up: 12,000 of 10,000 tokens."
            " It is free again at midnight UTC.",
            id="user-tokens",
        ),
        pytest.param(
            {"actor": Spent(cost_micro_usd=500_000)},
            "budget.user_day_exhausted",
            "Your budget for today is used up: $0.50 of $0.50. It is free again at midnight UTC.",
            id="user-money",
        ),
        pytest.param(
            {"organisation": Spent(1, 999_999)},
            "budget.organisation_day_exhausted",
            "The organisation's budget for today is used up: 1,000,000 of 1,000,000 tokens."
            " It is free again at midnight UTC.",
            id="organisation-tokens",
        ),
        pytest.param(
            {"organisation": Spent(cost_micro_usd=1_234_567_890)},
            "budget.organisation_day_exhausted",
            "The organisation's budget for today is used up: $1,234.57 of $50.00."
            " It is free again at midnight UTC.",
            id="organisation-money",
        ),
    ],
)
def test_a_budget_that_is_used_up_refuses(spent: dict[str, Spent], code: str, message: str) -> None:
    given_up = {"job": NOTHING, "actor": NOTHING, "organisation": NOTHING} | spent
    with pytest.raises(PolicyError) as refused:
        check_budgets(LIMITS, **given_up)
    assert (refused.value.code, refused.value.message) == (code, message)


def test_what_is_left_may_be_spent() -> None:
    almost = Spent(999, 0, 49_999)
    check_budgets(LIMITS, job=almost, actor=almost, organisation=almost)


@given(st.builds(Spent, *[st.integers(0, 10**12)] * 3))
def test_without_limits_everything_may_be_spent(spent: Spent) -> None:
    check_budgets(BudgetLimits(), job=spent, actor=spent, organisation=spent)


def test_one_limit_leaves_the_others_unlimited() -> None:
    rich = Spent(10**9, 10**9, 10**9)
    only_job = BudgetLimits(job_micro_usd=5)
    check_budgets(only_job, job=NOTHING, actor=rich, organisation=rich)
    with pytest.raises(PolicyError, match=r"budget\.job_exhausted"):
        check_budgets(only_job, job=rich, actor=NOTHING, organisation=NOTHING)
