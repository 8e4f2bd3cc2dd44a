"""Run promised activities and send back their answers: at least once, whatever happens.

An activity's row stays in the store until its answer has been committed, so a host that died
inside one runs it again. The built-in HTTP activity of `call_http` is in `durable_http`.
"""

import asyncio
import json
from typing import Any

from azure.functions import meta
from azure.functions.durable_functions import ActivityTriggerConverter

from local.functions_host.app_loader import App, describe_unknown
from local.functions_host.console import Console, format_stack
from local.functions_host.durable_http import HttpPoll, run_http_request
from local.functions_host.history import EventType, build_event
from local.functions_host.invocation import Invoker
from local.functions_host.mailroom import Mailroom, get_now
from local.functions_host.replay import HTTP_ACTIVITY
from local.functions_host.state import Task
from local.functions_host.wire import decode_activity_input


class ActivityRunner:
    """Runs the activities of all instances, a bounded number at a time."""

    def __init__(
        self,
        app: App,
        mailroom: Mailroom,
        invoker: Invoker,
        console: Console,
        *,
        max_concurrent: int,
    ) -> None:
        self._app = app
        self._mailroom = mailroom
        self._invoker = invoker
        self._console = console
        self._slots = asyncio.Semaphore(max_concurrent)
        self._running: set[asyncio.Task[None]] = set()
        mailroom.run_task = self.start

    def start(self, task: Task) -> None:
        """Run a task as soon as a slot is free."""
        running = asyncio.create_task(self._run(task))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """Give up what is running; it will run again when the host is back."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, task: Task) -> None:
        async with self._slots:
            if not self._mailroom.store.has_task(task):
                return  # its instance was purged or started anew while it waited
            if task.name == HTTP_ACTIVITY:
                await self._run_http(task)
            else:
                await self._run_function(task)

    async def _run_function(self, task: Task) -> None:
        function = self._app.activities.get(task.name.casefold())
        if function is None:
            unknown = describe_unknown(task.name, "activity", self._app.activities)
            self._answer_failure(task, LookupError(unknown))
            return
        try:
            result = await self._invoker.call(
                function, **{function.trigger["name"]: _decode_input(task.input)}
            )
            encoded = ActivityTriggerConverter.encode(result, expected_type=None).value
        except Exception as error:  # noqa: BLE001  (whatever the app raises is the answer)
            self._answer_failure(task, error)
            return
        self._answer(task, EventType.TASK_COMPLETED, {"Result": encoded})

    async def _run_http(self, task: Task) -> None:
        try:
            outcome = await run_http_request(json.loads(decode_activity_input(task.input)))
        except Exception as error:  # noqa: BLE001  (the network's failures are the answer)
            self._answer_failure(task, error)
            return
        if not isinstance(outcome, HttpPoll):
            self._answer(task, EventType.TASK_COMPLETED, {"Result": json.dumps(outcome)})
            return
        with self._mailroom.store.transaction():
            later = self._mailroom.store.postpone_task(
                task, json.dumps([json.dumps(outcome.request)]), outcome.due_s
            )
        self._mailroom.run_task_at(later)

    def _answer_failure(self, task: Task, error: Exception) -> None:
        self._console.tell_failure(f"activity {task.name} of {task.instance_id} failed", error)
        answer = {
            "Reason": f"Activity function '{task.name}' failed:  {type(error).__name__}: {error}",
            "Details": json.dumps(
                {
                    "$type": "System.Exception, System.Private.CoreLib",
                    "ClassName": type(error).__name__,
                    "Message": str(error),
                    "StackTraceString": format_stack(error),
                }
            ),
            "FailureDetails": None,
        }
        self._answer(task, EventType.TASK_FAILED, answer)

    def _answer(self, task: Task, event_type: EventType, answer: dict[str, Any]) -> None:
        event = build_event(event_type, get_now(), TaskScheduledId=task.task_id, **answer)
        with self._mailroom.step() as step:
            if step.store.delete_task(task):
                step.send_event(task.instance_id, event, execution_id=task.execution_id)


def _decode_input(scheduled_input: str) -> Any:
    """Decode an activity's input with the SDK's own converter."""
    text = decode_activity_input(scheduled_input)
    return ActivityTriggerConverter.decode(
        meta.Datum(type="string", value=text), trigger_metadata=None
    )
