"""Orchestrations that go wrong, or come near to it, as a blueprint."""
# ruff: noqa: ANN001, ANN201, ARG001, BLE001  (in the manner of the official samples)

import time
from datetime import timedelta
from pathlib import Path

import azure.durable_functions as df

corners = df.Blueprint()


@corners.activity_trigger(input_name="spec")
def note(spec: dict) -> int:
    """Append a line to a file; wait; fail if told to. Returns how many lines there are."""
    path = Path(spec["path"])
    with path.open("a") as file:
        file.write(spec.get("line", "x") + "\n")
    count = len(path.read_text().splitlines())
    hold = Path(spec["hold"]) if spec.get("hold") else None
    while hold is not None and hold.exists():
        time.sleep(0.01)
    if count <= spec.get("failures", 0):
        raise ValueError(f"failure {count} of {spec['failures']}")
    return count


@corners.orchestration_trigger(context_name="context")
def run_note(context):
    return (yield context.call_activity("note", context.get_input()))


@corners.orchestration_trigger(context_name="context")
def call_noting(context):
    """Parent of an orchestration that notes, for rewind and restart."""
    before = yield context.call_activity("say_hello", "before")
    noted = yield context.call_sub_orchestrator(
        "run_note", context.get_input(), "child-of-" + context.instance_id
    )
    return [before, noted]


@corners.orchestration_trigger(context_name="context")
def retry_in_vain(context):
    retry = df.RetryOptions(20, 2)
    try:
        yield context.call_activity_with_retry("note", retry, context.get_input())
    except Exception as error:
        return str(error)
    return "no error"


@corners.orchestration_trigger(context_name="context")
def provision_noting(context):
    retry = df.RetryOptions(5, 2)
    return (yield context.call_activity_with_retry("note", retry, context.get_input()))


@corners.orchestration_trigger(context_name="context")
def retries_beside_others(context):
    """Retries take ids between those of other tasks."""
    spec = context.get_input()
    retry = df.RetryOptions(5, 3)
    noted = context.call_activity_with_retry("note", retry, spec)
    timer = context.create_timer(context.current_utc_datetime + timedelta(milliseconds=20))
    hello = context.call_activity("say_hello", "beside")
    first = yield context.task_all([noted, timer, hello])
    second = yield context.call_activity("say_hello", "after")
    return [first[0], first[2], second]


@corners.orchestration_trigger(context_name="context")
def call_unknown(context):
    kind = context.get_input()
    if kind == "activity":
        yield context.call_activity("no_such_activity")
    elif kind == "orchestrator":
        yield context.call_sub_orchestrator("no_such_orchestrator")
    else:
        yield context.call_entity(df.EntityId("no_such_entity", "1"), "get")


@corners.orchestration_trigger(context_name="context")
def raises(context):
    yield context.call_activity("say_hello", "x")
    raise LookupError("nothing to be found")


@corners.orchestration_trigger(context_name="context")
def returns_no_json(context):
    yield context.call_activity("say_hello", "x")
    return {1, 2, 3}


@corners.activity_trigger(input_name="x")
def answers_no_json(x: str) -> object:
    return object()


@corners.orchestration_trigger(context_name="context")
def calls_no_json(context):
    yield context.call_activity("answers_no_json", "x")


@corners.orchestration_trigger(context_name="context")
def talks_much(context):
    context.set_custom_status("x" * context.get_input())
    yield context.call_activity("say_hello", "x")
    return "said"


@corners.orchestration_trigger(context_name="context")
def fickle(context):
    """Chooses by a file, which no orchestrator may: what it asked for changes between replays."""
    plan = Path(context.get_input()).read_text()
    if plan == "activity":
        yield context.call_activity("say_hello", "x")
    elif plan == "other":
        yield context.call_activity("probe", {"polls": 1})
    elif plan == "timer":
        yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=1))
    yield context.wait_for_external_event("Go")
    return plan


@corners.orchestration_trigger(context_name="context")
def two_waits(context):
    """Waits twice for one name, after the events had time to come early."""
    yield context.wait_for_external_event("Begin")
    first = yield context.wait_for_external_event("Go")
    second = yield context.wait_for_external_event("Go")
    return [first, second]


@corners.orchestration_trigger(context_name="context")
def two_waiters(context):
    early = context.wait_for_external_event("Go")
    late = context.wait_for_external_event("Go")
    winner = yield context.task_any([early, late])
    first = "late" if winner == late else "early"
    yield context.task_all([early, late])
    return [first, early.result, late.result]


@corners.orchestration_trigger(context_name="context")
def loser_holds(context):
    """The losing timer is not cancelled, so the instance stays open until it fires."""
    timer = context.create_timer(context.current_utc_datetime + timedelta(milliseconds=1500))
    hello = context.call_activity("say_hello", "winner")
    yield context.task_any([hello, timer])
    return hello.result


@corners.orchestration_trigger(context_name="context")
def waits_long(context):
    timer = context.create_timer(
        context.current_utc_datetime + timedelta(seconds=context.get_input())
    )
    yield timer
    return "awake"


@corners.orchestration_trigger(context_name="context")
def sees_version(context):
    yield context.call_activity("say_hello", "x")
    child = yield context.call_sub_orchestrator("tells_version", None, None, "child-version")
    return [context.version, child]


@corners.orchestration_trigger(context_name="context")
def tells_version(context):
    return context.version


@corners.orchestration_trigger(context_name="context")
def entity_trouble(context):
    entity_id = df.EntityId("counter", context.instance_id)
    try:
        yield context.call_entity(entity_id, "fail")
    except Exception as error:
        return str(error)


@corners.orchestration_trigger(context_name="context")
def carries_events(context):
    """Continues as new while events keep coming."""
    seen = context.get_input() or []
    value = yield context.wait_for_external_event("Item")
    if value == "end":
        return seen
    context.continue_as_new([*seen, value])


@corners.orchestration_trigger(context_name="context")
def calls_running_child(context):
    try:
        yield context.call_sub_orchestrator("waits_long", 60, context.get_input())
    except Exception as error:
        return str(error)


@corners.orchestration_trigger(context_name="context")
def a_bit_of_everything(context):
    """Two rounds through activity, entity, sub-orchestration and timer."""
    hello = yield context.call_activity("say_hello", "you")
    counted = yield context.call_entity(df.EntityId("counter", context.instance_id), "add", 2)
    child = context.call_sub_orchestrator("tells_version", None, None, "child")
    beside = context.call_activity("say_hello", "beside")
    yield context.task_all([child, beside])
    yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=5))
    if context.get_input() is None:
        context.continue_as_new({"round": 2})
        return None
    return [hello, counted, child.result, beside.result]
