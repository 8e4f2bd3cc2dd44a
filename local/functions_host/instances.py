"""How an instance begins and how its end is told: rows and messages, inside someone else's step."""

import uuid
from datetime import datetime
from typing import Any

from local.functions_host.history import Event, EventType, build_event, format_time
from local.functions_host.mailroom import Step
from local.functions_host.state import Instance


def start_instance(
    step: Step,
    instance_id: str,
    name: str,
    *,
    input_text: str | None,
    version: str,
    now: datetime,
    parent: dict[str, Any] | None = None,
) -> Instance:
    """Create an instance in place of a finished one, if any, and send it its first event."""
    at = format_time(now)
    instance = Instance(
        instance_id=instance_id,
        execution_id=uuid.uuid4().hex,
        name=name,
        version=version,
        runtime_status="Pending",
        input=input_text,
        output=None,
        custom_status=None,
        created_at=at,
        updated_at=at,
        parent=parent,
    )
    if step.store.read_instance(instance_id) is not None:
        step.store.delete_instance(instance_id)
    step.store.write_instance(instance)
    step.send_event(
        instance_id,
        build_execution_started(instance, now),
        execution_id=instance.execution_id,
        rank=0,
    )
    return instance


def check_instance_id(instance_id: str) -> str | None:
    """Return why an instance id is refused, or None.

    Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-instance-management
    """
    if not 1 <= len(instance_id) <= 256:
        return "Instance IDs must be between 1 and 256 characters."
    if instance_id.startswith("@"):
        return "Orchestration instance ids must not start with @."
    if any(char in "/\\#?" or ord(char) < 32 or 127 <= ord(char) < 160 for char in instance_id):
        return "Instance IDs must not contain /, \\, #, ? or control characters."
    return None


def build_execution_started(instance: Instance, now: datetime) -> Event:
    """Build the first event of an execution."""
    parent = instance.parent
    return build_event(
        EventType.EXECUTION_STARTED,
        now,
        OrchestrationInstance={
            "InstanceId": instance.instance_id,
            "ExecutionId": instance.execution_id,
        },
        ParentInstance={
            "Name": parent["name"],
            "OrchestrationInstance": {
                "InstanceId": parent["instance_id"],
                "ExecutionId": parent["execution_id"],
            },
            "TaskScheduleId": parent["task_id"],
        }
        if parent
        else None,
        Name=instance.name,
        Version=instance.version,
        Input=instance.input,
        Tags=None,
    )


def answer_parent(step: Step, instance: Instance, answer: dict[str, Any], now: datetime) -> None:
    """Tell the orchestration that called this one, if any, how it ended."""
    if instance.parent is None:
        return
    event_type = (
        EventType.SUB_ORCHESTRATION_COMPLETED
        if "Result" in answer
        else EventType.SUB_ORCHESTRATION_FAILED
    )
    event = build_event(event_type, now, TaskScheduledId=instance.parent["task_id"], **answer)
    step.send_event(
        instance.parent["instance_id"], event, execution_id=instance.parent["execution_id"]
    )
