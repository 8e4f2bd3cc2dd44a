import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typing_extensions import override

from shared.settings import SettingsError, read_settings
from shared.settings.models import DEFAULT_MODELS, PROVIDERS

URL = "AZURE_DEVOPS_ORGANISATION_URL"
NEEDED = {URL: "https://dev.azure.com/contoso"}


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


REPOSITORY = Path(__file__).parents[2]
EVERY_PROVIDER = {
    URL: "https://dev.azure.com/c",
    "CODE_AGENT_PROVIDER": ",".join(PROVIDERS),
    "CODE_AGENT_AZURE_OPENAI_MODEL": "deployment",
    "CODE_AGENT_AZURE_OPENAI_URL": "https://c.openai.azure.com",
    "CODE_AGENT_OLLAMA_MODEL": "model",
    "CODE_AGENT_COMPATIBLE_MODEL": "model",
    "CODE_AGENT_COMPATIBLE_URL": "https://c.example/v1",
}


class Remembering(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.asked: set[str] = set()
        self._values = values

    @override
    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @override
    def __len__(self) -> int:
        return len(self._values)


def list_names() -> set[str]:
    """List every setting and every secret of a model that the app reads."""
    environment = Remembering(EVERY_PROVIDER)
    sources = read_settings(environment).models.sources
    secrets = {source.secret.upper().replace("-", "_") for source in sources if source.secret}
    return environment.asked | secrets


def read_sample() -> dict[str, str]:
    sample = json.loads(REPOSITORY.joinpath("local.settings.sample.json").read_text("utf-8"))
    values: dict[str, str] = sample["Values"]
    return values


def test_the_sample_lists_every_setting_and_nothing_else_of_ours() -> None:
    sample = read_sample().keys()
    assert sorted(list_names() - sample) == []
    ours = {name for name in sample if name.startswith("CODE_AGENT_")}
    assert sorted(ours - list_names()) == []


def test_the_document_explains_every_setting_and_no_other_one() -> None:
    text = REPOSITORY.joinpath("docs", "settings.md").read_text("utf-8")
    explained = set(re.findall(r"`([A-Z][A-Z_]+)`", text))
    assert sorted(list_names() - explained) == []
    ours = {name for name in explained if name.startswith("CODE_AGENT_")}
    assert sorted(ours - list_names()) == []


def test_the_values_of_the_sample_can_be_used() -> None:
    settings = read_settings(read_sample())
    assert settings == read_settings(
        {
            URL: "http://127.0.0.1:8081/contoso",
            "CODE_AGENT_PUBLIC_URL": "http://127.0.0.1:7071",
            "TASKHUB_NAME": "CodeAgentLocal",
        }
    )


def test_the_document_names_the_default_models() -> None:
    text = REPOSITORY.joinpath("docs", "settings.md").read_text("utf-8")
    sample = read_sample()
    for provider in ("anthropic", "openai"):
        name = f"CODE_AGENT_{provider.upper()}_MODEL"
        assert f"| `{name}` | `{DEFAULT_MODELS[provider]}` |" in text
        assert sample[name] == DEFAULT_MODELS[provider]


@pytest.mark.parametrize(
    "url",
    [
        "https://agent.vault.azure.net",
        "https://agent.vault.azure.net/",
        "https://agent.vault.usgovcloudapi.net",
        "https://agent.vault.azure.cn:443",
        "https://127.0.0.1:8083",
        "https://kv.localhost:8083",
    ],
)
def test_a_vault_is_at_an_address_of_key_vault(url: str) -> None:
    settings = read_settings({**NEEDED, "CODE_AGENT_KEY_VAULT_URL": url})
    assert settings.vault.url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://agent.vault.azure.net",
        "http://127.0.0.1:8083",
        "https://agent.vault.azure.net.evil.example",
        "https://evil.example/.vault.azure.net",
        "https://user@agent.vault.azure.net",
        "https://agent.vault.azure.net/secrets",
        "https://agent.vault.azure.net:8443",
        "https://vault.azure.net",
        "https://[",
    ],
)
def test_secrets_are_asked_for_nowhere_else(url: str) -> None:
    with pytest.raises(SettingsError, match="CODE_AGENT_KEY_VAULT_URL"):
        read_settings({**NEEDED, "CODE_AGENT_KEY_VAULT_URL": url})


@pytest.mark.parametrize(
    ("database", "vault"),
    [("keyvault:database-url", ""), ("keyvault:other", "https://a.vault.azure.net")],
)
def test_the_database_mark_needs_a_vault_and_one_name(database: str, vault: str) -> None:
    environment = {"CODE_AGENT_DATABASE_URL": database, "CODE_AGENT_KEY_VAULT_URL": vault}
    with pytest.raises(SettingsError, match="CODE_AGENT_DATABASE_URL"):
        read_settings({**NEEDED, **environment})
