"""Whole simulated runs: what comes in, goes out; what is small, is named."""

from dataclasses import replace
from typing import Any

import pytest

from ops.capacity.bottleneck import LEVERS, NOTHING, find_bottleneck, grow
from ops.capacity.cost import estimate_cost, read_prices
from ops.capacity.outcome import find_percentiles
from ops.capacity.scenario import Load, build_resources
from ops.capacity.simulation import simulate
from ops.capacity.spending import JOB, MORNING, ORGANISATION, PERSON, price_call
from shared.policy.budgets import BudgetLimits
from tests.unit.capacity.worlds import CALIBRATION, LOAD, build_plenty


@pytest.mark.parametrize(
    "changes",
    [{}, {"threads": 1, "instances": 1, "max_instances": 1}, {"ado_tstu": 2.0}],
    ids=["plenty", "overloaded", "refused"],
)
def test_jobs_that_came_have_ended_or_are_in_flight(changes: dict[str, Any]) -> None:
    outcome = simulate(LOAD, build_plenty(**changes), CALIBRATION)
    assert outcome.arrived == outcome.done + outcome.failed + outcome.in_flight
    assert outcome.arrived > 100


@pytest.mark.parametrize("job_slots", [1000, 4])
def test_jobs_in_flight_are_rate_times_time(job_slots: int) -> None:
    outcome = simulate(LOAD, build_plenty(job_slots=job_slots), CALIBRATION)
    rate = outcome.arrived / (LOAD.hours * 3600)
    assert outcome.mean_jobs == pytest.approx(rate * outcome.mean_time_s)
    # and so are the moments that were looked at
    seen = sum(one.jobs for one in outcome.moments) / len(outcome.moments)
    assert seen == pytest.approx(outcome.mean_jobs, rel=0.15)


def test_same_seed_gives_the_same_run_and_another_one_does_not() -> None:
    first, second = (simulate(LOAD, build_plenty(), CALIBRATION) for _ in range(2))
    assert first == second
    assert simulate(replace(LOAD, seed=2), build_plenty(), CALIBRATION) != first


def test_unloaded_job_takes_the_sum_of_its_steps() -> None:
    load = replace(LOAD, variants=1, model_sigma=0.0, jobs_per_hour=60)
    instant = build_plenty(hop_s=0.0, ado_call_s=0.0, transaction_s=0.0)
    times = find_percentiles(simulate(load, instant, CALIBRATION).latencies)
    turns_s = (load.judge_turns + load.draft_turns) * load.model_s
    assert turns_s < times.p50 < turns_s + 0.3


@pytest.mark.parametrize(
    ("resource", "changes"),
    [
        ("job slots", {"job_slots": 3}),
        ("activity slots", {"instances": 1, "max_instances": 1, "activity_slots": 7}),
        ("worker threads", {"instances": 1, "max_instances": 1, "threads": 7}),
        ("Azure DevOps quota", {"ado_tstu": 23.0}),
        ("model quota", {"model_requests": 42.0}),
        (
            "database pool",
            {"instances": 1, "max_instances": 1, "pool_size": 1, "transaction_s": 0.3},
        ),
        ("processor", {"instances": 1, "max_instances": 1, "cores": 0.024}),
    ],
)
def test_what_is_small_is_named(resource: str, changes: dict[str, Any]) -> None:
    there = build_plenty(**changes)
    outcome = simulate(LOAD, there, CALIBRATION)
    finding = find_bottleneck(LOAD, there, CALIBRATION, outcome)
    assert finding.resource == resource
    assert finding.trials[0].setting == LEVERS[resource].setting


def test_where_nothing_is_small_it_is_the_model() -> None:
    there = build_plenty()
    outcome = simulate(LOAD, there, CALIBRATION)
    assert find_bottleneck(LOAD, there, CALIBRATION, outcome).resource == NOTHING


def test_growing_moves_what_bounds_until_the_load_is_carried() -> None:
    small = build_plenty(job_slots=2, threads=4, instances=1, max_instances=1)
    assert simulate(LOAD, small, CALIBRATION).is_overloaded
    resources, outcome, moves = grow(LOAD, small, CALIBRATION)
    assert not outcome.is_overloaded
    assert resources.job_slots > 2
    assert {"job slots", "worker threads"} <= {move.resource for move in moves}


