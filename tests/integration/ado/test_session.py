"""What the session makes of answers that are none: every refusal and outage has its name."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from local.azure_devops import seed
from local.azure_devops.faults import FaultKind, Faults
from local.azure_devops.running import RunningAzureDevOps
from shared.ado.credentials import PatCredential
from shared.ado.errors import AdoError
from shared.ado.identities import check_connection
from shared.ado.session import AdoSession, build_path, read_retry_after
from shared.domain.errors import JobError, Verdict
from tests.integration.ado.conftest import OpenSession


@pytest.mark.parametrize(
    ("kind", "code", "verdict", "wait_s", "had_no_effect"),
    [
        (FaultKind.THROTTLE_429, "ado.rate_limited", Verdict.RETRY, 30, True),
        (FaultKind.UNAVAILABLE_503, "ado.unavailable", Verdict.RETRY, 30, False),
        (FaultKind.HTML_OUTAGE, "ado.outage", Verdict.RETRY, None, False),
        (FaultKind.SIGN_IN_203, "ado.unauthenticated", Verdict.BUG, None, True),
        (FaultKind.RESET_BEFORE, "ado.unavailable", Verdict.RETRY, None, False),
        (FaultKind.RESET_AFTER, "ado.unavailable", Verdict.RETRY, None, False),
    ],
)
def test_a_fault_has_a_code_a_verdict_and_the_servers_wish(
    azure_devops: RunningAzureDevOps,
    session: AdoSession,
    kind: FaultKind,
    code: str,
    verdict: Verdict,
    wait_s: float | None,
    *,
    had_no_effect: bool,
) -> None:
    azure_devops.organisation.faults = Faults(rate=1.0, kinds=[kind], retry_after_s=30)
    with pytest.raises(AdoError) as failed:
        check_connection(session)
    error = failed.value
    assert (error.code, error.verdict, error.retry_after_s) == (code, verdict, wait_s)
    assert error.had_no_effect is had_no_effect


def test_a_delayed_answer_makes_the_next_call_wait(
    azure_devops: RunningAzureDevOps, open_session: OpenSession
) -> None:
    heard: list[tuple[str, int, float]] = []
    listening = open_session(
        lambda: seed.CODE_AGENT.pat, on_throttled=lambda *what: heard.append(what)
    )
    azure_devops.organisation.faults = Faults(
        rate=1.0, kinds=[FaultKind.DELAYED_200], retry_after_s=0.3
    )
    assert check_connection(listening).id == seed.CODE_AGENT.id
    assert heard == [("get connection data", 200, 0.3)]
    azure_devops.organisation.faults = Faults()
    with pytest.raises(AdoError) as asked:
        check_connection(listening)
    assert asked.value.code == "ado.rate_limited"
    assert asked.value.retry_after_s == pytest.approx(0.3, abs=0.1)
    time.sleep(0.3)
    assert check_connection(listening).id == seed.CODE_AGENT.id


def test_a_rotated_token_is_read_again_once(open_session: OpenSession) -> None:
    pats = ["expired", seed.CODE_AGENT.pat]
    rotated = open_session(lambda: pats.pop(0) if len(pats) > 1 else pats[0])
    assert check_connection(rotated).id == seed.CODE_AGENT.id
    reads: list[str] = []

    def read_expired() -> str:
        reads.append("expired")
        return reads[-1]

    expired = open_session(read_expired)
    with pytest.raises(AdoError, match=r"ado\.unauthenticated"):
        check_connection(expired)
    assert len(reads) == 2


def test_nobody_at_the_other_end_is_an_outage(open_session: OpenSession) -> None:
    nobody = open_session(lambda: "x", "http://127.0.0.1:9/contoso")
    with pytest.raises(AdoError, match=r"ado\.unavailable"):
        check_connection(nobody)


def test_no_call_outlives_the_deadline(
    azure_devops: RunningAzureDevOps, session: AdoSession
) -> None:
    now = datetime.now(UTC)
    with session.until(now - timedelta(seconds=1)), pytest.raises(JobError, match="out_of_time"):
        check_connection(session)
    assert azure_devops.organisation.calls.operations == []
    azure_devops.organisation.faults = Faults(rate=1.0, kinds=[FaultKind.DELAY], delay_s=5)
    began = time.monotonic()
    with (
        session.until(datetime.now(UTC) + timedelta(seconds=0.3)),
        pytest.raises(AdoError, match=r"ado\.unavailable"),
    ):
        check_connection(session)
    assert time.monotonic() - began < 2


def test_errors_tell_neither_token_nor_address(open_session: OpenSession) -> None:
    secret = open_session(lambda: "pat-very-secret")
    with pytest.raises(AdoError) as failed:
        check_connection(secret)
    told = f"{failed.value} {failed.value.facts}"
    assert "secret" not in told
    assert "127.0.0.1" not in told


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("nan", None),
        ("5", 5.0),
        ("-5", 0.0),
        ("1e9", 900.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert read_retry_after({"Retry-After": text}) == seconds


def test_paths_are_quoted_segment_by_segment() -> None:
    assert build_path("B\u00fcro #1 100%", "a/b", 3) == "B%C3%BCro%20%231%20100%25/a%2Fb/3"


@pytest.mark.parametrize(
    ("url", "graph"),
    [
        ("https://dev.azure.com/contoso", "https://vssps.dev.azure.com/contoso"),
        ("https://contoso.visualstudio.com", "https://vssps.dev.azure.com/contoso"),
        ("http://127.0.0.1:8081/contoso", "http://127.0.0.1:8081/contoso"),
    ],
)
def test_the_graph_is_where_the_organisation_has_it(url: str, graph: str) -> None:
    assert AdoSession(url, PatCredential(lambda: "x")).graph_url == graph
