import io
import logging
import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.emit import emit
from shared.telemetry.events import AdoRateLimited
from shared.telemetry.redact import clean_all_logs, hash_person, redact

NAMES = st.text(string.ascii_letters + string.digits + "._%+-", min_size=1, max_size=64)
LABELS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
ADDRESSES = st.builds(
    lambda name, labels, top: f"{name}@{'.'.join(labels)}.{top}",
    NAMES,
    st.lists(LABELS, min_size=1, max_size=3),
    st.text(string.ascii_letters, min_size=2, max_size=10),
)
TOKENS = st.text(string.ascii_letters + string.digits + "+/", min_size=20, max_size=80)
AROUND = st.text(" \n\t,;<>()[]'\"é→", max_size=10)
CREDENTIALS = st.one_of(
    st.builds("sk-ant-{}".format, st.text(string.ascii_letters, min_size=32, max_size=60)),
    st.builds("ghp_{}".format, st.text(string.ascii_letters, min_size=36, max_size=40)),
    st.builds("AKIA{}".format, st.text(string.ascii_uppercase, min_size=16, max_size=16)),
)


@given(AROUND, ADDRESSES, AROUND)
def test_no_address_survives(before: str, address: str, after: str) -> None:
    assert address not in redact(f"{before}{address}{after}")


@given(AROUND, CREDENTIALS, AROUND)
def test_no_credential_survives(before: str, credential: str, after: str) -> None:
    assert credential not in redact(f"{before} {credential} {after}")


@given(
    TOKENS,
    st.sampled_from(
        [
            "Authorization: Basic {}",
            "authorization: {}",
            "{{'Authorization': 'Bearer {}'}}",
            '{{"authorization": "Basic {}", "x": 1}}',
            "Authorization=Bearer {}",
            "sent Bearer {} to the service",
            "X-Code-Agent-Secret: {}",
            "{{'x-api-key': '{}'}}",
            "x-functions-key={}",
            "https://user:{}@dev.azure.com/contoso",
            "postgresql+psycopg://app:{}@db.example/postgres",
            "GET /gateway/jobs?limit=1&code={} 200",
            "https://x.blob.core.windows.net/c?sig={}",
        ],
    ),
)
def test_no_header_or_address_carries_a_secret(token: str, form: str) -> None:
    secret = token.replace("/", "a")  # a slash ends the user part of an address
    assert secret not in redact(form.format(secret))


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "job edit-0123456789abcdef0123456789abcdef started",
        "the service answered 503; basic checks passed",
        "https://dev.azure.com/contoso/_git/shop",
        "refs/heads/feature/x@{1}",
        "tokens_in=1000 tokens_out=20",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_a_person_is_told_by_a_keyed_hash() -> None:
    one = hash_person("Jamal@Contoso.example", b"k" * 32)
    assert one == hash_person("jamal@contoso.example ", b"k" * 32)
    assert one != hash_person("jamal@contoso.example", b"x" * 32)
    assert "jamal" not in one


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What a handler writes that knows nothing of us, as the function host's does not."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    make = logging.getLogRecordFactory()
    clean_all_logs()
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)
    logging.setLogRecordFactory(make)


def test_every_handler_of_the_process_gets_clean_records(lines: io.StringIO) -> None:
    somebody = logging.getLogger("some.library")
    somebody.warning("calling %s with %s", "jamal@contoso.example", {"Authorization": "Basic abc"})
    somebody.warning("%d files of %s", "many", "jamal@contoso.example")
    try:
        try:
            int("sk-ant-" + "a" * 40)
        except ValueError as inner:
            raise ValueError("no access for jamal@contoso.example") from inner
    except ValueError:
        somebody.exception("it failed")
    told = lines.getvalue()
    assert "jamal" not in told
    assert "Basic abc" not in told
    assert "sk-ant-a" not in told
    assert "ValueError: no access for [e-mail removed]" in told


def test_a_clean_record_stays_as_it_was(
    lines: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("some.library").warning("%s of %d", "one", 2)
    assert caplog.records[-1].args == ("one", 2)
    assert lines.getvalue() == "WARNING one of 2\n"


def test_an_exception_object_is_clean_for_whoever_reads_it(
    lines: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        int("Authorization: Bearer abcdefghijklmnop")
    except ValueError:
        logging.getLogger("some.library").exception("it failed")
    kept = caplog.records[-1].exc_info
    assert kept is not None
    assert type(kept[1]).__name__ == "ValueError"
    assert str(kept[1]).endswith("'Authorization: [removed]'")
    assert "abcdefghijklmnop" not in lines.getvalue()


def test_the_dimensions_of_events_are_clean_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="code_agent")
    emit(AdoRateLimited(operation="GET jamal@contoso.example", status_code=429, retry_after_s=1))
    assert vars(caplog.records[0])["operation"] == "GET [e-mail removed]"
