"""Builds the models that the settings name, with their keys; nothing is asked before it is used."""

from shared.jobs.identity import open_identity
from shared.llm.chat.build import build_chat_model
from shared.llm.chat.entra import EntraTokens
from shared.llm.chat.spec import ChatApi, ChatProvider, ChatSpec
from shared.llm.conversation import ChatModel
from shared.llm.terms import DraftingTerms
from shared.secrets.errors import SecretMissingError
from shared.secrets.source import Secrets
from shared.settings import ModelSettings, ModelSource


def build_models(settings: ModelSettings, secrets: Secrets) -> tuple[ChatModel, ...]:
    """Build each model of the chain; none for the stub.

    Raises:
        ValueError: an address or a model that cannot be meant so.
    """
    return tuple(_build_model(source, secrets) for source in settings.sources)


def _build_model(source: ModelSource, secrets: Secrets) -> ChatModel:
    spec = ChatSpec(
        provider=ChatProvider(source.provider),
        model=source.model,
        base_url=source.base_url,
        api_version=source.api_version,
        api=ChatApi(source.api),
        proxy_url=source.proxy_url,
        takes_temperature=source.temperature,
        effort=source.effort,
    )
    if source.uses_identity:
        return build_chat_model(spec, read_token=EntraTokens(open_identity))
    if not source.secret:
        return build_chat_model(spec)
    return build_chat_model(
        spec,
        read_key=lambda: _read_key(secrets, source.secret),
        refresh_key=lambda: secrets.refresh(source.secret),
    )


def _read_key(secrets: Secrets, name: str) -> str:
    """Read a key; a missing one is refused by its provider, so that the next one is asked."""
    try:
        return secrets.read(name)
    except SecretMissingError:
        return ""


def read_terms(settings: ModelSettings) -> DraftingTerms:
    """Take from the settings how drafts are made."""
    return DraftingTerms(
        spreads_variants=settings.spreads_variants,
        edit_format=settings.edit_format,
        max_output_tokens=settings.max_output_tokens,
        repair_rounds=settings.repair_rounds,
        tool_rounds=settings.tool_rounds,
        tool_tokens=settings.tool_tokens,
    )
