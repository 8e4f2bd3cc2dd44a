import pytest

from local.demo.providers import PROVIDERS, ChoiceError, choose

KEYS = {
    "ANTHROPIC_API_KEY": "real-1",
    "OPENAI_API_KEY": "real-2",
    "AZURE_OPENAI_API_KEY": "real-3",
    "COMPATIBLE_API_KEY": "real-4",
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_of_the_environment_is_never_used_unasked(provider: str) -> None:
    choice = choose(provider, live=False, environment=KEYS)
    settings = choice.build_settings()
    if choice.is_scripted:
        settings |= choice.play_model("http://127.0.0.1:1")
    assert KEYS.keys() <= settings.keys()  # each is set anew
    assert not set(KEYS.values()) & set(settings.values())


def test_the_real_service_gets_its_own_key_only() -> None:
    settings = choose("anthropic", live=True, environment=KEYS).build_settings()
    assert "ANTHROPIC_API_KEY" not in settings  # so that the environment's counts
    assert settings["OPENAI_API_KEY"] == ""
    assert "CODE_AGENT_ANTHROPIC_URL" not in settings


def test_everything_that_is_missing_is_named() -> None:
    with pytest.raises(ChoiceError) as caught:
        choose("azure-openai", live=True, environment={})
    for name in ("API_KEY", "MODEL", "URL"):
        assert f"AZURE_OPENAI_{name}" in str(caught.value)
