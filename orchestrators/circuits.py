"""Providers that keep failing are left alone for a while, by all jobs of all instances.

`model_circuit` is the entity, one for each provider (its state is `shared.domain.circuit`);
`ProviderGate` is the side of a job: it asks before each attempt of a step that asks a model, and
reports behind.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from azure.durable_functions import (
    DurableEntityContext,
    DurableOrchestrationContext,
    EntityId,
)

from orchestrators.attempts import Envelope, HeldBackError, Wait
from shared.domain.clock import format_instant, parse_instant
from shared.domain.errors import UpstreamError, Verdict, fail
from shared.domain.names import STUB_PROVIDER, EntityName

if TYPE_CHECKING:
    from shared.domain.circuit import CircuitState


def model_circuit(context: DurableEntityContext) -> None:
    """Keep the circuit of one provider: `admit` and `report`, both safe to repeat.

    An entity is not replayed, so it tells of a change of state itself; a batch of operations that
    was lost with its host and is run again may tell twice.
    """
    from shared.domain.circuit import CallOutcome, Circuit, CircuitTerms

    circuit = Circuit.from_plain(context.get_state(dict))
    request = context.get_input()
    terms, now = CircuitTerms.from_plain(request["terms"]), parse_instant(request["now"])
    before = circuit.state
    if context.operation_name == "admit":
        answer = circuit.admit(request["attempt"], terms, now=now)
        context.set_result(asdict(answer))
    elif context.operation_name == "report":
        outcomes = [CallOutcome.from_plain(outcome) for outcome in request["outcomes"]]
        circuit.report(request["attempt"], outcomes, terms, now=now)
        context.set_result({"state": str(circuit.state), "retry_after_s": circuit.find_rest_s(now)})
    else:
        raise ValueError(f"model_circuit has no operation {context.operation_name!r}")
    context.set_state(circuit.to_plain())
    if circuit.state is not before:
        _tell(context.entity_key, before, circuit.state)


def _tell(provider: str, before: "CircuitState", after: "CircuitState") -> None:
    from shared.telemetry.emit import emit
    from shared.telemetry.events import CircuitBreakerStateChanged

    emit(
        CircuitBreakerStateChanged(
            component=f"model:{provider}", oldState=str(before), newState=str(after)
        )
    )


class ProviderGate:
    """Lets an attempt through to the providers whose circuits admit it."""

    def __init__(
        self, context: DurableOrchestrationContext, job: Mapping[str, Any], spare_step: str
    ) -> None:
        self._context = context
        self._spare_step = spare_step
        self._providers: list[str] = job["providers"]
        self._terms: dict[str, Any] = job["circuit"]
        self._attempts = 0

    @classmethod
    def of_job(
        cls, context: DurableOrchestrationContext, job: Mapping[str, Any], spare_step: str = ""
    ) -> "ProviderGate | None":
        """Build the gate of a job; None for one that asks no provider which could be out.

        An attempt waits until a provider can be asked again; `spare_step` names a step that is
        rather left out, because the job can do without it.
        """
        if set(job.get("providers", ())) <= {STUB_PROVIDER}:
            return None
        return cls(context, job, spare_step)

    def attempt(self, payload: dict[str, Any], carry_out: Callable[[dict[str, Any]], Wait]) -> Wait:
        """Carry out one attempt with `payload["providers"]`, those that are admitted.

        With none it is not carried out, `model.none_available`: a spare step fails with it.

        Raises:
            HeldBackError: any other step waits until one of them can be asked again.
        """
        from shared.domain.circuit import CircuitState

        self._attempts += 1
        name = f"{self._context.instance_id}/{self._spare_step}{self._attempts}"
        answers = yield from self._ask("admit", {p: {"attempt": name} for p in self._providers})
        admitted = [provider for provider, answer in answers.items() if answer["admitted"]]
        if not admitted:
            if self._spare_step:
                return fail(_out_of_providers(None))
            wait_s = min(answer["retry_after_s"] for answer in answers.values())
            raise HeldBackError(_out_of_providers(wait_s))
        probes = [p for p in admitted if answers[p]["state"] == CircuitState.HALF_OPEN]
        try:
            envelope = yield from carry_out(payload | {"providers": admitted})
        except Exception:
            yield from self._report(name, probes, [])
            raise
        answers |= yield from self._report(name, probes, _read_calls(envelope))
        rest_s = min(answer["retry_after_s"] for answer in answers.values())
        return _settle(envelope, 0.0 if self._spare_step else rest_s)

    def _report(
        self, name: str, probes: Sequence[str], calls: Sequence[Mapping[str, Any]]
    ) -> Generator[Any, Any, dict[str, dict[str, Any]]]:
        """Report the calls to each provider; a probe without a call is given back."""
        outcomes: dict[str, list[dict[str, Any]]] = {provider: [] for provider in probes}
        for call in calls:
            told = {key: call.get(key) for key in ("ok", "code", "retry_after_s")}
            outcomes.setdefault(call["provider"], []).append(told)
        if not outcomes:
            return {}
        requests = {p: {"attempt": name, "outcomes": ended} for p, ended in outcomes.items()}
        return (yield from self._ask("report", requests))

    def _ask(
        self, operation: str, requests: Mapping[str, dict[str, Any]]
    ) -> Generator[Any, Any, dict[str, dict[str, Any]]]:
        """Ask the circuits of several providers at once; answers what each of them says."""
        common = {"terms": self._terms, "now": format_instant(self._context.current_utc_datetime)}
        answers = yield self._context.task_all(
            [
                self._context.call_entity(
                    EntityId(EntityName.MODEL_CIRCUIT, provider), operation, request | common
                )
                for provider, request in requests.items()
            ]
        )
        return dict(zip(requests, answers, strict=True))


def _out_of_providers(wait_s: float | None) -> UpstreamError:
    return UpstreamError(
        "model.none_available",
        "No model provider can be asked now: each of them has failed too often.",
        verdict=Verdict.RETRY if wait_s is not None else Verdict.BUG,
        retry_after_s=wait_s,
    )


def _read_calls(envelope: Envelope) -> list[dict[str, Any]]:
    """Read the calls to providers that a draft tells of, whether or not it came about."""
    told = envelope["value"] if envelope["ok"] else envelope["error"].get("details", {})
    calls: list[dict[str, Any]] = told.get("calls", [])
    return calls


def _settle(envelope: Envelope, rest_s: float) -> Envelope:
    """Drop what has been reported, and let a retry wait until a provider can be asked again.

    The job's history has no further use for the calls; without the wait the next try would only
    find that the last one has opened the circuits.
    """
    part, reported = ("value", "calls") if envelope["ok"] else ("error", "details")
    kept = {key: told for key, told in envelope[part].items() if key != reported}
    if not envelope["ok"]:
        kept["retry_after_s"] = max(kept["retry_after_s"] or 0.0, rest_s) or None
    return envelope | {part: kept}
