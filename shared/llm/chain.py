"""Asks one model after the other until one answers, and remembers how each of them did.

A provider that is out says nothing about the next one. Whether a provider is asked at all is
decided before, by the circuit breakers that all instances share; nothing is tried twice here.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.domain.errors import Verdict
from shared.llm.conversation import ChatModel, ChatReply, ChatRequest
from shared.llm.provider import (
    PROVIDER_FAULTS,
    ModelCode,
    ModelError,
    Usage,
    fail_at_provider,
)
from shared.patching.errors import PatchError

_Model = TypeVar("_Model")
Charge = Callable[[str, str, Usage, int], None]
"""Takes what a call took: its provider, model, tokens and milliseconds."""


def order_for_variant(chain: Sequence[_Model], variant: int, *, is_spread: bool) -> list[_Model]:
    """Order a chain for a variant (1-based): from its own model on, where variants are spread."""
    first = (variant - 1) % len(chain) if is_spread else 0
    return [*chain[first:], *chain[:first]]


@dataclass(frozen=True, slots=True)
class ProviderOutcome:
    """How a provider did, for its circuit breaker."""

    provider: str
    ok: bool
    code: str | None = None
    retry_after_s: float | None = None

    def to_plain(self) -> dict[str, Any]:
        """Write it as the orchestrator takes it."""
        return {
            "provider": self.provider,
            "ok": self.ok,
            "code": self.code,
            "retry_after_s": self.retry_after_s,
        }


class ChainSession:
    """The models of one draft, in order. The one that answered last is asked first."""

    def __init__(self, models: Sequence[ChatModel], admitted: Collection[str] | None) -> None:
        """Take the models whose providers are admitted; None: all of them."""
        self._models = [model for model in models if admitted is None or model.provider in admitted]
        self._outcomes: dict[str, ProviderOutcome] = {}
        self.provider = self._models[0].provider if self._models else ""
        """Who answered last."""
        self.model = self._models[0].model if self._models else ""

    @property
    def outcomes(self) -> tuple[ProviderOutcome, ...]:
        """How each provider that was asked did, at last."""
        return tuple(self._outcomes.values())

    @contextlib.contextmanager
    def telling_outcomes(self) -> Iterator[None]:
        """Let what is raised within carry the outcomes to the circuit breakers."""
        try:
            yield
        except (ModelError, PatchError) as error:
            error.details = {"calls": [outcome.to_plain() for outcome in self.outcomes]}
            raise

    def reply(self, request: ChatRequest, charge: Charge) -> ChatReply:
        """Ask until one answers; charged is also what broke off, as far as it is known.

        Raises:
            ModelError: none did; the first failure that may pass, else the first.
        """
        failures: list[ModelError] = []
        for model in list(self._models):
            began = time.monotonic()
            try:
                reply = model.reply(request)
            except ModelError as error:
                failures.append(error)
                if error.told is not None:
                    charge(model.provider, model.model, error.told, _count_ms(began))
                if error.code not in PROVIDER_FAULTS:
                    break  # it is the request's fault: another one would say the same
                self._outcomes[model.provider] = ProviderOutcome(
                    model.provider, ok=False, code=error.code, retry_after_s=error.retry_after_s
                )
                self._models.remove(model)
                self._models.append(model)
            else:
                self._outcomes[model.provider] = ProviderOutcome(model.provider, ok=True)
                self.provider, self.model = model.provider, reply.model
                charge(model.provider, reply.model, reply.usage, _count_ms(began))
                return reply
        if not failures:
            raise fail_at_provider(ModelCode.NONE_AVAILABLE, "No model may be asked just now.")
        raise next((one for one in failures if one.verdict is Verdict.RETRY), failures[0])


def _count_ms(since: float) -> int:
    return int(1000 * (time.monotonic() - since))