def test_instances_are_added_while_activities_wait() -> None:
    there = build_plenty(instances=1, max_instances=9, activity_slots=4, threads=8)
    outcome = simulate(LOAD, there, CALIBRATION)
    assert 1 < outcome.peak_instances <= 9
    assert 1 < outcome.mean_instances < outcome.peak_instances


def test_settings_and_host_json_are_what_is_simulated() -> None:
    there = build_resources("flex", {"CODE_AGENT_MAX_RUNNING_JOBS": "77"})
    assert there.job_slots == 77
    assert (there.activity_slots, there.orchestrator_slots, there.partitions) == (8, 4, 4)


def test_cost_follows_jobs_and_unknown_prices_are_no_sum() -> None:
    outcome = simulate(LOAD, build_plenty(), CALIBRATION)
    costs = [
        estimate_cost(load, build_plenty(), outcome, read_prices())
        for load in (LOAD, replace(LOAD, jobs_per_hour=2 * LOAD.jobs_per_hour))
    ]
    assert costs[1].model == pytest.approx(2 * (costs[0].model or 0))
    assert costs[1].storage == pytest.approx(2 * costs[0].storage)
    unpriced = replace(LOAD, model="openai/none")
    assert estimate_cost(unpriced, build_plenty(), outcome, read_prices()).total is None


def test_jobs_come_when_it_is_known_when() -> None:
    load = Load(variants=1, arrivals=(5.0, 6.0, 900.0), hours=0.5)
    outcome = simulate(load, build_plenty(), CALIBRATION)
    assert (outcome.arrived, outcome.done) == (3, 3)
    assert min(outcome.finished_at) > 5.0


TOKENS = LOAD.prompt_tokens + LOAD.answer_tokens
DAY = round(LOAD.jobs_a_day * LOAD.turns)
"""Calls to the model in a day."""


@pytest.mark.parametrize(
    ("budget", "limits"),
    [
        (JOB, BudgetLimits(job_tokens=5 * TOKENS)),
        (JOB, BudgetLimits(job_micro_usd=5 * (price_call(LOAD) or 0))),
        (PERSON, BudgetLimits(user_day_tokens=TOKENS * DAY // LOAD.people // 2)),
        (ORGANISATION, BudgetLimits(organisation_day_tokens=round(TOKENS * DAY * 0.47))),
    ],
)
def test_what_a_budget_does_not_pay_for_is_refused_and_the_budget_named(
    budget: str, limits: BudgetLimits
) -> None:
    there = build_plenty(budgets=limits)
    outcome = simulate(LOAD, there, CALIBRATION)
    assert outcome.refusals[budget]
    assert sum(map(bool, outcome.refusals.values())) == 1
    assert outcome.utilisation[budget] > 1
    assert outcome.is_overloaded
    assert find_bottleneck(LOAD, there, CALIBRATION, outcome).resource == budget


def test_a_budget_lasts_as_far_into_the_busiest_hour_as_the_morning_has_left() -> None:
    calls = round(DAY * MORNING) + 300
    budget = BudgetLimits(organisation_day_tokens=TOKENS * calls)
    outcome = simulate(LOAD, build_plenty(budgets=budget), CALIBRATION)
    # the calls under way when it is used up are paid for, too
    assert 300 <= outcome.model_turns < 300 + 20


def test_a_budget_that_is_large_enough_changes_nothing() -> None:
    ample = BudgetLimits(organisation_day_tokens=TOKENS * DAY, user_day_micro_usd=10**12)
    outcome = simulate(LOAD, build_plenty(budgets=ample), CALIBRATION)
    assert outcome.utilisation[ORGANISATION] == pytest.approx(1.0)
    assert outcome.latencies == simulate(LOAD, build_plenty(), CALIBRATION).latencies


def test_settings_of_models_are_the_budgets_that_are_simulated() -> None:
    there = build_resources("flex", {"CODE_AGENT_ORGANISATION_DAY_USD": "200"})
    assert there.budgets == BudgetLimits(organisation_day_micro_usd=200_000_000)


def test_an_instance_that_is_never_idle_is_billed_for_the_whole_run() -> None:
    there = build_plenty(instances=1, max_instances=1, activity_slots=2, job_slots=1000)
    outcome = simulate(LOAD, there, CALIBRATION)
    first_s = LOAD.hours * 3600 - outcome.active_s
    assert 0 < first_s < 60  # until the first job comes
