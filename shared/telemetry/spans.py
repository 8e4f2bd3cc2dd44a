"""What spans there are, for the catalogue; `tracing` makes them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SpanDescription:
    """A kind of span, for the catalogue."""

    name: str
    kind: str
    attributes: tuple[str, ...]
    meaning: str


SPANS: Final = (
    SpanDescription(
        "receive delivery", "internal", ("jobId",), "A service hook's delivery is taken."
    ),
    SpanDescription(
        "{activity}",
        "internal",
        ("jobId", "variant", "error_code"),
        "A step of a job, each try of it; failed when its envelope says so.",
    ),
    SpanDescription(
        "{method} {operation}",
        "client",
        ("operation", "http.request.method", "http.response.status_code", "error_code"),
        "A call to Azure DevOps.",
    ),
    SpanDescription(
        "chat {model}",
        "client",
        (
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.request.max_tokens",
            "gen_ai.request.temperature",
            "gen_ai.response.model",
            "gen_ai.response.finish_reasons",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "error_code",
        ),
        "A call to a model, after OpenTelemetry's conventions for generative AI.",
    ),
)
