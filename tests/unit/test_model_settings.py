"""Settings about models: defaults, every wrong one named, nothing guessed."""

from typing import Any

import pytest

from shared.jobs.models import read_terms
from shared.llm.chat.spec import ChatProvider
from shared.llm.terms import DraftingTerms
from shared.settings import ModelSettings, SettingsError, read_settings
from shared.settings.models import EDIT_FORMATS, PROVIDERS

ORGANISATION = {"AZURE_DEVOPS_ORGANISATION_URL": "https://dev.azure.com/contoso"}


def read(**settings: str) -> ModelSettings:
    named = {f"CODE_AGENT_{name}": value for name, value in settings.items()}
    return read_settings(ORGANISATION | named).models


def name_faults(**settings: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**settings)
    return str(caught.value)


def test_without_a_word_the_stub_drafts() -> None:
    models = read()
    assert (models.sources, models.names) == ((), ("stub",))
    assert read(PROVIDER="stub").names == ("stub",)


def test_drafts_are_made_as_the_drafter_would_by_itself() -> None:
    assert read_terms(read()) == DraftingTerms()


def test_nothing_is_limited_by_default() -> None:
    models = read()
    assert models.asks_model_for_clarity
    assert (models.circuit_failures, models.circuit_cooldown_s) == (5, 30)
    limits = (models.job_tokens, models.user_day_tokens, models.organisation_day_tokens)
    assert limits == (0, 0, 0)
    assert (models.job_usd, models.user_day_usd, models.organisation_day_usd) == (0, 0, 0)
    assert models.prices == {}


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [("", 300), ("local", 300), ("dev", 300), ("development", 300), ("production", 3600)],
)
def test_results_are_kept_longer_in_production(environment: str, seconds: int) -> None:
    assert read(ENVIRONMENT=environment).result_cache_s == seconds
    assert read(ENVIRONMENT=environment, RESULT_CACHE_S="0").result_cache_s == 0


def test_providers_are_asked_in_their_order() -> None:
    models = read(PROVIDER="openai, anthropic")
    assert models.names == ("openai", "anthropic")
    assert [source.secret for source in models.sources] == ["openai-api-key", "anthropic-api-key"]
    assert all(source.model and not source.uses_identity for source in models.sources)


def test_the_settings_know_the_providers_of_the_adapters() -> None:
    assert set(PROVIDERS) == {str(provider) for provider in ChatProvider}


@pytest.mark.parametrize("value", ["claude", "anthropic,anthropic", "anthropic,gpt", "Anthropic"])
def test_a_provider_is_one_that_is_known_and_named_once(value: str) -> None:
    assert "CODE_AGENT_PROVIDER: each once" in name_faults(PROVIDER=value)


@pytest.mark.parametrize("value", ["anthropic,stub", "stub,anthropic"])
def test_the_stub_stands_alone(value: str) -> None:
    assert "CODE_AGENT_PROVIDER: stub stands alone" in name_faults(PROVIDER=value)


@pytest.mark.parametrize(
    ("provider", "prefix", "needed"),
    [
        ("azure-openai", "AZURE_OPENAI", {"MODEL", "URL"}),
        ("openai-compatible", "COMPATIBLE", {"MODEL", "URL"}),
        ("ollama", "OLLAMA", {"MODEL"}),
    ],
)
def test_what_has_no_default_has_to_be_said(provider: str, prefix: str, needed: set[str]) -> None:
    faults = name_faults(PROVIDER=provider)
    assert {name for name in ("MODEL", "URL") if f"CODE_AGENT_{prefix}_{name}:" in faults} == needed
    said = {f"{prefix}_MODEL": "blue", f"{prefix}_URL": "https://models.example/"}
    source = read(PROVIDER=provider, **said).sources[0]
    assert (source.model, source.base_url) == ("blue", "https://models.example")


