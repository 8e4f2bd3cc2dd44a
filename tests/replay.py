"""Drives an orchestrator through the SDK's own replay engine, with scripted activities.

Every episode replays the whole history from the start, as the Durable extension does, and the
harness asserts that the replay issues the very actions that are already in the history.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from azure.durable_functions import DurableOrchestrationContext, Entity, Orchestrator

ACTIVITY, SUB_ORCHESTRATOR, TIMER, ENTITY = 1 - 1, 2, 5, 7
COMPOUND: Final = frozenset({11, 12})
FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"

Script = Callable[[Any], Any]
"""Input to result; an exception makes the activity fail as the host would report it."""


@dataclass
class Replay:
    """One instance of an orchestrator and the world it sees."""

    orchestrator: Callable[..., Any]
    activities: Mapping[str, Script]
    instance_id: str = "edit-0"
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    entities: Mapping[str, Callable[..., None]] = field(default_factory=dict)
    """Entity functions that run for real; the others are scripted as `name.operation`."""
    states: dict[tuple[str, str], str] = field(default_factory=dict)
    """State of each entity, by name and key, as the task hub keeps it."""
    events: dict[str, list[str]] = field(default_factory=dict)
    """Activity name to the external events that arrive right after it."""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    timers: list[float] = field(default_factory=list)
    """Seconds that every timer that fired had been waited for."""
    _history: list[dict[str, Any]] = field(default_factory=list)
    _actions: list[dict[str, Any]] = field(default_factory=list)
    _inbox: list[dict[str, Any]] = field(default_factory=list)
    _alarms: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)

    def run(self, order: Any, *, most_episodes: int = 500) -> Any:
        """Run to the end and answer the output; raise what the orchestrator raised."""
        self._inbox.append(
            self._event(
                0,
                Name="o",
                Version="1",
                Input=json.dumps(json.dumps(order)),
                OrchestrationInstance={"InstanceId": self.instance_id, "ExecutionId": "x"},
            )
        )
        for _ in range(most_episodes):
            answer = self._episode()
            if answer["isDone"] and not self._inbox:
                open_timers = [i for i in self._alarms if not self._is_cancelled(i)]
                assert not open_timers, f"timers left open: {open_timers}"
                return answer.get("output")
            if not self._inbox:
                self._fire_next_timer()
        raise AssertionError("the orchestration did not end")

    def names(self) -> list[str]:
        """Answer the names of what was called, in order."""
        return [name for name, _ in self.calls]

    def _event(self, kind: int, event_id: int = -1, **fields: Any) -> dict[str, Any]:
        return {
            "EventType": kind,
            "EventId": event_id,
            "IsPlayed": False,
            "Timestamp": self.now.strftime(FORMAT),
            **fields,
        }

    def _episode(self) -> dict[str, Any]:
        self.now += timedelta(milliseconds=1)
        for event in self._history:
            event["IsPlayed"] = event["EventType"] != 12
        self._history.append(self._event(12))
        self._history.append(self._inbox.pop(0) | {"Timestamp": self.now.strftime(FORMAT)})
        context = DurableOrchestrationContext.from_json(
            json.dumps(
                {
                    "history": self._history,
                    "instanceId": self.instance_id,
                    "isReplaying": False,
                    "parentInstanceId": None,
                    "upperSchemaVersion": 1,
                    "upperSchemaVersionNew": 2,
                    "input": json.loads(self._history[1]["Input"]),
                    "longRunningTimerIntervalDuration": "3.00:00:00",
                    "maximumShortTimerDuration": "6.00:00:00",
                }
            )
        )
        answer: dict[str, Any] = json.loads(Orchestrator(self.orchestrator).handle(context))
        issued = [a for a in _flatten(answer["actions"][0]) if a["actionType"] != 6]
        known = [_identity(action) for action in self._actions]
        assert [_identity(action) for action in issued[: len(known)]] == known, "replay diverged"
        self._actions, fresh = issued, issued[len(known) :]
        for offset, action in enumerate(fresh):
            self._carry_out(len(known) + offset, action)
        self._history.append(self._event(13))
        return answer

    def _carry_out(self, action_id: int, action: dict[str, Any]) -> None:
        kind = action["actionType"]
        if kind == TIMER:
            fire_at = datetime.strptime(action["fireAt"], FORMAT).replace(tzinfo=UTC)
            self._history.append(self._event(10, action_id, FireAt=action["fireAt"]))
            self._alarms[action_id] = (self.now, fire_at)
            return
        payload = json.loads(action["input"]) if action.get("input") else None
        if kind == ENTITY:
            guid = f"guid-{action_id}"
            body = json.dumps({"op": action["operation"], "id": guid})
            self._history.append(self._event(14, action_id, Name="op", Input=body))
            _, name, key = action["instanceId"].split("@")
            if name in self.entities:
                result = self._operate(name, key, action["operation"], payload)
            else:
                result = self._call(f"{name}.{action['operation']}", payload)
            raised = json.dumps({"result": json.dumps(result)})
            self._inbox.append(self._event(15, Name=guid, Input=raised))
            return
        scheduled, completed, failed = (4, 5, 6) if kind == ACTIVITY else (7, 8, 9)
        name = action["functionName"]
        self._history.append(self._event(scheduled, action_id, Name=name, Input=action["input"]))
        try:
            result = self._call(name, payload)
        except Exception as error:  # noqa: BLE001 - whatever a script raises is what the host reports
            reason = f"Activity function '{name}' failed:  {type(error).__name__}: {error}"
            self._inbox.append(
                self._event(failed, TaskScheduledId=action_id, Reason=reason, Details="")
            )
        else:
            self._inbox.append(
                self._event(completed, TaskScheduledId=action_id, Result=json.dumps(result))
            )
        for event in self.events.pop(name, []):
            self._inbox.append(self._event(15, Name=event, Input="{}"))

    def _call(self, name: str, payload: Any) -> Any:
        self.calls.append((name, payload))
        return self.activities[name](payload)

    def _operate(self, name: str, key: str, operation: str, payload: Any) -> Any:
        self.calls.append((f"{name}.{operation}", {"key": key} | payload))
        state = self.states.get((name, key))
        order = {"name": operation, "input": json.dumps(json.dumps(payload)), "isSignal": False}
        batch = {
            "self": {"name": name, "key": key},
            "exists": state is not None,
            "state": state,
            "batch": [order],
        }
        answer = json.loads(Entity.create(self.entities[name])(json.dumps(batch)))
        done = answer["results"][0]
        assert not done["isError"], done["result"]
        self.states[name, key] = answer["entityState"]
        return json.loads(done["result"])

    def _is_cancelled(self, action_id: int) -> bool:
        return bool(self._actions[action_id].get("isCanceled"))

    def _fire_next_timer(self) -> None:
        waiting = {i: at for i, at in self._alarms.items() if not self._is_cancelled(i)}
        assert waiting, "nothing is under way and nothing will wake the orchestration"
        action_id = min(waiting, key=lambda i: waiting[i][1])
        created, fire_at = self._alarms.pop(action_id)
        self.timers.append((fire_at - created).total_seconds())
        self.now = max(self.now, fire_at)
        self._inbox.append(self._event(11, TimerId=action_id, FireAt=fire_at.strftime(FORMAT)))


def _flatten(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    flat: list[dict[str, Any]] = []
    for action in actions:
        if action["actionType"] in COMPOUND:
            flat.extend(_flatten(action["compoundActions"]))
        else:
            flat.append(action)
    return flat


def _identity(action: dict[str, Any]) -> tuple[Any, ...]:
    fields = ("actionType", "functionName", "input", "operation", "fireAt", "instanceId")
    return tuple(json.dumps(action.get(name)) for name in fields)
