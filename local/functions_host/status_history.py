"""A history as the status API shows it: decisions folded into results, names for numbers.

Pure. Source: DurableClient.GetStatusAsync in
https://github.com/Azure/azure-functions-durable-extension
"""

from typing import Any

from local.functions_host.history import Event, EventType

_NAMES = {
    EventType.EXECUTION_STARTED: "ExecutionStarted",
    EventType.EXECUTION_COMPLETED: "ExecutionCompleted",
    EventType.EXECUTION_TERMINATED: "ExecutionTerminated",
    EventType.TASK_COMPLETED: "TaskCompleted",
    EventType.TASK_FAILED: "TaskFailed",
    EventType.SUB_ORCHESTRATION_COMPLETED: "SubOrchestrationInstanceCompleted",
    EventType.SUB_ORCHESTRATION_FAILED: "SubOrchestrationInstanceFailed",
    EventType.TIMER_FIRED: "TimerFired",
    EventType.EVENT_RAISED: "EventRaised",
    EventType.EVENT_SENT: "EventSent",
    EventType.EXECUTION_SUSPENDED: "ExecutionSuspended",
    EventType.EXECUTION_RESUMED: "ExecutionResumed",
    EventType.GENERIC_EVENT: "GenericEvent",
}
"""Event types that are shown; decisions appear with their results, episodes not at all."""

_OUTPUT_FIELDS = ("Result", "Input", "Details")


def describe_history(events: list[Event], *, with_output: bool) -> list[dict[str, Any]]:
    """Fold a history; `with_output` adds inputs and results."""
    scheduled = {
        event["EventId"]: event
        for event in events
        if event["EventType"]
        in (EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_CREATED, EventType.TIMER_CREATED)
    }
    return [
        _describe_event(event, scheduled, with_output=with_output)
        for event in events
        if event["EventType"] in _NAMES
    ]


def _describe_event(
    event: Event, scheduled: dict[int, Event], *, with_output: bool
) -> dict[str, Any]:
    event_type = EventType(event["EventType"])
    shown: dict[str, Any] = {"EventType": _NAMES[event_type], "Timestamp": event["Timestamp"]}
    decision = scheduled.get(event.get("TaskScheduledId", -1)) or scheduled.get(
        event.get("TimerId", -1)
    )
    if decision is not None:
        shown["ScheduledTime"] = decision["Timestamp"]
        if decision.get("Name"):
            shown["FunctionName"] = decision["Name"]
    if event_type is EventType.EXECUTION_STARTED:
        shown["FunctionName"] = event["Name"]
    elif event.get("Name"):
        shown["Name"] = event["Name"]
    for key in ("OrchestrationStatus", "Reason", "FireAt", "FailureDetails", "Data"):
        if event.get(key) is not None:
            shown[key] = event[key]
    if with_output:
        shown.update({key: event[key] for key in _OUTPUT_FIELDS if event.get(key) is not None})
    return shown
