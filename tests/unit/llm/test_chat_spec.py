"""What is known of models by their names, and what an address must look like."""

from typing import Any

import pytest

from shared.llm.chat.model_facts import (
    speaks_responses,
    takes_cache_marks,
    takes_forced_calls,
    takes_temperature,
)
from shared.llm.chat.spec import ChatApi, ChatProvider, ChatSpec

ANTHROPIC, OPENAI = ChatProvider.ANTHROPIC, ChatProvider.OPENAI
AZURE, OLLAMA = ChatProvider.AZURE_OPENAI, ChatProvider.OLLAMA


def specify(provider: ChatProvider, model: str, **more: Any) -> ChatSpec:
    return ChatSpec(provider, model, **{"base_url": "https://models.example", **more})


@pytest.mark.parametrize(
    ("provider", "model", "temperature", "forced", "marks"),
    [
        (ANTHROPIC, "claude-3-5-sonnet-20241022", True, True, False),
        (ANTHROPIC, "claude-4-opus-20250514", True, True, False),
        (ANTHROPIC, "claude-sonnet-4-20250514", True, True, False),
        (ANTHROPIC, "claude-haiku-4-5-20251001", True, True, False),
        (ANTHROPIC, "claude-opus-4-6", True, True, False),
        (ANTHROPIC, "claude-opus-4-7", False, True, False),
        (ANTHROPIC, "claude-opus-4-7-20260416", False, True, False),
        (ANTHROPIC, "claude-opus-4-10", False, True, False),
        (ANTHROPIC, "claude-opus-5", False, True, False),
        (ANTHROPIC, "claude-sonnet-5-20260601", False, True, False),
        (ANTHROPIC, "claude-opus-5-5", False, False, False),
        (ANTHROPIC, "claude-sonnet-5-5", False, False, False),
        (ANTHROPIC, "claude-fable-5-1", False, False, False),
        (ANTHROPIC, "claude-unheard-of-9", False, False, False),
        (OPENAI, "gpt-3.5-turbo", True, True, False),
        (OPENAI, "gpt-4.1-mini", True, True, False),
        (OPENAI, "gpt-4o-2024-11-20", True, True, False),
        (OPENAI, "o4-mini", False, True, False),
        (OPENAI, "gpt-5", False, True, False),
        (OPENAI, "gpt-5.5", False, True, False),
        (OPENAI, "gpt-5.6-mini", False, True, True),
        (OPENAI, "gpt-5.10", False, True, True),
        (OPENAI, "gpt-6-astra", False, True, True),
        (AZURE, "gpt-35-turbo", True, True, False),
        (AZURE, "our-deployment", False, True, False),
        (AZURE, "gpt-5.6", False, True, False),
        (OLLAMA, "qwen3:8b", True, True, False),
        (ChatProvider.OPENAI_COMPATIBLE, "gpt-6-astra", True, True, False),
    ],
)
def test_a_name_says_what_a_model_accepts(
    provider: ChatProvider,
    model: str,
    *,
    temperature: bool,
    forced: bool,
    marks: bool,
) -> None:
    spec = specify(provider, model)
    assert takes_temperature(spec) is temperature
    assert takes_forced_calls(spec) is forced
    assert takes_cache_marks(spec) is marks


@pytest.mark.parametrize(
    ("provider", "model", "more", "is_responses"),
    [
        (OPENAI, "gpt-3.5-turbo", {}, False),
        (OPENAI, "gpt-4o", {}, False),
        (OPENAI, "gpt-4.1-mini", {}, False),
        (OPENAI, "ft:gpt-4.1:us::1", {}, False),
        (OPENAI, "o4-mini", {}, True),
        (OPENAI, "gpt-5", {}, True),
        (OPENAI, "gpt-5.4", {}, True),
        (OPENAI, "gpt-6.1-sol", {}, True),
        (OPENAI, "gpt-6.1-sol", {"api": ChatApi.COMPLETIONS}, False),
        (OPENAI, "gpt-4.1", {"api": ChatApi.RESPONSES}, True),
        (AZURE, "our-deployment", {}, False),
        (AZURE, "our-deployment", {"api": ChatApi.RESPONSES}, True),
        (AZURE, "gpt-5.4", {}, False),
        (AZURE, "gpt-5.5", {}, True),
        (AZURE, "gpt-5.10-mini", {}, True),
        (AZURE, "gpt-6-astra", {}, True),
        (AZURE, "gpt-6-astra", {"api_version": "2024-10-21"}, False),
        (OLLAMA, "gpt-oss:20b", {}, False),
        (ChatProvider.OPENAI_COMPATIBLE, "gpt-6-astra", {}, False),
        (ChatProvider.OPENAI_COMPATIBLE, "gpt-6-astra", {"api": ChatApi.RESPONSES}, True),
    ],
)
def test_a_name_says_which_api_is_spoken(
    provider: ChatProvider, model: str, more: dict[str, Any], *, is_responses: bool
) -> None:
    assert speaks_responses(specify(provider, model, **more)) is is_responses


def test_a_setting_says_it_better() -> None:
    spec = specify(
        AZURE,
        "claude-opus-5-5",
        takes_temperature=True,
        takes_forced_calls=False,
        takes_cache_marks=True,
    )
    assert takes_temperature(spec)
    assert not takes_forced_calls(spec)
    assert takes_cache_marks(spec)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ""}, "model"),
        ({"base_url": ""}, "azure-openai has no address"),
        ({"base_url": "http://models.example"}, "https is needed"),
        ({"base_url": "ftp://models.example"}, "https is needed"),
        ({"base_url": "https:///openai"}, "not the address"),
        ({"base_url": "https://me:secret@models.example"}, "not the address"),
        ({"base_url": "https://models.example/?key=x"}, "not the address"),
        ({"proxy_url": "proxy.example:8080"}, "not the address of a proxy"),
        (
            {"proxy_url": "http://proxy.example", "base_url": "http://localhost:1"},
            "only for a service over https",
        ),
        ({"silence_s": 0}, "silence_s"),
        ({"api": ChatApi.RESPONSES, "api_version": "2024-10-21"}, "api: Azure's dated APIs"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        specify(AZURE, **{"model": "m", **changes})
    assert "secret" not in str(refused.value)


def test_providers_have_addresses_of_their_own() -> None:
    assert ChatSpec(ANTHROPIC, "m").url == "https://api.anthropic.com"
    assert ChatSpec(OPENAI, "m").url == "https://api.openai.com/v1"
    assert ChatSpec(OLLAMA, "m").url == "http://localhost:11434/v1"
    assert specify(AZURE, "m", base_url="http://127.0.0.1:8082/").url == "http://127.0.0.1:8082"
    assert specify(AZURE, "m", proxy_url="http://proxy.example:8080").proxy_url
