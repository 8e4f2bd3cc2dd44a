import pytest

from shared.policy.secret_scan import find_secrets


@pytest.mark.parametrize(
    "line",
    [
        "token = 'ghp_" + "a1B2" * 9 + "'",
        "-----BEGIN RSA PRIVATE KEY-----",
        "aws_access_key_id = AKIA" + "ABCDEFGHIJKLMNOP",
        'key = "sk_live_' + "a1B2c3" * 4 + '"',
        "glpat-" + "abcdefghij0123456789",
        "//registry.npmjs.org/:_authToken=npm_" + "a1B2" * 9,
        "AccountKey=" + "a" * 86 + "==",
    ],
)
def test_a_token_with_a_form_of_its_own_is_found(line: str) -> None:
    assert find_secrets(line)
    assert find_secrets(f"    const x = 1; // {line}")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "password = 'hunter2'  # a guess by the word alone would refuse honest tests",
        "integrity sha512-" + "a1B2c3" * 14,
        '"commit": "0123456789abcdef0123456789abcdef01234567"',
        "color: #ff0000;",
        "api_key = os.environ['API_KEY']",
        "a" * 1_000_000,
    ],
)
def test_what_only_looks_random_is_left_alone(line: str) -> None:
    assert not find_secrets(line)
