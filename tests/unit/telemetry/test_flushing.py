import threading

from shared.telemetry.flushing import Flusher


def test_what_waits_is_sent_before_the_step_ends() -> None:
    sent: list[str] = []
    assert Flusher(lambda: sent.append("all"), limit_s=60).flush()
    assert sent == ["all"]


def test_nobody_waits_for_a_service_that_is_away_and_then_nobody_asks() -> None:
    answers = threading.Event()
    tried = []

    def send() -> None:
        tried.append(1)
        answers.wait(60)

    flusher = Flusher(send, limit_s=0.01, rest_s=60)
    assert [flusher.flush() for _ in range(5)] == [False] * 5
    answers.set()
    assert len(tried) == 1


def test_a_failure_to_send_is_nobodys_failure() -> None:
    flusher = Flusher(lambda: 1 / 0, limit_s=60)
    assert flusher.flush()
    assert flusher.flush()
