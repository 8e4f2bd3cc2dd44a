"""Watches calls to Azure DevOps and to models: a span and a measurement of each, never content.

Names follow OpenTelemetry's conventions, as far as Application Insights shows them.
Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from shared.llm.conversation import ChatModel, ChatReply, ChatRequest
from shared.llm.provider import ModelError
from shared.telemetry import metrics
from shared.telemetry.tracing import Attributes, call_out, mark_failed

_PROVIDERS: Final = {"azure-openai": "azure.ai.openai"}
"""What the conventions call a provider, where we call it otherwise."""
_SIGN_IN: Final = (203, 302)
"""How Azure DevOps says that a credential is not accepted, besides 401."""


@contextlib.contextmanager
def observe_ado_call(operation: str, method: str) -> Iterator[Callable[[int], None]]:
    """Watch one call to Azure DevOps; what it yields takes the status that was answered."""
    answered = 0

    def tell(status_code: int) -> None:
        nonlocal answered
        answered = status_code

    began = time.monotonic()
    attributes: Attributes = {
        "http.request.method": method,
        "peer.service": "Azure DevOps",
        # the exporter names a call by its address, and ours are full of ids: `GET list threads`
        "url.full": operation,
        "operation": operation,
    }
    with call_out(operation, attributes) as span:
        try:
            yield tell
        finally:
            span.set_attribute("http.response.status_code", answered)
            if not 200 <= answered < 400 or answered in _SIGN_IN:
                mark_failed(span, f"ado.status_{answered}" if answered else "ado.no_answer")
            metrics.ADO_CALLS.record(
                1000 * (time.monotonic() - began), operation=operation, status_code=answered
            )


class ObservedChat:
    """A model whose calls are watched."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def provider(self) -> str:
        """The provider of the model."""
        return self._model.provider

    @property
    def model(self) -> str:
        """The model or deployment that is asked for."""
        return self._model.model

    def close(self) -> None:
        """Close the connections of the model, where it keeps some."""
        getattr(self._model, "close", lambda: None)()

    def reply(self, request: ChatRequest) -> ChatReply:
        """Send one request and wait for the whole reply.

        Raises:
            ModelError: as the model.
        """
        began = time.monotonic()
        outcome = "ok"
        with call_out(f"chat {self.model}", self._describe(request)) as span:
            try:
                reply = self._model.reply(request)
            except ModelError as error:
                outcome = error.code
                mark_failed(span, error.code)
                raise
            else:
                span.set_attributes(_describe_reply(reply))
                return reply
            finally:
                metrics.MODEL_CALLS.record(
                    1000 * (time.monotonic() - began),
                    llmProvider=self.provider,
                    llm_model=self.model,
                    outcome=outcome,
                )

    def _describe(self, request: ChatRequest) -> dict[str, str | int | float | bool]:
        provider = _PROVIDERS.get(self.provider, self.provider)
        told: dict[str, str | int | float | bool] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.system": provider,  # its older name, by which the portal shows the call
            "gen_ai.request.model": self.model,
            "gen_ai.request.max_tokens": request.max_output_tokens,
        }
        if request.temperature is not None:
            told["gen_ai.request.temperature"] = request.temperature
        return told


def _describe_reply(reply: ChatReply) -> dict[str, str | int | tuple[str, ...]]:
    return {
        "gen_ai.response.model": reply.model,
        "gen_ai.response.finish_reasons": (str(reply.stop),),
        "gen_ai.usage.input_tokens": reply.usage.tokens_in,
        "gen_ai.usage.output_tokens": reply.usage.tokens_out,
        "gen_ai.usage.cache_read.input_tokens": reply.usage.tokens_cached,
    }
