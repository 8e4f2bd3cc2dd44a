"""Every durable step of the host: it is committed, then those whom it concerns are woken.

A step is one transaction of the store: new history, consumed and new messages, promised
activities. Nobody is woken before the commit, so whatever runs has been recorded. It decides
nothing about the contents.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from local.functions_host.alarm import Alarm
from local.functions_host.history import Event, encode_event, parse_time
from local.functions_host.state import Instance, StateStore, Task


class Step:
    """The writes of one transaction and the list of those to wake after it."""

    def __init__(self, store: StateStore) -> None:
        self.store = store
        self.due_instances: dict[str, float] = {}
        self.due_entities: dict[tuple[str, str], float] = {}
        self.tasks: list[Task] = []
        self.alarms: list[tuple[float, str]] = []

    def send_event(
        self,
        instance_id: str,
        event: Event,
        *,
        execution_id: str | None = None,
        rank: int = 2,
    ) -> None:
        """Send an event to an instance now; with an execution id it is for that execution only."""
        self.store.add_message(
            instance_id, encode_event(event), execution_id=execution_id, rank=rank
        )
        self.due_instances[instance_id] = 0.0

    def set_timer(self, instance: Instance, timer_id: int, event: Event) -> None:
        """Send TimerFired to an execution when it is due."""
        due_s = parse_time(event["FireAt"]).timestamp()
        self.store.add_message(
            instance.instance_id,
            encode_event(event),
            execution_id=instance.execution_id,
            due_s=due_s,
            timer_id=timer_id,
        )
        self.alarms.append((due_s, instance.instance_id))

    def send_operation(
        self, name: str, key: str, request: dict[str, Any], due_s: float = 0.0
    ) -> None:
        """Send an operation to an entity; entity names are compared in lower case."""
        self.store.add_entity_message(name.lower(), key, request, due_s)
        self.due_entities[name.lower(), key] = due_s

    def promise_task(self, instance: Instance, task_id: int, name: str, task_input: str) -> None:
        """Record an activity that must answer."""
        self.tasks.append(self.store.add_task(instance, task_id, name, task_input))


class Mailroom:
    """Opens steps and wakes the runners, which register themselves here."""

    def __init__(self, store: StateStore, alarm: Alarm) -> None:
        self.store = store
        self._alarm = alarm
        self.wake_instance: Callable[[str], None]
        self.wake_entity: Callable[[str, str], None]
        self.run_task: Callable[[Task], None]

    @contextlib.contextmanager
    def step(self) -> Iterator[Step]:
        """Open a transaction; when it is committed, wake everyone it concerns."""
        step = Step(self.store)
        with self.store.transaction():
            yield step
        for task in step.tasks:
            self.run_task(task)
        for instance_id in step.due_instances:
            self.wake_instance(instance_id)
        for due_s, instance_id in step.alarms:
            self._alarm.set(due_s, partial(self.wake_instance, instance_id))
        for (name, key), due_s in step.due_entities.items():
            self._wake_entity_at(name, key, due_s)

    def resume(self) -> None:
        """Wake everyone for whom something was waiting when the last host died."""
        for task in self.store.list_tasks():
            self.run_task_at(task)
        for instance_id, due_s in self.store.list_due_instances():
            self._alarm.set(due_s, partial(self.wake_instance, instance_id))
        for name, key, due_s in self.store.list_due_entities():
            self._wake_entity_at(name, key, due_s)

    def run_task_at(self, task: Task) -> None:
        """Run a task when it is due."""
        if task.due_s <= time.time():
            self.run_task(task)
        else:
            self._alarm.set(task.due_s, partial(self.run_task, task))

    def _wake_entity_at(self, name: str, key: str, due_s: float) -> None:
        if due_s <= time.time():
            self.wake_entity(name, key)
        else:
            self._alarm.set(due_s, partial(self.wake_entity, name, key))


def get_now() -> datetime:
    """Get the host's time."""
    return datetime.now(UTC)
