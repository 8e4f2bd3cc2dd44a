import base64
import hashlib
import hmac

import pytest

from shared.webhook.verify import InvalidSignatureError, VerificationError, verify_request

BODY = b'{"eventType": "x"}'
SECRETS = ("current-secret", "previous-secret")


def basic(password: str, user: str = "hook") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def signature(secret: str, body: bytes = BODY) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("as_header", [False, True])
def test_current_and_previous_secret_open_the_door(secret: str, *, as_header: bool) -> None:
    headers = {"x-code-agent-SECRET": secret} if as_header else basic(secret)
    verify_request(headers, BODY, secrets=SECRETS)


@pytest.mark.parametrize("user", ["", "hook", "ü:ser"])
def test_the_user_name_does_not_matter_unless_it_holds_a_colon(user: str) -> None:
    if ":" in user:
        with pytest.raises(VerificationError):
            verify_request(basic(SECRETS[0], user), BODY, secrets=SECRETS)
    else:
        verify_request(basic(SECRETS[0], user), BODY, secrets=SECRETS)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, "webhook.credential_missing", id="nothing"),
        pytest.param({"Authorization": "Bearer x"}, "webhook.credential_missing", id="bearer"),
        pytest.param(signature(SECRETS[0]), "webhook.credential_missing", id="signature-only"),
        pytest.param(basic("wrong"), "webhook.credential_wrong", id="wrong"),
        pytest.param(basic(""), "webhook.credential_wrong", id="empty"),
        pytest.param({"Authorization": "Basic !!"}, "webhook.credential_wrong", id="no-base64"),
        pytest.param({"Authorization": "Basic"}, "webhook.credential_wrong", id="no-password"),
        pytest.param(basic("pässwörd"), "webhook.credential_wrong", id="umlauts"),
        pytest.param(
            {"X-Code-Agent-Secret": "schl\u00fcssel\udc80"}, "webhook.credential_wrong", id="bytes"
        ),
        pytest.param(
            basic(SECRETS[0]) | {"X-Code-Agent-Secret": "wrong"},
            "webhook.credential_wrong",
            id="one-right-one-wrong",
        ),
    ],
)
def test_whoever_does_not_know_the_secret_stays_outside(headers: dict[str, str], code: str) -> None:
    with pytest.raises(VerificationError) as refused:
        verify_request(headers, BODY, secrets=SECRETS)
    assert refused.value.code == code


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_configured_secret_nobody_enters(secrets: tuple[str, ...]) -> None:
    with pytest.raises(VerificationError) as refused:
        verify_request(basic(""), BODY, secrets=secrets)
    assert refused.value.code == "webhook.not_configured"


def test_a_right_signature_is_welcome() -> None:
    verify_request(basic(SECRETS[0]) | signature(SECRETS[1]), BODY, secrets=SECRETS)


@pytest.mark.parametrize(
    "offered", ["sha256=00", "", "sha1=00", signature("x")["X-Hub-Signature-256"], "ü"]
)
def test_a_signature_that_is_offered_must_be_right(offered: str) -> None:
    headers = basic(SECRETS[0]) | {"X-Hub-Signature-256": offered}
    with pytest.raises(InvalidSignatureError):
        verify_request(headers, BODY, secrets=SECRETS)


def test_a_signature_is_over_the_raw_bytes() -> None:
    headers = basic(SECRETS[0]) | signature(SECRETS[0])
    with pytest.raises(InvalidSignatureError):
        verify_request(headers, BODY + b" ", secrets=SECRETS)
