from datetime import UTC, datetime, timedelta

from shared.domain.open_question import OpenQuestion

START = datetime(2026, 1, 1, tzinfo=UTC)


def listen(question: OpenQuestion, job_id: str, event: str = "e", *, at_s: float = 0) -> bool:
    return question.listen(job_id, event, lease_s=60, now=START + timedelta(seconds=at_s))


def test_one_job_at_a_time_waits_in_a_thread() -> None:
    question = OpenQuestion()
    assert listen(question, "a")
    assert not listen(question, "b")
    assert question.job_id == "a"
    question.leave("a")
    assert listen(question, "b")


def test_a_job_may_change_the_event_that_it_listens_to() -> None:
    question = OpenQuestion()
    assert listen(question, "a", "one")
    assert listen(question, "a", "two", at_s=59)
    assert question.event == "two"
    assert not listen(question, "b", at_s=61)  # the lease began anew


def test_a_lost_job_leaves_the_thread_when_its_lease_ends() -> None:
    question = OpenQuestion()
    assert listen(question, "a")
    assert listen(question, "b", at_s=61)
    question.leave("a")
    assert question.job_id == "b"


def test_plain_json_and_back() -> None:
    question = OpenQuestion()
    listen(question, "a")
    assert OpenQuestion.from_plain(question.to_plain()) == question
    assert OpenQuestion.from_plain(None) == OpenQuestion()
