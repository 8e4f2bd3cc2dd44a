"""What models accept, judged by their names where nothing was set: left out when in doubt.

A parameter that a model does not know costs the whole request (400), one that is left out costs
little; so only names that are known to accept it get it. `ChatSpec` can say otherwise.

Sources, beside those below: the release notes of SDKs that keep the same lists, such as
https://github.com/vercel/ai/releases/tag/@ai-sdk%2Fanthropic@4.0.60
"""

import re
from typing import Final

from shared.llm.chat.spec import ChatApi, ChatProvider, ChatSpec

_CLAUDE_WITH_TEMPERATURE: Final = re.compile(
    r"claude-((2|3|4|instant)\b.*|(opus|sonnet|haiku)-4(-[0-6])?(-\d{8}|-latest)?)"
)
"""Up to 4.6; newer ones refuse it.
Source: https://platform.claude.com/docs/en/build-with-claude/thinking"""
_GPT_WITH_TEMPERATURE: Final = re.compile(r"(ft:)?(gpt-3\.?5|gpt-4|chatgpt-4o).*")
"""Before the reasoning models, which accept their default alone.
Source: https://developers.openai.com/api/docs/guides/reasoning"""
_CLAUDE_WITH_FORCED_CALLS: Final = re.compile(
    r"claude-((2|3|4|instant)\b.*|(opus|sonnet|haiku)-4\b.*|(opus|sonnet|fable|mythos)-5(-\d{8})?)"
)
"""Opus 5.5, Sonnet 5.5 and Fable 5.1 refuse it; so may what follows them.
Source: https://platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5"""
_GPT_WITH_CACHE_MARKS: Final = re.compile(r"(ft:)?gpt-(5\.([6-9]|\d\d)|[6-9]|[1-9]\d)\b.*")
"""GPT-5.6 and later: without a mark at its end, an equal beginning is not found again there.
Source: https://developers.openai.com/api/docs/guides/prompt-caching"""

_GPT_WITHOUT_TOOLS_ON_COMPLETIONS: Final = re.compile(
    r"(ft:)?gpt-(5\.([5-9]|\d\d)|[6-9]|[1-9]\d)\b.*"
)
"""GPT-5.5 and later refuse tools there while they reason, as all do by default; some know no other
way. Sources: https://github.com/openai/openai-openapi/issues/541 and
https://github.com/BerriAI/litellm/pull/34569, raw requests;
https://github.com/jeffdafoe/llm-memory-api/pull/178 about 5.5;
https://github.com/danny-avila/LibreChat/issues/14231"""

_GPT_THAT_REASONS: Final = re.compile(r"(o[1-9]|(ft:)?gpt-([5-9]|[1-9]\d))\b.*")
"""Others refuse to be asked for what they thought.
Source: https://developers.openai.com/api/docs/guides/reasoning"""


def takes_temperature(spec: ChatSpec) -> bool:
    """Tell whether a temperature is sent."""
    if spec.takes_temperature is not None:
        return spec.takes_temperature
    match spec.provider:
        case ChatProvider.ANTHROPIC:
            return _CLAUDE_WITH_TEMPERATURE.fullmatch(spec.model) is not None
        case ChatProvider.OPENAI | ChatProvider.AZURE_OPENAI:
            return _GPT_WITH_TEMPERATURE.fullmatch(spec.model) is not None
        case _:
            return True


def takes_forced_calls(spec: ChatSpec) -> bool:
    """Tell whether a call can be demanded; else it is only asked for, and may not come."""
    if spec.takes_forced_calls is not None:
        return spec.takes_forced_calls
    if spec.provider is ChatProvider.ANTHROPIC:
        return _CLAUDE_WITH_FORCED_CALLS.fullmatch(spec.model) is not None
    return True


def seals_thoughts(spec: ChatSpec) -> bool:
    """Tell whether a model behind Responses is asked for its thoughts, to be sent back to it."""
    return _GPT_THAT_REASONS.fullmatch(spec.model) is not None


def takes_cache_marks(spec: ChatSpec) -> bool:
    """Tell whether the end of what is shared is marked on OpenAI's wire."""
    if spec.takes_cache_marks is not None:
        return spec.takes_cache_marks
    is_openai = spec.provider is ChatProvider.OPENAI
    return is_openai and _GPT_WITH_CACHE_MARKS.fullmatch(spec.model) is not None


def speaks_responses(spec: ChatSpec) -> bool:
    """Tell whether requests go to Responses, else to Chat Completions.

    OpenAI serves every model there; those before the reasoning ones stay where they were. Azure's
    regions do not all have it, so a deployment goes there only if its name says that it must.
    Source: https://learn.microsoft.com/azure/foundry/openai/how-to/responses
    """
    if spec.api is not ChatApi.AUTO:
        return spec.api is ChatApi.RESPONSES
    match spec.provider:
        case ChatProvider.OPENAI:
            return _GPT_WITH_TEMPERATURE.fullmatch(spec.model) is None
        case ChatProvider.AZURE_OPENAI:
            must = _GPT_WITHOUT_TOOLS_ON_COMPLETIONS.fullmatch(spec.model) is not None
            return must and not spec.api_version
        case _:
            return False
