"""Settings about models: who is asked in which order, what it may cost, how it is asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.settings.reader import Reader

STUB: Final = "stub"
PROVIDERS: Final = ("anthropic", "openai", "azure-openai", "ollama", "openai-compatible")
EDIT_FORMATS: Final = ("structured", "search_replace", "unified_diff", "v4a", "whole_file")
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
CLAUDE_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
"""What the wires take; a model may take fewer.
Sources: `openai/types/shared/reasoning_effort.py`, `anthropic/types/output_config_param.py`"""
DEFAULT_MODELS: Final = {
    "anthropic": "claude-sonnet-5-5",
    "openai": "gpt-5.4",
    "azure-openai": "",
    "ollama": "",
    "openai-compatible": "",
}
"""What is asked where nothing else is said; empty: it has to be said."""

_KEYS: Final = {
    "anthropic": "anthropic-api-key",
    "openai": "openai-api-key",
    "azure-openai": "azure-openai-api-key",
    "openai-compatible": "compatible-api-key",
}
_PREFIXES: Final = {
    "anthropic": "ANTHROPIC",
    "openai": "OPENAI",
    "azure-openai": "AZURE_OPENAI",
    "ollama": "OLLAMA",
    "openai-compatible": "COMPATIBLE",
}


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One model at one provider."""

    provider: str
    model: str
    """With Azure the deployment."""
    base_url: str
    """Empty: the provider's own."""
    api_version: str
    """Azure's dated API; empty: its v1 API."""
    api: str
    """OpenAI's and Azure's: `completions`, `responses`, or `auto`, judged by the model's name."""
    proxy_url: str
    secret: str
    """Name of the secret that holds the key; empty where none is needed."""
    uses_identity: bool
    """Azure: a token of the managed identity instead of a key."""
    temperature: bool | None
    """Whether the model takes a temperature; None: judged by its name."""
    effort: str
    """How much the model thinks; empty: its provider's default."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What operators decide about models. Units are in the names; 0 is no limit."""

    sources: tuple[ModelSource, ...]
    """In the order in which they are asked; empty: the stub drafts."""
    spreads_variants: bool
    """Each variant begins with another source of the chain, so that models compete."""
    edit_format: str
    max_output_tokens: int
    repair_rounds: int
    tool_rounds: int
    tool_tokens: int
    """What the answers of tools may add to one variant's prompts."""
    asks_model_for_clarity: bool
    result_cache_s: int
    prices: Mapping[str, Mapping[str, float]]
    """Model to US dollars per million tokens: input, cached, cache_write, output."""
    job_tokens: int
    job_usd: float
    user_day_tokens: int
    user_day_usd: float
    organisation_day_tokens: int
    organisation_day_usd: float
    circuit_failures: int
    circuit_cooldown_s: float

    @property
    def names(self) -> tuple[str, ...]:
        """The providers in order."""
        return tuple(source.provider for source in self.sources) or (STUB,)


