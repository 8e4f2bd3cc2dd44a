"""Turn an orchestrator's requests into messages and promises, and into the events that record them.

Everything is written into the step of the episode that decided it.
"""

import json
import uuid
from datetime import datetime

from local.functions_host import wire
from local.functions_host.history import Event, EventType, build_event, parse_time
from local.functions_host.instances import check_instance_id, start_instance
from local.functions_host.mailroom import Step
from local.functions_host.replay import Request, RequestKind
from local.functions_host.state import Instance


class RequestSender:
    """Sends the requests of one episode."""

    def __init__(self, step: Step, sender: Instance, now: datetime, default_version: str) -> None:
        self._step = step
        self._sender = sender
        self._now = now
        self._default_version = default_version

    def send(self, request: Request) -> Event:
        """Send one request and return the event that records it."""
        senders = {
            RequestKind.ACTIVITY: self._send_activity,
            RequestKind.TIMER: self._send_timer,
            RequestKind.SUB_ORCHESTRATION: self._send_sub_orchestration,
            RequestKind.ENTITY: self._send_operation,
        }
        return senders[request.kind](request)

    def _send_activity(self, request: Request) -> Event:
        task_input = wire.encode_activity_input(request.input_text)
        self._step.promise_task(self._sender, request.id, request.name, task_input)
        return build_event(
            EventType.TASK_SCHEDULED,
            self._now,
            request.id,
            Name=request.name,
            Version="",
            Input=task_input,
        )

    def _send_timer(self, request: Request) -> Event:
        if not request.is_cancelled:
            fired = build_event(
                EventType.TIMER_FIRED,
                parse_time(request.fire_at),
                TimerId=request.id,
                FireAt=request.fire_at,
            )
            self._step.set_timer(self._sender, request.id, fired)
        return build_event(EventType.TIMER_CREATED, self._now, request.id, FireAt=request.fire_at)

    def _send_sub_orchestration(self, request: Request) -> Event:
        parent = self._sender
        child_id = request.instance_id or f"{parent.execution_id}:{request.id}"
        version = request.version if request.version is not None else self._default_version
        child_input = json.dumps(request.input_text)
        refusal = check_instance_id(child_id)
        existing = self._step.store.read_instance(child_id)
        if refusal is None and existing is not None and not existing.is_finished:
            refusal = (
                f"An Orchestration instance with the status {existing.runtime_status} "
                f"already exists: {child_id}"
            )
        if refusal is None:
            start_instance(
                self._step,
                child_id,
                request.name,
                input_text=child_input,
                version=version,
                now=self._now,
                parent={
                    "instance_id": parent.instance_id,
                    "execution_id": parent.execution_id,
                    "name": parent.name,
                    "task_id": request.id,
                },
            )
        else:
            failed = build_event(
                EventType.SUB_ORCHESTRATION_FAILED,
                self._now,
                TaskScheduledId=request.id,
                Reason=refusal,
                Details=None,
            )
            self._step.send_event(parent.instance_id, failed, execution_id=parent.execution_id)
        return build_event(
            EventType.SUB_ORCHESTRATION_CREATED,
            self._now,
            request.id,
            Name=request.name,
            Version=version,
            InstanceId=child_id,
            Input=child_input,
        )

    def _send_operation(self, request: Request) -> Event:
        sender = self._sender
        name, key = wire.split_entity_id(request.instance_id or "")
        message = {
            "op": request.name,
            "input": json.dumps(request.input_text),
            "signal": request.call_id is None,
            "id": request.call_id or str(uuid.uuid4()),
            "parent": sender.instance_id,
            "parentExecution": sender.execution_id,
        }
        due_s = parse_time(request.fire_at).timestamp() if request.fire_at else 0.0
        self._step.send_operation(name, key, message, due_s)
        return build_event(
            EventType.EVENT_SENT,
            self._now,
            request.id,
            InstanceId=request.instance_id,
            Name="op",
            Input=json.dumps(message),
        )
