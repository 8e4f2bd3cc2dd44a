"""What clients may ask of orchestrations and entities, and the answers in terms of the domain.

Everything here is one committed step; HTTP, with its status codes, is in `management_api`.
"""

import enum
import json
import uuid
from dataclasses import dataclass
from typing import Any

from local.functions_host import rewind
from local.functions_host.app_loader import App, describe_unknown
from local.functions_host.engine import OrchestrationRunner
from local.functions_host.history import EventType, build_event
from local.functions_host.instances import check_instance_id, start_instance
from local.functions_host.mailroom import Mailroom, get_now
from local.functions_host.state import Instance


class StartRefusedError(ValueError):
    """An orchestration cannot be started as asked: unknown function, bad id."""


class AlreadyRunningError(RuntimeError):
    """An instance with that id has not finished."""


class Outcome(enum.Enum):
    """How a request about one instance ended."""

    DONE = enum.auto()
    NOT_FOUND = enum.auto()
    FINISHED = enum.auto()
    WRONG_STATE = enum.auto()


@dataclass(slots=True)
class Operations:
    """The client's side of the engine."""

    app: App
    mailroom: Mailroom
    runner: OrchestrationRunner
    default_version: str

    def start(
        self,
        name: str,
        instance_id: str | None,
        input_text: str | None,
        version: str | None = None,
    ) -> str:
        """Start an instance and return its id; it is committed when this returns.

        A finished instance with the same id is replaced.

        Raises:
            StartRefusedError: unknown function or refused id.
            AlreadyRunningError: the id belongs to an instance that has not finished.
        """
        function = self.app.orchestrators.get(name.casefold())
        if function is None:
            raise StartRefusedError(describe_unknown(name, "orchestrator", self.app.orchestrators))
        chosen = instance_id or uuid.uuid4().hex
        refusal = check_instance_id(chosen)
        if refusal is not None:
            raise StartRefusedError(refusal)
        existing = self.mailroom.store.read_instance(chosen)
        if existing is not None and not existing.is_finished:
            raise AlreadyRunningError(
                f"An Orchestration instance with the status {existing.runtime_status} "
                "already exists."
            )
        self.runner.forget(chosen)
        with self.mailroom.step() as step:
            start_instance(
                step,
                chosen,
                name,
                input_text=input_text,
                version=self.default_version if version is None else version,
                now=get_now(),
            )
        return chosen

    def restart(self, instance_id: str, *, with_new_id: bool) -> str | None:
        """Start an instance again with its input; None if there is no such instance.

        Raises:
            AlreadyRunningError: it shall keep its id and has not finished.
        """
        existing = self.mailroom.store.read_instance(instance_id)
        if existing is None:
            return None
        return self.start(
            existing.name, None if with_new_id else instance_id, existing.input, existing.version
        )

    def raise_event(self, instance_id: str, name: str, data_text: str) -> Outcome:
        """Send an external event; `data_text` is JSON."""
        return self._send(instance_id, EventType.EVENT_RAISED, Name=name, Input=data_text)

    def terminate(self, instance_id: str, reason: str | None) -> Outcome:
        """End an instance; its activities and sub-orchestrations go on, as in Azure."""
        return self._send(instance_id, EventType.EXECUTION_TERMINATED, Input=reason)

    def suspend(self, instance_id: str, reason: str | None) -> Outcome:
        """Let an instance take no more events until it is resumed."""
        return self._send(instance_id, EventType.EXECUTION_SUSPENDED, Reason=reason)

    def resume(self, instance_id: str, reason: str | None) -> Outcome:
        """Let a suspended instance go on with everything that came meanwhile."""
        return self._send(instance_id, EventType.EXECUTION_RESUMED, Reason=reason)

    def rewind(self, instance_id: str, reason: str | None) -> Outcome:
        """Let a failed instance, and the failed ones that it called, try the failed step again."""
        instance = self.mailroom.store.read_instance(instance_id)
        if instance is None:
            return Outcome.NOT_FOUND
        if instance.runtime_status != "Failed":
            return Outcome.WRONG_STATE
        with self.mailroom.step() as step:
            for rewound_id in rewind.rewind_instance(step, instance, reason, get_now()):
                self.runner.forget(rewound_id)
        return Outcome.DONE

    def purge(self, instance_id: str) -> Outcome:
        """Delete a finished instance."""
        instance = self.mailroom.store.read_instance(instance_id)
        if instance is None:
            return Outcome.NOT_FOUND
        if not instance.is_finished:
            return Outcome.WRONG_STATE
        self._purge_all([instance])
        return Outcome.DONE

    def purge_where(
        self, created_from: str | None, created_to: str | None, statuses: list[str]
    ) -> int:
        """Delete the finished instances that match; return how many."""
        found = self.mailroom.store.find_instances(
            created_from=created_from, created_to=created_to, statuses=statuses
        )
        return self._purge_all([instance for instance in found if instance.is_finished])

    def signal_entity(self, name: str, key: str, operation: str, input_text: str | None) -> None:
        """Send an operation to an entity; `input_text` is JSON.

        Raises:
            StartRefusedError: no such entity function.
        """
        if name.casefold() not in self.app.entities:
            raise StartRefusedError(describe_unknown(name, "entity", self.app.entities))
        request = {"op": operation, "input": input_text, "signal": True, "id": None}
        with self.mailroom.step() as step:
            step.send_operation(name, key, request)

    def read_history(self, instance_id: str) -> list[dict[str, Any]]:
        """Read the events of an instance."""
        return [json.loads(text) for text in self.mailroom.store.read_history(instance_id)]

    def _purge_all(self, instances: list[Instance]) -> int:
        with self.mailroom.step() as step:
            for instance in instances:
                self.runner.forget(instance.instance_id)
                step.store.delete_instance(instance.instance_id)
        return len(instances)

    def _send(self, instance_id: str, event_type: EventType, **fields: Any) -> Outcome:
        instance = self.mailroom.store.read_instance(instance_id)
        if instance is None:
            return Outcome.NOT_FOUND
        if instance.is_finished:
            return Outcome.FINISHED
        with self.mailroom.step() as step:
            step.send_event(instance_id, build_event(event_type, get_now(), **fields))
        return Outcome.DONE
