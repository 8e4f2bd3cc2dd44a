import itertools

import pytest

from shared.domain.states import (
    JOB_TRANSITIONS,
    VARIANT_TRANSITIONS,
    JobStatus,
    VariantStatus,
    conclude,
    may_follow,
)


def test_every_state_has_a_row() -> None:
    assert set(JOB_TRANSITIONS) == set(JobStatus)
    assert set(VARIANT_TRANSITIONS) == set(VariantStatus)


@pytest.mark.parametrize("status", [*JobStatus, *VariantStatus])
def test_a_final_state_leads_nowhere_but_a_rejected_job_may_be_asked_again(
    status: JobStatus | VariantStatus,
) -> None:
    followers = {
        after
        for after in (*JobStatus, *VariantStatus)
        if after is not status and may_follow(status, after)
    }
    if status is JobStatus.REJECTED:
        assert followers == {JobStatus.QUEUED}
    else:
        assert bool(followers) is not status.is_final


def test_staying_is_allowed_and_kinds_do_not_mix() -> None:
    assert all(may_follow(status, status) for status in (*JobStatus, *VariantStatus))
    for job, variant in itertools.product(JobStatus, VariantStatus):
        assert not may_follow(job, variant)
        assert not may_follow(variant, job)


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        pytest.param("success success", JobStatus.SUCCESS, id="all"),
        pytest.param("success duplicate", JobStatus.SUCCESS, id="folded"),
        pytest.param("success failed", JobStatus.PARTIAL_SUCCESS, id="some"),
        pytest.param("success timeout cancelled", JobStatus.PARTIAL_SUCCESS, id="one"),
        pytest.param("cancelled cancelled", JobStatus.CANCELLED, id="cancelled"),
        pytest.param("failed cancelled", JobStatus.FAILED, id="failed-and-cancelled"),
        pytest.param("timeout", JobStatus.FAILED, id="timeout"),
        pytest.param("", JobStatus.FAILED, id="nothing"),
    ],
)
def test_how_a_job_ended_follows_from_its_variants(ends: str, status: JobStatus) -> None:
    variants = {k: VariantStatus(end) for k, end in enumerate(ends.split(), 1)}
    assert conclude(variants) is status
