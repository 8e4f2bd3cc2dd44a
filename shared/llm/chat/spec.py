"""Which model is asked, where, and what is known about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class ChatProvider(StrEnum):
    """Who serves a model."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    AZURE_OPENAI = "azure-openai"
    OLLAMA = "ollama"
    OPENAI_COMPATIBLE = "openai-compatible"


class ChatApi(StrEnum):
    """Which of OpenAI's two APIs is spoken."""

    AUTO = "auto"
    """Judged by the model's name (`model_facts`)."""
    COMPLETIONS = "completions"
    RESPONSES = "responses"


DEFAULT_URLS: Final = {
    ChatProvider.ANTHROPIC: "https://api.anthropic.com",
    ChatProvider.OPENAI: "https://api.openai.com/v1",
    ChatProvider.OLLAMA: "http://localhost:11434/v1",
}
"""Where a provider is when nothing else is said.
Sources: the SDKs' own defaults; https://docs.ollama.com/api/openai-compatibility"""


@dataclass(frozen=True, slots=True)
class ChatSpec:
    """One model at one provider.

    Raises:
        ValueError: it cannot be meant so; the message names the field.
    """

    provider: ChatProvider
    model: str
    """The model's name; with Azure the deployment's."""
    base_url: str = ""
    """Left out: the provider's own. With Azure the endpoint, `https://{name}.openai.azure.com`."""
    api_version: str = ""
    """Azure's dated API; left out: its v1 API, which has none."""
    api: ChatApi = ChatApi.AUTO
    """OpenAI's wire only: which API of it."""
    proxy_url: str = ""
    """A proxy on the way; the one that the environment names is not taken."""
    silence_s: float = 240.0
    """Longest wait for the next byte. Reasoning models are silent while they think."""
    takes_temperature: bool | None = None
    """Whether the model accepts `temperature`; None: judged by its name (`model_facts`)."""
    effort: str = ""
    """How much it is told to think (`low` to `max`, OpenAI's wire also `none` and `minimal`); left
    out: as the provider has it. It is sent as it is: a model that does not take it refuses."""
    takes_forced_calls: bool | None = None
    """Whether it accepts that a call is demanded; None: judged by its name."""
    takes_cache_marks: bool | None = None
    """OpenAI's wire only: whether it knows `prompt_cache_breakpoint`; None: judged by its name."""

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model: the name of a model or deployment is needed")
        if not (self.base_url or self.provider in DEFAULT_URLS):
            raise ValueError(f"base_url: {self.provider} has no address of its own")
        _check_service(self.url)
        if self.proxy_url:
            _check_proxy(self.proxy_url, self.url)
        if self.api is ChatApi.RESPONSES and self.api_version:
            raise ValueError("api: Azure's dated APIs are spoken to by Chat Completions only")
        if self.silence_s <= 0:
            raise ValueError("silence_s: seconds, more than 0")

    @property
    def url(self) -> str:
        """Where requests go, without a slash at the end."""
        return (self.base_url or DEFAULT_URLS[self.provider]).rstrip("/")


def _check_service(url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("base_url: not the address of a service")
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return
    raise ValueError("base_url: https is needed, but for loopback")


def _check_proxy(proxy_url: str, url: str) -> None:
    parts = urlsplit(proxy_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("proxy_url: not the address of a proxy")
    if urlsplit(url).scheme != "https":  # it would read the key and all that is said
        raise ValueError("proxy_url: only for a service over https")
