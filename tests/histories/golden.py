"""Recorded histories, and the question whether today's orchestrators would have written them.

A job that runs while the app is upgraded is replayed by code that it did not begin with. So each
recording is replayed up to every episode that it has, as the host would do it after an upgrade at
that moment, through the SDK's own engine; what the orchestrator asks for next has to be what the
recording has next. Compared is what the Durable extension compares: kind, name and order.
"""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from azure.durable_functions import DurableOrchestrationContext, Orchestrator
from typing_extensions import override

from local.functions_host.history import SCHEDULING_TYPES, Event, EventType, encode_event
from local.functions_host.replay import HTTP_ACTIVITY, Request, RequestKind, plan_episode
from local.functions_host.wire import decode_turn, encode_orchestrator_input

FOLDER: Final = Path(__file__).resolve().parent
OrchestratorFunction = Callable[..., Any]

_KINDS: Final = {
    EventType.TASK_SCHEDULED: "activity",
    EventType.TIMER_CREATED: "timer",
    EventType.SUB_ORCHESTRATION_CREATED: "sub-orchestration",
    EventType.EVENT_SENT: "entity operation",
}
_NEEDED: Final = frozenset(
    {
        *("EventType", "EventId", "Timestamp", "Name", "Version", "InstanceId", "Reason"),
        *("Result", "TaskScheduledId", "TimerId", "FireAt", "OrchestrationStatus"),
    }
)
"""What replay and comparison read; inputs of activities are left out."""
_WITH_INPUT: Final = frozenset(
    {EventType.EXECUTION_STARTED, EventType.EVENT_SENT, EventType.EVENT_RAISED}
)


@dataclass(frozen=True, slots=True)
class Recording:
    """One orchestration from its start to its end, as the host kept it."""

    shape: str
    name: str
    """Orchestrator."""
    instance_id: str
    parent: str | None
    history: tuple[Event, ...]

    @override
    def __str__(self) -> str:
        return f"{self.shape}/{self.name}/{self.instance_id.rpartition('-')[2]}"

    @property
    def version(self) -> str:
        """Version that the instance was started with."""
        started = (e for e in self.history if e["EventType"] == EventType.EXECUTION_STARTED)
        return str(next(started)["Version"])

    def list_episodes(self) -> Iterator[tuple[tuple[Event, ...], list[Event]]]:
        """List what each episode knew, and what it decided; all of it played but the last."""
        starts = [
            index
            for index, event in enumerate(self.history)
            if event["EventType"] == EventType.ORCHESTRATOR_STARTED
        ]
        for start, end in zip_longest(starts, starts[1:]):
            episode = self.history[start:end]
            decided = [event for event in episode if _is_decision(event)]
            heard = [e for e in episode if not _is_decision(e) and not _is_closing(e)]
            yield (*self.history[:start], *({**e, "IsPlayed": False} for e in heard)), decided

    def to_plain(self) -> dict[str, Any]:
        """Answer what is kept in a file."""
        return {
            "name": self.name,
            "instance_id": self.instance_id,
            "parent": self.parent,
            "history": [_strip(event) for event in self.history],
        }


def load_recordings(folder: Path) -> list[Recording]:
    """Load every recording of one version."""
    return [
        Recording(
            path.stem,
            plain["name"],
            plain["instance_id"],
            plain["parent"],
            tuple({"IsPlayed": True, **event} for event in plain["history"]),
        )
        for path in sorted(folder.glob("*.json"))
        for plain in json.loads(path.read_text("utf-8"))
    ]


def write_recordings(path: Path, recordings: Iterable[Recording]) -> None:
    """Write one file, an event to a line, so that a difference can be read."""
    blocks = []
    for plain in (recording.to_plain() for recording in recordings):
        events = ",\n    ".join(map(encode_event, plain.pop("history")))
        head = json.dumps(plain).removesuffix("}")
        blocks.append(f'  {head}, "history": [\n    {events}\n  ]}}')
    path.write_text("[\n" + ",\n".join(blocks) + "\n]\n", "utf-8")


def find_divergence(
    recording: Recording, orchestrators: Mapping[str, OrchestratorFunction]
) -> str | None:
    """Find the first place at which an orchestrator does otherwise than recorded; None: nowhere."""
    orchestrator = orchestrators.get(recording.name)
    if orchestrator is None:
        return f"{recording}: there is no orchestrator {recording.name!r} any more"
    for number, (known, decided) in enumerate(recording.list_episodes(), start=1):
        difference = _compare(orchestrator, recording, known, decided)
        if difference:
            return f"{recording}, version {recording.version}, episode {number}: {difference}"
    return None


def _compare(
    orchestrator: OrchestratorFunction,
    recording: Recording,
    known: tuple[Event, ...],
    decided: list[Event],
) -> str | None:
    body = encode_orchestrator_input(
        [],
        map(encode_event, known),
        input_text=known[1]["Input"],
        instance_id=recording.instance_id,
        parent_instance_id=recording.parent,
    )
    try:
        with warnings.catch_warnings():
            # an answer that comes before it is waited for: kept by the SDK, and heard
            warnings.filterwarnings("ignore", "Potential duplicate Task completion")
            answer = Orchestrator(orchestrator).handle(DurableOrchestrationContext.from_json(body))
    except Exception as error:  # noqa: BLE001 - whatever it raises, a running job would end by it
        reason = str(error).partition("\n")[0]
        return f"the orchestrator raises {type(error.__cause__ or error).__name__}: {reason}"
    turn = decode_turn(answer)
    plan = plan_episode(turn.actions, known)
    if plan.mismatch is not None:
        return plan.mismatch
    expected = [_describe_event(event) for event in decided if event["EventType"] in _KINDS]
    scheduled = [_describe_request(request) for request in plan.new]
    if turn.is_done and not plan.has_open_tasks:
        scheduled.append("the end")
    if any(event["EventType"] == EventType.EXECUTION_COMPLETED for event in decided):
        expected.append("the end")
    first_id = sum(event["EventType"] in SCHEDULING_TYPES for event in known)
    for offset, (wanted, got) in enumerate(zip_longest(expected, scheduled, fillvalue="nothing")):
        if wanted != got:
            return f"action {first_id + offset}: expected {wanted}, scheduled {got}"
    return None


def _describe_event(event: Event) -> str:
    name = event.get("Name") or ""
    if event["EventType"] == EventType.EVENT_SENT:
        name = json.loads(event["Input"])["op"]
    return _describe(EventType(event["EventType"]), name)


def _describe_request(request: Request) -> str:
    is_http = request.name == HTTP_ACTIVITY
    return _describe(request.kind.value, HTTP_ACTIVITY if is_http else request.name)


def _describe(kind: EventType, name: str) -> str:
    return _KINDS[kind] if kind is RequestKind.TIMER.value else f"{_KINDS[kind]} {name}"


def _is_decision(event: Event) -> bool:
    return event["EventType"] in (*SCHEDULING_TYPES, EventType.EXECUTION_COMPLETED)


def _is_closing(event: Event) -> bool:
    return bool(event["EventType"] == EventType.ORCHESTRATOR_COMPLETED)


def _strip(event: Event) -> Event:
    wanted = _NEEDED | {"Input"} if event["EventType"] in _WITH_INPUT else _NEEDED
    kept = {name: value for name, value in event.items() if name in wanted}
    if event["EventType"] == EventType.EVENT_SENT:
        sent = json.loads(event["Input"])
        kept["Input"] = json.dumps({name: sent[name] for name in ("op", "id") if name in sent})
    if event["EventType"] == EventType.EXECUTION_COMPLETED:
        kept.pop("Result", None)
    return kept