def read_model_settings(reader: Reader) -> ModelSettings:
    """Read everything that is about models; faults stay with the reader."""
    environment = reader.text("CODE_AGENT_ENVIRONMENT", "local")
    is_development = environment in {"local", "dev", "development"}
    return ModelSettings(
        sources=_read_sources(reader),
        spreads_variants=reader.choice("CODE_AGENT_SPREAD_VARIANTS", ("no", "yes")) == "yes",
        edit_format=reader.choice("CODE_AGENT_EDIT_FORMAT", EDIT_FORMATS),
        max_output_tokens=reader.whole("CODE_AGENT_MAX_OUTPUT_TOKENS", 32_000, 500, 200_000),
        repair_rounds=reader.whole("CODE_AGENT_REPAIR_ROUNDS", 3, 0, 3),
        tool_rounds=reader.whole("CODE_AGENT_TOOL_ROUNDS", 6, 0, 20),
        tool_tokens=reader.whole("CODE_AGENT_TOOL_TOKENS", 40_000, 0, 1_000_000),
        asks_model_for_clarity=reader.choice("CODE_AGENT_CLARIFY_BY_MODEL", ("yes", "no")) == "yes",
        result_cache_s=reader.whole(
            "CODE_AGENT_RESULT_CACHE_S", 300 if is_development else 3600, 0, 30 * 86_400
        ),
        prices=_read_prices(reader),
        job_tokens=reader.whole("CODE_AGENT_JOB_TOKENS", 0, 0, 10**12),
        job_usd=reader.number("CODE_AGENT_JOB_USD", 0, 0, 10**6),
        user_day_tokens=reader.whole("CODE_AGENT_USER_DAY_TOKENS", 0, 0, 10**12),
        user_day_usd=reader.number("CODE_AGENT_USER_DAY_USD", 0, 0, 10**6),
        organisation_day_tokens=reader.whole("CODE_AGENT_ORGANISATION_DAY_TOKENS", 0, 0, 10**12),
        organisation_day_usd=reader.number("CODE_AGENT_ORGANISATION_DAY_USD", 0, 0, 10**6),
        circuit_failures=reader.whole("CODE_AGENT_CIRCUIT_FAILURES", 5, 1, 100),
        circuit_cooldown_s=reader.number("CODE_AGENT_CIRCUIT_COOLDOWN_S", 30, 0.01, 3600),
    )


def _read_sources(reader: Reader) -> tuple[ModelSource, ...]:
    names = reader.listed("CODE_AGENT_PROVIDER") or (STUB,)
    unknown = [name for name in names if name not in (*PROVIDERS, STUB)]
    if unknown or len(set(names)) < len(names):
        known = ", ".join((*PROVIDERS, STUB))
        reader.faults.append(f"CODE_AGENT_PROVIDER: each once, of {known}")
        return ()
    if STUB in names:
        if len(names) > 1:  # it would pretend to be a model when the others fail
            reader.faults.append("CODE_AGENT_PROVIDER: stub stands alone")
        return ()
    return tuple(_read_source(reader, name) for name in names)


def _read_source(reader: Reader, name: str) -> ModelSource:
    prefix = f"CODE_AGENT_{_PREFIXES[name]}"
    model = reader.text(f"{prefix}_MODEL", DEFAULT_MODELS[name])
    base_url = reader.text(f"{prefix}_URL").rstrip("/")
    if not model:
        reader.faults.append(f"{prefix}_MODEL: the name of a model or deployment expected")
    if not base_url and name in {"azure-openai", "openai-compatible"}:
        reader.faults.append(f"{prefix}_URL: the address of the service expected")
    is_azure = name == "azure-openai"
    authentication = (
        reader.choice(f"{prefix}_AUTHENTICATION", ("managed-identity", "key"))
        if is_azure
        else "key"
    )
    temperature = reader.choice(f"{prefix}_TEMPERATURE", ("auto", "yes", "no"))
    efforts = CLAUDE_EFFORTS if name == "anthropic" else EFFORTS
    effort = reader.choice(f"{prefix}_EFFORT", ("auto", *efforts))
    return ModelSource(
        provider=name,
        model=model,
        base_url=base_url,
        api_version=reader.text(f"{prefix}_API_VERSION") if is_azure else "",
        api=(
            reader.choice(f"{prefix}_API", ("auto", "completions", "responses"))
            if is_azure or name == "openai"
            else "auto"
        ),
        proxy_url=reader.text("CODE_AGENT_MODEL_PROXY_URL"),
        secret=_KEYS.get(name, ""),
        uses_identity=authentication == "managed-identity",
        temperature=None if temperature == "auto" else temperature == "yes",
        effort="" if effort == "auto" else effort,
    )


def _read_prices(reader: Reader) -> Mapping[str, Mapping[str, float]]:
    raw = reader.text("CODE_AGENT_PRICES", "{}")
    try:
        prices: Any = json.loads(raw)
        return {
            str(model): {str(kind): float(usd) for kind, usd in one.items()}
            for model, one in prices.items()
        }
    except (ValueError, AttributeError, TypeError, RecursionError):
        reader.faults.append(
            'CODE_AGENT_PRICES: {"model": {"input": 3, "cached": 0.3, "output": 15}} expected'
        )
        return {}
