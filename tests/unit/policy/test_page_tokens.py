from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.keys import derive_key, derive_keys
from shared.policy.page_tokens import is_page_token_good, write_page_token

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = "edit-" + "0" * 32
KEYS = derive_keys(["secret"]).links
TOKEN = write_page_token(JOB, key=KEYS[0], expires_at=NOW + timedelta(days=30))


def test_a_token_opens_its_own_job_until_its_day() -> None:
    assert is_page_token_good(TOKEN, JOB, keys=KEYS, now=NOW)
    assert is_page_token_good(TOKEN, JOB, keys=KEYS, now=NOW + timedelta(days=29.9))
    assert not is_page_token_good(TOKEN, JOB, keys=KEYS, now=NOW + timedelta(days=30))
    assert not is_page_token_good(TOKEN, "edit-" + "1" * 32, keys=KEYS, now=NOW)


def test_a_later_day_needs_another_signature() -> None:
    expiry, _, signature = TOKEN.partition(".")
    assert not is_page_token_good(f"{int(expiry) + 1}.{signature}", JOB, keys=KEYS, now=NOW)


def test_links_stay_good_while_the_secret_is_rotated() -> None:
    both = derive_keys(["new", "secret"]).links
    assert is_page_token_good(TOKEN, JOB, keys=both, now=NOW)
    assert not is_page_token_good(TOKEN, JOB, keys=derive_keys(["new"]).links, now=NOW)
    assert not is_page_token_good(TOKEN, JOB, keys=(), now=NOW)


@pytest.mark.parametrize("position", range(len(TOKEN)))
def test_a_token_with_any_character_changed_is_no_token(position: int) -> None:
    for other in "A9_":
        if other != TOKEN[position]:
            forged = TOKEN[:position] + other + TOKEN[position + 1 :]
            assert not is_page_token_good(forged, JOB, keys=KEYS, now=NOW)


@given(st.text())
def test_nothing_else_is_a_token(token: str) -> None:
    assert not is_page_token_good(token, JOB, keys=KEYS, now=NOW)


def test_keys_are_for_one_purpose_and_show_nothing() -> None:
    keys = derive_keys(["secret"])
    assert len({keys.people, *keys.links, b"secret"}) == 3
    assert "secret" not in repr(keys)
    assert keys.people.hex() not in repr(keys)


def test_keys_are_derived_as_the_standard_says() -> None:
    # the expected value was computed with the HKDF of the package `cryptography`
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    expected = HKDF(SHA256(), 32, b"code-agent", b"purpose").derive(b"secret")
    assert derive_key(b"secret", b"purpose") == expected
