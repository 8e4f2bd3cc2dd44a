import pytest

from shared.settings import SettingsError, read_settings

URL = "AZURE_DEVOPS_ORGANISATION_URL"


@pytest.mark.parametrize(
    ("url", "organisation"),
    [
        ("https://dev.azure.com/contoso", "contoso"),
        ("https://dev.azure.com/contoso/", "contoso"),
        ("https://contoso.visualstudio.com", "contoso"),
        ("http://127.0.0.1:8081/contoso", "contoso"),
    ],
)
def test_the_organisation_is_named_by_its_url(url: str, organisation: str) -> None:
    assert read_settings({URL: url}).organisation == organisation


@pytest.mark.parametrize(
    "url",
    ["", "contoso", "http://dev.azure.com/contoso", "https://dev.azure.com", "https://a@b.c/d"],
)
def test_an_address_that_could_leak_the_credential_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=URL):
        read_settings({URL: url})


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"CODE_AGENT_MAX_VARIANTS": "11", "CODE_AGENT_LANGUAGE": "fr"})
    for name in (URL, "CODE_AGENT_MAX_VARIANTS", "CODE_AGENT_LANGUAGE"):
        assert name in str(caught.value)


def test_the_operating_cap_bounds_the_default() -> None:
    settings = read_settings({URL: "https://dev.azure.com/c", "CODE_AGENT_MAX_VARIANTS": "2"})
    assert (settings.default_variants, settings.max_variants) == (2, 2)


def test_lists_are_split_and_trimmed() -> None:
    settings = read_settings(
        {URL: "https://dev.azure.com/c", "CODE_AGENT_ALLOWED_USERS": " a@b.c ; d,\n e "}
    )
    assert settings.allowed_users == {"a@b.c", "d", "e"}


def test_questions_can_be_turned_off_but_not_multiplied() -> None:
    settings = read_settings({URL: "https://dev.azure.com/c", "CODE_AGENT_CLARIFY_WAIT_S": "0"})
    assert (settings.clarify_wait_s, settings.clarify_rounds) == (0, 3)
    with pytest.raises(SettingsError, match="CODE_AGENT_CLARIFY_ROUNDS"):
        read_settings({URL: "https://dev.azure.com/c", "CODE_AGENT_CLARIFY_ROUNDS": "4"})
