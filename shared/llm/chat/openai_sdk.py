"""What both of OpenAI's APIs have in common: the client, the address, the key and the cache's.

Sources: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
https://developers.openai.com/api/docs/guides/prompt-caching
"""

import hashlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from typing_extensions import override

from shared.llm.chat.sdk_chat import UNUSED_KEY, ReadKey, SdkChat
from shared.llm.chat.spec import ChatProvider, ChatSpec

if TYPE_CHECKING:
    import httpx2

MARK: Final = {"mode": "explicit"}
"""What `prompt_cache_breakpoint` holds."""
MAX_KEY_CHARACTERS: Final = 64
"""Of `prompt_cache_key`; a longer one is refused (`string_above_max_length`)."""


class OpenAiSdkChat(SdkChat):
    """A model over OpenAI's SDK."""

    def __init__(
        self, spec: ChatSpec, read_key: ReadKey, *, is_token: bool = False, **options: Any
    ) -> None:
        super().__init__(spec, read_key, **options)
        self._is_token = is_token
        """Whether what `read_key` answers is an Entra token."""
        self._is_full = spec.provider in (ChatProvider.OPENAI, ChatProvider.AZURE_OPENAI)
        """Whether strict schemas and everything newer is known; others may refuse it."""

    @property
    @override
    def _sdk(self) -> Any:
        import openai

        return openai

    @property
    @override
    def _needs_key(self) -> bool:
        return self._is_full

    @override
    def _open_client(self, http: "httpx2.Client") -> Any:
        spec, url, query = self._spec, self._spec.url, {}
        if spec.provider is ChatProvider.AZURE_OPENAI:
            url = url.removesuffix("/openai/v1").removesuffix("/openai")
            if spec.api_version:
                # what AzureOpenAI makes of an endpoint: `openai/lib/azure.py`
                url = f"{url}/openai/deployments/{quote(spec.model, safe='')}"
                query = {"api-version": spec.api_version}
            else:
                url = f"{url}/openai/v1"
        return self._sdk.OpenAI(
            api_key=UNUSED_KEY,
            base_url=url,
            max_retries=0,
            http_client=http,
            default_query=query,
        )

    @override
    def _build_headers(self, key: str) -> dict[str, Any]:
        if key and self._spec.provider is ChatProvider.AZURE_OPENAI and not self._is_token:
            return {"Authorization": self._sdk.omit, "api-key": key}
        return {"Authorization": f"Bearer {key}" if key else self._sdk.omit}

    def _choose_cache_key(self, key: str) -> dict[str, str]:
        """Answer the parameter that brings requests with one key to one machine, where known."""
        if not key or not self._is_full or self._spec.api_version:
            return {}
        return {"prompt_cache_key": _shorten(key)}


def _shorten(key: str) -> str:
    """Answer a key that is short enough, and another one for another key."""
    return key if len(key) <= MAX_KEY_CHARACTERS else hashlib.sha256(key.encode()).hexdigest()
