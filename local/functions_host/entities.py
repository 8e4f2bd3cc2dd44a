"""Run durable entities: one batch at a time per entity, operations in the order in which they came.

A batch's new state, its answers and its signals are committed together with the removal of its
operations.
"""

import asyncio
import json
import time
from typing import Any

from local.functions_host import wire
from local.functions_host.app_loader import App, describe_unknown
from local.functions_host.console import Console
from local.functions_host.history import EventType, build_event, format_time
from local.functions_host.invocation import Invoker
from local.functions_host.mailroom import Mailroom, Step, get_now
from local.functions_host.state import EntityMessage

_ERROR_TYPE = "System.Exception"


class EntityRunner:
    """Runs the operations of all entities."""

    def __init__(self, app: App, mailroom: Mailroom, invoker: Invoker, console: Console) -> None:
        self._app = app
        self._mailroom = mailroom
        self._invoker = invoker
        self._console = console
        self._awake: dict[tuple[str, str], asyncio.Task[None]] = {}
        mailroom.wake_entity = self.wake

    def wake(self, name: str, key: str) -> None:
        """Look for operations of an entity soon."""
        if (name, key) not in self._awake:
            self._awake[name, key] = asyncio.create_task(self._run(name, key))

    async def stop(self) -> None:
        """Stop between two batches; the operations stay in the store."""
        running = list(self._awake.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, name: str, key: str) -> None:
        try:
            while messages := self._mailroom.store.read_entity_messages(name, key, time.time()):
                await self._run_batch(name, key, messages)
        finally:
            del self._awake[name, key]

    async def _run_batch(self, name: str, key: str, messages: list[EntityMessage]) -> None:
        state = self._mailroom.store.read_entity(name, key)
        try:
            answer = await self._call(name, key, state, messages)
            entity_state = answer["entityState"] if answer["entityExists"] else None
            results = answer["results"]
        except Exception as error:  # noqa: BLE001  (whatever the app raises is the answer)
            self._console.tell_failure(f"entity {name} {key} failed", error)
            failed = {"isError": True, "result": json.dumps(f"{type(error).__name__}: {error}")}
            answer, entity_state, results = {"signals": []}, state, [failed] * len(messages)
        with self._mailroom.step() as step:
            step.store.delete_entity_messages(message.id for message in messages)
            step.store.write_entity(name, key, entity_state, format_time(get_now()))
            for message, result in zip(messages, results, strict=False):
                self._settle(step, f"{name} {key}", message.request, result)
            for signal in answer["signals"]:
                _send_signal(step, signal)

    async def _call(
        self, name: str, key: str, state: str | None, messages: list[EntityMessage]
    ) -> dict[str, Any]:
        function = self._app.entities.get(name.casefold())
        if function is None:
            raise LookupError(describe_unknown(name, "entity", self._app.entities))
        operations = [
            {
                "name": message.request["op"],
                "input": message.request["input"],
                "isSignal": message.request["signal"],
            }
            for message in messages
        ]
        body = wire.encode_entity_batch(name, key, state, operations)
        answer = await self._invoker.call(function, **{function.trigger["name"]: body})
        return wire.decode_entity_answer(answer)

    def _settle(
        self, step: Step, entity: str, request: dict[str, Any], result: dict[str, Any]
    ) -> None:
        is_error = bool(result["isError"])
        tone = "bad" if is_error else "info"
        what = f"{request['op']} failed: {result['result']}" if is_error else str(request["op"])
        self._console.say(f"entity {entity}  {what}", tone)
        if request["signal"]:
            return
        error_type = _ERROR_TYPE if is_error else None
        event = build_event(
            EventType.EVENT_RAISED,
            get_now(),
            Name=request["id"],
            Input=wire.encode_entity_response(result["result"], error_type),
        )
        step.send_event(request["parent"], event, execution_id=request["parentExecution"])


def _send_signal(step: Step, signal: dict[str, Any]) -> None:
    target = signal["target"]
    step.send_operation(
        target["name"],
        target["key"],
        {"op": signal["name"], "input": signal["input"], "signal": True, "id": None},
    )