def test_azure_takes_an_identity_unless_a_key_is_wished() -> None:
    said = {
        "PROVIDER": "azure-openai",
        "AZURE_OPENAI_MODEL": "blue",
        "AZURE_OPENAI_URL": "https://a",
    }
    assert read(**said).sources[0].uses_identity
    source = read(**said, AZURE_OPENAI_AUTHENTICATION="key").sources[0]
    assert (source.uses_identity, source.secret) == (False, "azure-openai-api-key")
    assert read(**said, AZURE_OPENAI_API_VERSION="2024-10-21").sources[0].api_version
    assert "_AUTHENTICATION:" in name_faults(**said, AZURE_OPENAI_AUTHENTICATION="password")


def test_a_temperature_is_judged_by_the_model_or_by_the_operators() -> None:
    said = {
        word: read(PROVIDER="anthropic", ANTHROPIC_TEMPERATURE=word).sources[0].temperature
        for word in ("auto", "yes", "no")
    }
    assert said == {"auto": None, "yes": True, "no": False}


def test_an_effort_is_the_providers_own_unless_it_is_set() -> None:
    models = read(PROVIDER="anthropic,openai,ollama", OLLAMA_MODEL="x", OPENAI_EFFORT="none")
    assert [source.effort for source in models.sources] == ["", "none", ""]
    assert read(PROVIDER="anthropic", ANTHROPIC_EFFORT="max").sources[0].effort == "max"


def test_a_proxy_serves_every_provider() -> None:
    models = read(PROVIDER="anthropic,openai", MODEL_PROXY_URL="http://proxy:8080")
    assert [source.proxy_url for source in models.sources] == ["http://proxy:8080"] * 2


@pytest.mark.parametrize("edit_format", EDIT_FORMATS)
def test_every_form_of_edits_can_be_set(edit_format: str) -> None:
    assert read(EDIT_FORMAT=edit_format).edit_format == edit_format


WRONG = [
    ("EDIT_FORMAT", "patch"),
    ("CLARIFY_BY_MODEL", "maybe"),
    ("ANTHROPIC_TEMPERATURE", "hot"),
    ("ANTHROPIC_EFFORT", "none"),
    ("ANTHROPIC_EFFORT", "hard"),
    *(
        (name, value)
        for name in (
            *("MAX_OUTPUT_TOKENS", "REPAIR_ROUNDS", "TOOL_ROUNDS", "TOOL_TOKENS"),
            *("RESULT_CACHE_S", "CIRCUIT_FAILURES", "CIRCUIT_COOLDOWN_S"),
            *("JOB_TOKENS", "USER_DAY_TOKENS", "ORGANISATION_DAY_TOKENS"),
            *("JOB_USD", "USER_DAY_USD", "ORGANISATION_DAY_USD"),
        )
        for value in ("-1", "many", "nan", "inf")
    ),
    ("REPAIR_ROUNDS", "4"),
    ("TOOL_ROUNDS", "2.5"),
    ("MAX_OUTPUT_TOKENS", "499"),
    ("CIRCUIT_FAILURES", "0"),
    *(("PRICES", value) for value in ("{", "[]", "3", '{"m": 3}', '{"m": {"input": "dear"}}')),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    faults = name_faults(PROVIDER="anthropic", **{name: value})
    assert faults.startswith(f"CODE_AGENT_{name}: ")
    assert ";" not in faults


def test_all_wrong_ones_are_named_at_once() -> None:
    wrong: dict[str, Any] = {"EDIT_FORMAT": "patch", "JOB_USD": "-1", "PRICES": "["}
    faults = name_faults(PROVIDER="azure-openai", **wrong)
    for name in (*wrong, "AZURE_OPENAI_URL", "AZURE_OPENAI_MODEL"):
        assert f"CODE_AGENT_{name}:" in faults


def test_prices_are_read() -> None:
    assert read(PRICES='{"gpt-6-sol": {"input": 2, "output": 10}}').prices == {
        "gpt-6-sol": {"input": 2.0, "output": 10.0}
    }
