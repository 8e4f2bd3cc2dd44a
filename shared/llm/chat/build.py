"""Chooses the adapter of a specification."""

from shared.domain.clock import Clock, read_utc_clock
from shared.llm.chat.anthropic_messages import AnthropicChat
from shared.llm.chat.model_facts import speaks_responses
from shared.llm.chat.openai_completions import CompletionsChat
from shared.llm.chat.openai_responses import ResponsesChat
from shared.llm.chat.sdk_chat import ReadKey, RefreshKey, SdkChat
from shared.llm.chat.spec import ChatProvider, ChatSpec


def build_chat_model(
    spec: ChatSpec,
    *,
    read_key: ReadKey = lambda: "",
    read_token: ReadKey | None = None,
    refresh_key: RefreshKey = lambda: None,
    clock: Clock = read_utc_clock,
) -> SdkChat:
    """Build the model; neither SDK nor network is touched before the first request.

    Args:
        spec: which model, and where.
        read_key: answers the key that is good now; only Ollama and its like do without.
        read_token: answers an Entra token instead, for Azure (`entra.EntraTokens`).
        refresh_key: has the key read anew where it is kept, after it was not accepted.
        clock: the time of day, for deadlines.

    Raises:
        ValueError: a token for somebody else than Azure.
    """
    if read_token is not None and spec.provider is not ChatProvider.AZURE_OPENAI:
        raise ValueError(f"{spec.provider} takes no Entra token")
    if spec.provider is ChatProvider.ANTHROPIC:
        return AnthropicChat(spec, read_key, clock, refresh_key)
    adapter = ResponsesChat if speaks_responses(spec) else CompletionsChat
    return adapter(
        spec,
        read_token or read_key,
        is_token=read_token is not None,
        clock=clock,
        refresh_key=refresh_key,
    )
